"""Snapshot ensembles: the rate in each step, what is kept at the end of a cycle, and goings-on."""

import math

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.callbacks import BackupAndRestore, Callback, Snapshots
from fastcnn.errors import ArgumentError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 4)).astype("float32"), RNG.integers(0, 3, 20)


def network(rate=0.2):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((4,)), layers.Dense(8, activation="relu", name="hidden"),
                           layers.Dense(3, activation="softmax", name="scores")], name="model")
    model.compile(fc.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy")
    return model


class Rates(Callback):
    """Keeps the rate and the weights of each step; ends training as a kill does before some step."""

    def __init__(self, stop=-1):
        self.rates, self.kept, self.left = [], [], stop

    def on_train_batch_begin(self, batch, logs):
        if self.left == 0:
            raise RuntimeError("stopped")
        self.left -= 1

    def on_train_batch_end(self, batch, logs):
        self.rates.append(float(self.model.optimizer.learning_rate))
        self.kept.append(self.model.get_weights())


def fit(model, *callbacks, epochs=4):
    return model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks))  # three steps an epoch


def test_the_rate_falls_along_a_cosine_in_each_cycle_and_the_models_at_their_ends_are_kept(tmp_path):
    model, heard = network(), Rates()
    snapshots = Snapshots(tmp_path / "new" / "{cycle}.safetensors", cycles=5)
    fit(model, snapshots, heard)
    ends = [2, 5, 7, 10, 12]  # of 12 steps, as even as can be
    expected = [0.1 * (math.cos(math.pi * k / length) + 1) for length in np.diff([0, *ends]) for k in range(length)]
    np.testing.assert_allclose(heard.rates, expected, rtol=1e-12)
    assert [path.name for path in snapshots.paths] == [f"{k}.safetensors" for k in range(1, 6)]
    for path, end in zip(snapshots.paths, ends, strict=True):
        for a, b in zip(fc.saving.load_model(path).get_weights(), heard.kept[end - 1], strict=True):
            np.testing.assert_array_equal(a, b)
    assert model.optimizer.learning_rate == 0.2
    together = fc.models.ensemble([fc.saving.load_model(path) for path in snapshots.paths])
    np.testing.assert_allclose(together.predict(X), np.mean(
        [fc.saving.load_model(path).predict(X) for path in snapshots.paths], axis=0), rtol=1e-5)


def test_a_rate_and_a_number_of_steps_may_be_said(tmp_path):
    model, heard = network(), Rates()
    snapshots = Snapshots(tmp_path / "{cycle}.safetensors", cycles=2, learning_rate=1.0, steps=8)
    fit(model, snapshots, heard)
    assert len(heard.rates) == 8
    assert heard.rates[0] == heard.rates[4] == 1.0
    assert len(snapshots.paths) == 2


@pytest.mark.parametrize("stop", [5, 6, 7, 11])
def test_what_was_stopped_goes_on_to_the_same_bits_and_files(tmp_path, stop):
    fit(network(), Snapshots(tmp_path / "whole-{cycle}.safetensors", cycles=2))
    for left in (stop, -1):
        model, snapshots = network(), Snapshots(tmp_path / "again-{cycle}.safetensors", cycles=2)
        backup = BackupAndRestore(tmp_path / "backup", save_freq=1, delete_checkpoint=False)
        if left > 0:
            with pytest.raises(RuntimeError, match="stopped"):
                fit(model, Rates(left), snapshots, backup)
            assert model.optimizer.learning_rate == 0.2
        else:
            fit(model, Rates(), snapshots, backup)
    for cycle in (1, 2):
        one, other = (tmp_path / f"{name}-{cycle}.safetensors" for name in ("whole", "again"))
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(("given", "message"), [
    ({"filepath": "s.safetensors", "cycles": 2}, "expected a filepath with the cycle, such as 'snapshot-{cycle}"),
    ({"filepath": "{epoch}.safetensors", "cycles": 2}, "expected a filepath with the cycle"),
    ({"filepath": "{cycle}.txt", "cycles": 2}, "expected a filepath with the cycle"),
    ({"filepath": "{cycle}.keras", "cycles": 1}, "expected cycles to be an integer from 2, got 1"),
    ({"filepath": "{cycle}.keras", "cycles": 2, "learning_rate": 0}, "expected learning_rate to be a positive number")])
def test_what_cannot_be_is_told_where_it_is_made(given, message):
    with pytest.raises(ArgumentError, match=f"Snapshots: {message}"):
        Snapshots(**given)


def test_what_does_not_fit_the_training_is_told_before_it(tmp_path):
    path = tmp_path / "{cycle}.safetensors"
    model = network()
    with pytest.raises(ArgumentError, match="expected at least a step for each of 13 cycles, got 12"):
        fit(model, Snapshots(path, cycles=13))
    with pytest.raises(ArgumentError, match="expected data whose number of batches is known"):
        model.fit(((X, Y) for _ in range(3)), callbacks=Snapshots(path, cycles=2), verbose=0)
    with pytest.raises(ArgumentError, match="expected an optimizer whose learning_rate is a number"):
        fit(network(fc.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)), Snapshots(path, cycles=2))
    assert model.optimizer.iterations == 0
    assert not list(tmp_path.iterdir())
