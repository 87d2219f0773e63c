"""How many steps a time allows: measured by what stands in for the clock, and nothing is left of the measuring."""

import time

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.callbacks import StopAtStep
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import SGD
from tests.models.test_rate_sweep import X, Y, everything, network


class Slow:
    """Twelve batches by number. Each takes so many seconds of a clock that stands still otherwise."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.seconds = 0.0, seconds
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def __len__(self):
        return 12

    def __getitem__(self, number):
        self.now += self.seconds
        return X[number::12], Y[number::12]


class Held(Slow):
    def __len__(self):
        return 3


def test_steps_and_validations_fill_the_time_that_measuring_has_left(monkeypatch):
    data = Slow(monkeypatch, 0.5)
    plain = fc.step_budget(network(SGD()), data, minutes=10)
    assert plain.seconds_per_step == pytest.approx(0.5, rel=0.15)  # the first batch of a pass is taken before it
    used, data.now = data.now, 0.0
    assert 600 - used - 1 < plain.steps * plain.seconds_per_step <= 600 - used
    assert plain.epochs == -(-plain.steps // 12)

    held = Held(monkeypatch, 2.0)
    data.seconds, data.now = 0.5, 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: data.now + held.now)
    found = fc.step_budget(network(SGD()), data, minutes=10, validation_data=held)
    assert found.seconds_per_epoch == pytest.approx(6.0, rel=0.2)  # so is that of the first validation
    spent = found.steps * found.seconds_per_step + found.epochs * found.seconds_per_epoch
    assert 600 - data.now - held.now - 7 < spent <= 600 - data.now - held.now


def test_a_beginning_that_was_before_counts_and_a_time_that_is_over_leaves_one_step(monkeypatch):
    data = Slow(monkeypatch, 0.5)
    data.now = 1000.0
    whole = fc.step_budget(network(SGD()), data, minutes=10)
    data.now = 1000.0
    half = fc.step_budget(network(SGD()), data, minutes=10, since=700.0)
    assert whole.steps / 2 - 20 < half.steps < whole.steps / 2 + 20
    data.now = 1000.0
    over = fc.step_budget(network(SGD()), data, minutes=10, since=100.0)
    assert (over.steps, over.epochs) == (1, 1)


@pytest.mark.parametrize("ema", [False, True])
def test_what_follows_is_as_if_it_had_not_been(ema):
    found = []
    for looks in (False, True):
        fc.utils.set_random_seed(5)
        one = network(SGD(0.05, momentum=0.9, use_ema=ema))
        before = everything(one)
        if looks:
            fc.step_budget(one, X, Y, batch_size=32, validation_data=(X[:5], Y[:5]), minutes=1e-3)
        for a, b in zip(before, everything(one), strict=True):
            np.testing.assert_equal(b, a)
        one.fit(X, Y, batch_size=32, epochs=2, verbose=0)
        found.append(one.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_stops_at_a_step_within_an_epoch_and_validates_there():
    one, other = (fc.Sequential([fc.Input((4,)), layers.Dense(2, kernel_initializer="zeros")]) for _ in range(2))
    for model in (one, other):
        model.compile("sgd", "mse")
    history = one.fit(X, Y, batch_size=32, epochs=9, shuffle=False, verbose=0, validation_data=(X, Y),
                      callbacks=StopAtStep(5)).history
    assert one.optimizer.iterations == 5
    assert len(history["val_loss"]) == 2
    for part in (*range(3), *range(2)):
        other.train_on_batch(X[32 * part : 32 * part + 32], Y[32 * part : 32 * part + 32])
    np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    assert history["val_loss"][-1] == one.evaluate(X, Y)


@pytest.mark.parametrize(("given", "message"), [
    ({"minutes": 0}, "expected positive minutes, got 0"), ({"minutes": float("inf")}, "expected positive minutes"),
    ({"minutes": "10"}, "expected positive minutes, got '10'"),
    ({"minutes": 1, "epochs": 3}, "expected no epochs; it trains as long as measuring takes")])
def test_what_is_no_time_is_refused(given, message):
    with pytest.raises(ArgumentError, match=message):
        fc.step_budget(network(SGD()), X, Y, **given)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ArgumentError, match="step_budget: expected a model that is built and compiled"):
        fc.step_budget(fc.Sequential([layers.Dense(2)]), X, Y, minutes=1)
    with pytest.raises(ArgumentError, match="data that can be gone through again, got an iterator"):
        fc.step_budget(network(SGD()), iter([(X, Y)]), minutes=1)
    for wrong in (0, 1.5, True):
        with pytest.raises(ArgumentError, match="StopAtStep: expected steps to be a positive integer"):
            StopAtStep(wrong)
