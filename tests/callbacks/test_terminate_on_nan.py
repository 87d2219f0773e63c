"""TerminateOnNaN: which layer was first, and what the model keeps."""

import re

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.callbacks import EarlyStopping, LambdaCallback, TerminateOnNaN
from fastcnn.errors import DivergedError
from tests.callbacks.models import X, model, same


class Breaks(layers.Layer):
    """Passes everything, until its `after`-th forward pass has an infinity, or its way back has."""

    def __init__(self, after, backward=False, **named):
        super().__init__(**named)
        self.after, self.backward, self.passes = after, backward, 0

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, call=fc.layers.Call()):
        self.passes += 1
        is_bad, y = self.passes >= self.after, x.copy()
        if is_bad and not self.backward:
            y[0] = np.inf

        def backward(dy):
            dx = dy.copy()
            if is_bad and self.backward:
                dx[0] = np.nan
            return dx

        return y, backward

    def predict(self, x):
        return x


def network(breaks, optimizer="adam"):
    one = fc.Sequential([fc.Input((4,)), layers.Dense(6, name="first"), layers.BatchNormalization(name="norm"), breaks,
                         layers.Dense(4, name="last")])
    one.compile(optimizer, "mse")
    return one


def weights_before(one, seen):
    return LambdaCallback(on_train_batch_begin=lambda batch, logs: seen.append(one.get_weights()))


@pytest.mark.parametrize(("backward", "where"), [
    (False, 'the output of "breaks"'), (True, r"the gradient of norm/(beta|gamma)")])
def test_the_first_layer_is_named_and_the_weights_from_before_that_step_stay(backward, where, capsys):
    one, seen = network(Breaks(4, backward, name="breaks")), []
    history = one.fit(X, X, batch_size=4, epochs=5, verbose=0, callbacks=[weights_before(one, seen), TerminateOnNaN()])
    assert len(seen) == 4, "three steps of the first epoch, and the one that was not taken"
    assert same(one.get_weights(), seen[3])
    assert one.optimizer.iterations == 3
    assert all(np.isfinite(value).all() for value in one.optimizer.get_state().values())
    assert len(history.history["loss"]) == 2
    said = capsys.readouterr().out.strip()
    assert re.fullmatch(
        f"Batch 0: invalid loss .*, terminating training; the first that is not finite is {where}; the model has the "
        f"weights from before this step", said)


def test_it_can_be_an_error_and_others_hear_of_it():
    one, stop = network(Breaks(5, name="breaks")), EarlyStopping("loss", restore_best_weights=True, patience=9)
    with pytest.raises(DivergedError, match=r'Batch 1: invalid loss (inf|nan), .* the output of "breaks"') as caught:
        one.fit(X, X, batch_size=4, epochs=5, verbose=0, callbacks=[stop, TerminateOnNaN(raise_error=True)])
    assert isinstance(caught.value, RuntimeError), "as Keras's is"
    assert same(one.get_weights(), stop.best_weights)


def test_a_loss_that_is_too_large_though_its_gradient_is_not_brings_back_the_epochs_first_weights(capsys):
    one, seen = model(), []
    y = X.copy()
    y[9] = 1e20
    one.fit(X, y, batch_size=4, epochs=5, verbose=0, shuffle=False, callbacks=[weights_before(one, seen),
                                                                             TerminateOnNaN()])
    assert same(one.get_weights(), seen[0])
    assert "Batch 2: invalid loss inf, terminating training; the first that is not finite is the loss; the model has " \
           "the weights from the beginning of the epoch" in capsys.readouterr().out


def test_data_that_are_not_finite_are_named(capsys):
    one, x = network(Breaks(10**9, name="takes")), X.copy()  # a layer of one's own may be for such data: fit takes them
    x[2, 1] = np.nan
    one.fit(x, X, verbose=0, callbacks=TerminateOnNaN())
    assert "the first that is not finite is the data" in capsys.readouterr().out


def test_a_training_in_which_all_is_well_has_the_same_bits_with_it():
    found = []
    for callbacks in ([], [TerminateOnNaN()]):
        fc.utils.set_random_seed(3)
        one = network(Breaks(10**9, name="breaks"))
        one.fit(X, X, batch_size=4, epochs=3, verbose=0, callbacks=callbacks)
        found.append(one.get_weights())
    assert same(*found)


def test_a_step_that_a_callback_is_against_is_not_taken_and_not_counted():
    one = model()
    before = one.get_weights()
    one.fit(X, X, batch_size=4, verbose=0, callbacks=LambdaCallback(on_gradients=lambda segments: False))
    assert same(one.get_weights(), before)
    assert one.optimizer.iterations == 0
