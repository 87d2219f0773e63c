"""Layers that are frozen for some epochs: what moves, what goes on, and that it is as two trainings in a row."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.callbacks import BackupAndRestore, Callback, FreezeLayers
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import SGD, Adam, MultiOptimizer, OptimizerMap

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((24, 4)).astype("float32"), RNG.standard_normal((24, 2)).astype("float32")


def network(optimizer=None):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((4,)), layers.Dense(8, activation="relu", name="below_1"),
                           layers.BatchNormalization(name="below_bn", momentum=0.5), layers.Dense(2, name="head")])
    model.compile(Adam(0.01) if optimizer is None else optimizer, "mse")
    return model


def fit(model, *callbacks, epochs=4, **more):
    return model.fit(X, Y, batch_size=8, verbose=0, callbacks=list(callbacks), epochs=epochs, **more)


def weights(model):
    return {p.path: p.numpy() for p in model.weights}


class Watch(Callback):
    """Keeps the weights at the end of each epoch."""

    def on_train_begin(self, logs):
        self.kept = []

    def on_epoch_end(self, epoch, logs):
        self.kept.append(weights(self.model))


def moved(one, other):
    return {path for path in one if not np.array_equal(one[path], other[path])}


@pytest.mark.fast
def test_frozen_layers_keep_weights_and_statistics_until_their_epochs_are_over():
    model, watch = network(), Watch()
    before = weights(model)
    fit(model, FreezeLayers("below*", epochs=2), watch)
    head = {"head/kernel", "head/bias"}
    assert moved(before, watch.kept[0]) == moved(watch.kept[0], watch.kept[1]) == head
    assert moved(watch.kept[1], watch.kept[2]) == set(before)
    assert all(layer.trainable for layer in model.layers)


def test_all_epochs_are_meant_where_no_number_is_given_and_layers_that_were_frozen_stay_so():
    model = network()
    model.get_layer("below_bn").trainable = False
    before = weights(model)
    fit(model, FreezeLayers(model.get_layer("below_1")))
    assert moved(before, weights(model)) == {"head/kernel", "head/bias"}
    assert [layer.trainable for layer in model.layers] == [True, False, True]


@pytest.mark.parametrize("make", [
    lambda: Adam(0.01), lambda: SGD(0.05, momentum=0.9),
    lambda: MultiOptimizer(OptimizerMap(SGD(0.05), {"below.*": Adam(0.01)}))], ids=["Adam", "SGD", "MultiOptimizer"])
def test_it_is_what_two_trainings_with_an_optimizer_each_are(make):
    one, two = network(make()), network(make())
    fit(one, FreezeLayers("below*", epochs=2))
    two.trainable = True
    for name in ("below_1", "below_bn"):
        two.get_layer(name).trainable = False
    fit(two, epochs=2)
    for layer in two.layers:
        layer.trainable = True
    two.compile(make(), "mse")
    fit(two, epochs=4, initial_epoch=2)
    for path, value in weights(two).items():
        np.testing.assert_array_equal(value, weights(one)[path], err_msg=path)


class Stop(Callback):
    """Ends a training as a kill does, at a step."""

    def __init__(self, step):
        self.left = step

    def on_train_batch_begin(self, batch, logs):
        if self.left == 0:
            raise RuntimeError("stopped")
        self.left -= 1


@pytest.mark.parametrize("step", [4, 6, 7, 9, 11])
def test_what_was_stopped_before_in_or_after_the_epoch_of_unfreezing_goes_on_to_the_same_bits(tmp_path, step):
    def made():
        return network(Adam(0.01, use_ema=True, ema_momentum=0.9))

    def backup():
        return BackupAndRestore(tmp_path / "backup", save_freq=1, delete_checkpoint=False)

    whole, model = made(), made()
    fit(whole, FreezeLayers("below*", epochs=2))
    with pytest.raises(RuntimeError, match="stopped"):
        fit(model, FreezeLayers("below*", epochs=2), Stop(step), backup())
    assert all(layer.trainable for layer in model.layers)  # also where it does not come to its end
    again = made()
    fit(again, FreezeLayers("below*", epochs=2), Stop(-1), backup())
    for path, value in weights(whole).items():
        np.testing.assert_array_equal(value, weights(again)[path], err_msg=path)


def test_an_average_of_weights_that_were_frozen_begins_with_them():
    model = network(SGD(1e-6, use_ema=True, ema_momentum=0.999))
    before = weights(model)
    fit(model, FreezeLayers("below*", epochs=2))
    np.testing.assert_allclose(weights(model)["below_1/kernel"], before["below_1/kernel"], atol=1e-4)


@pytest.mark.parametrize(("given", "message"), [
    ("bellow*", "FreezeLayers: layer: 'bellow\\*' is not known; did you mean .*known are below_1, below_bn, head"),
    (["below*", "head"], "expected something that is left to be trained"),
    ("*", "expected something that is left to be trained"),
    (layers.Dense(3), "expected layers of Sequential .*, or patterns of their names, got <Dense"),
    (3, "expected layers of .*, got 3")])
def test_what_cannot_be_frozen_is_told_before_the_first_step(given, message):
    model = network()
    with pytest.raises(ArgumentError, match=message):
        fit(model, FreezeLayers(given))
    assert model.optimizer.iterations == 0
    assert all(layer.trainable for layer in model.layers)


@pytest.mark.parametrize("epochs", [0, -1, 1.5, "all"])
def test_epochs_are_a_positive_integer(epochs):
    with pytest.raises(ArgumentError, match="FreezeLayers: expected epochs to be a positive integer"):
        FreezeLayers("below*", epochs=epochs)


def test_patterns_mean_layers_inside_other_models_by_their_names_and_by_paths():
    inner = fc.Sequential([fc.Input((4,)), layers.Dense(3, name="deep"), layers.Dense(3, name="deeper")], name="all")
    for pattern, frozen in (("deep", ["deep"]), ("all/deep*", ["deep", "deeper"]), ("all", ["deep", "deeper"])):
        inputs = fc.Input((4,))
        model = fc.Model(inputs, layers.Dense(2, name="head")(inner(inputs)))
        model.compile("sgd", "mse")
        before = weights(model)
        fit(model, FreezeLayers(pattern), epochs=1)
        still = set(before) - moved(before, weights(model))
        assert {path.split("/")[-2] for path in still} == set(frozen), pattern


def test_a_restarted_optimizer_steps_as_a_new_one_and_its_state_goes_on():
    one, other = network(Adam(0.01)), network(Adam(0.01))
    fit(one, epochs=2)
    other.set_weights(one.get_weights())
    one.optimizer.restart()
    state = one.optimizer.get_state()
    assert state["restarted_at"] == one.optimizer.iterations == 6
    for model in (one, other):
        model.train_on_batch(X, Y)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    third = network(Adam(0.01))
    third.train_on_batch(X, Y)
    third.optimizer.set_state(one.optimizer.get_state())
    assert third.optimizer.updates == one.optimizer.updates == 1
