"""SwapEMAWeights: averages where the model is looked at, and the weights of training where it is trained."""

import numpy as np
import pytest

from fastcnn.callbacks import EarlyStopping, LambdaCallback, SwapEMAWeights
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import SGD
from tests.callbacks.models import X, model, same, train


def averaging(**more):
    return model(SGD(0.1, use_ema=True, ema_momentum=0.5, **more))


def averages(one):
    return [part.average.copy() for part in one.optimizer._parts]


def test_what_is_validated_are_the_averages_and_training_goes_on_as_without():
    plain, one, seen = averaging(), averaging(), []
    one.set_weights(plain.get_weights())
    look = LambdaCallback(on_test_batch_end=lambda batch, logs: seen.append(one.get_weights()))
    plain.fit(X, X, epochs=1, verbose=0, shuffle=False)
    one.fit(X, X, epochs=3, verbose=0, shuffle=False, validation_data=(X, X), callbacks=[SwapEMAWeights(), look])
    assert same(seen[0], plain.get_weights()), "which fit leaves as averages at its end"
    assert not same(seen[0], seen[1])


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_training_has_the_same_bits_with_it(swap_on_epoch):
    found = []
    start = averaging().get_weights()
    for callbacks in ([], [SwapEMAWeights(swap_on_epoch)]):
        one = averaging()
        one.set_weights(start)
        script = train([1, 1, 1], *callbacks, one=one, validation_data=(X, X), shuffle=False)[1]
        found.append((one.get_weights(), averages(one), script.weights[-1]))
    assert same(found[0][0], found[1][0])
    assert same(found[0][1], found[1][1])
    assert same(found[0][2], found[1][2]), "callbacks before it see the weights of training"


def test_callbacks_after_it_see_what_was_validated_and_the_best_of_that_is_kept():
    one, seen = averaging(), []
    look = LambdaCallback(on_test_batch_end=lambda batch, logs: seen.append(one.get_weights()))
    at_end = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(one.get_weights()))
    train([3, 1, 2], SwapEMAWeights(swap_on_epoch=True), look, at_end,
          EarlyStopping("scripted", mode="min", patience=9, restore_best_weights=True), one=one, validation_data=(X, X))
    for validated, kept in zip(seen[::2], seen[1::2], strict=True):
        assert same(validated, kept)
    assert same(one.get_weights(), seen[2])


def test_training_that_is_stopped_in_its_first_epoch_ends_with_the_averages():
    one, seen = averaging(), []
    stop = LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(one, "stop_training", True))
    look = LambdaCallback(on_test_batch_end=lambda batch, logs: seen.append(one.get_weights()))
    one.fit(X, X, epochs=5, verbose=0, validation_data=(X, X),
            callbacks=[SwapEMAWeights(swap_on_epoch=True), look, stop])
    assert len(seen) == 1
    assert same(one.get_weights(), seen[0])
    assert not one.optimizer.has_averages_in_place


def test_ctrl_c_in_a_validation_leaves_the_weights_of_training():
    one, seen = averaging(), []

    def press(batch, logs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([1], SwapEMAWeights(), LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append(one.get_weights()), on_test_batch_end=press),
            one=one, validation_data=(X, X))
    assert same(one.get_weights(), seen[-1])


def test_evaluate_and_predict_alone_use_the_averages_and_give_the_weights_back():
    one = averaging()
    before = one.evaluate(X, X, callbacks=SwapEMAWeights())
    assert before == one.evaluate(X, X), "before the first step there are no averages"
    for _ in range(3):
        one.train_on_batch(X, X)
    weights, plain = one.get_weights(), one.predict(X)
    averaged = one.predict(X, callbacks=[SwapEMAWeights()])
    assert np.abs(averaged - plain).max() > 1e-3
    assert one.evaluate(X, X, callbacks=SwapEMAWeights()) != one.evaluate(X, X)
    assert same(one.get_weights(), weights)
    one.optimizer.finalize_variable_values()
    np.testing.assert_array_equal(one.predict(X), averaged)


def test_a_state_that_was_kept_while_the_averages_were_in_the_model_goes_on_so():
    whole, first, second, kept = averaging(), averaging(), averaging(), []
    first.set_weights(start := whole.get_weights())
    whole.fit(X, X, epochs=4, verbose=0, shuffle=False, callbacks=SwapEMAWeights(swap_on_epoch=True))
    swap = SwapEMAWeights(swap_on_epoch=True)

    def keep(epoch, logs):
        kept.append((first.get_weights(), first.optimizer.get_state(), swap.get_state()))

    first.fit(X, X, epochs=2, verbose=0, shuffle=False, callbacks=[swap, LambdaCallback(on_epoch_end=keep)])
    weights, optimizer, state = kept[-1]
    assert state == {"is_swapped": True}
    again = SwapEMAWeights(swap_on_epoch=True)

    def go_on(logs):
        second.set_weights(weights)
        second.optimizer.set_state(optimizer)
        again.set_state(state)

    second.set_weights(start)
    second.fit(X, X, epochs=4, initial_epoch=2, verbose=0, shuffle=False,
               callbacks=[again, LambdaCallback(on_train_begin=go_on)])
    assert same(second.get_weights(), whole.get_weights())
    assert same(averages(second), averages(whole))


def test_an_optimizer_without_averages_is_refused():
    one = model()
    for use in (lambda **more: one.fit(X, X, verbose=0, **more), lambda **more: one.evaluate(X, X, **more)):
        with pytest.raises(ArgumentError, match="SwapEMAWeights: expected an optimizer that keeps averages"):
            use(callbacks=SwapEMAWeights())
    assert one.optimizer.iterations == 0
