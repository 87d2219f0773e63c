"""Schedules: fastcnn's own formulas, warm-up before any, epochs counted in the place of steps."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import SGD, schedules
from tests.callbacks.models import X, model


def test_one_over_the_root():
    rate = schedules.InverseSquareRootDecay(0.4, 5)
    assert [rate(step) for step in (0, 15, 40)] == pytest.approx([0.4, 0.2, 0.4 / 3], rel=1e-15)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_rises_once_and_falls_once(strategy):
    rate = schedules.OneCycle(1.0, 50, pct_start=0.2, div_factor=10, final_div_factor=100, anneal_strategy=strategy)
    rates = [rate(step) for step in range(50)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == pytest.approx(1.0)
    assert rates[49] == pytest.approx(0.001)
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[9:]) < 0).all()
    assert rate(70) == rates[49]
    assert schedules.OneCycle(1.0, 5, pct_start=0.0)(0) < 1.0
    assert schedules.OneCycle(1.0, 1)(0) == pytest.approx(0.04 / 1e4)


def test_any_schedule_is_warmed_up():
    decay = schedules.ExponentialDecay(0.8, 1, 0.5)
    rate = schedules.WarmUp(decay, 4, start=0.5)
    assert [rate(step) for step in range(7)] == pytest.approx([0.4, 0.5, 0.6, 0.7, 0.8, 0.4, 0.2])
    assert [schedules.WarmUp(0.1, 2)(step) for step in range(4)] == pytest.approx([0, 0.05, 0.1, 0.1])


class Rates(fc.callbacks.Callback):
    def __init__(self):
        self.seen = []

    def on_train_batch_begin(self, batch, logs):
        self.seen.append(self.model.optimizer.learning_rate)


@pytest.mark.parametrize(("schedule", "expected"), [
    (schedules.ExponentialDecay(1e-2, 1, 0.5), [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
    (schedules.ByEpoch(schedules.ExponentialDecay(1e-2, 1, 0.5)), [1, 1, 0.5, 0.5, 0.25, 0.25]),
    (schedules.ByEpoch(schedules.InverseSquareRootDecay(1e-2)), [1, 1, 2**-0.5, 2**-0.5, 3**-0.5, 3**-0.5]),
    (schedules.ByEpoch(schedules.WarmUp(1e-2, 2)), [0, 0, 0.5, 0.5, 1, 1]),
    (schedules.WarmUp(schedules.ByEpoch(schedules.ExponentialDecay(1e-2, 1, 0.5)), 2), [0, 0.5, 0.5, 0.5, 0.25, 0.25]),
])  # fmt: skip
def test_a_training_counts_steps_or_epochs(schedule, expected):
    whole, later = Rates(), Rates()
    one = model(SGD(schedule))
    one.fit(X, X, batch_size=6, epochs=2, verbose=0, callbacks=whole)
    one.fit(X, X, batch_size=6, epochs=3, initial_epoch=2, verbose=0, callbacks=later)
    assert [*whole.seen, *later.seen] == pytest.approx([1e-2 * rate for rate in expected])


def test_schedules_of_schedules_go_through_files():
    rate = schedules.WarmUp(schedules.ByEpoch(schedules.OneCycle(0.1, 20)), 5)
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(rate))))
    assert repr(again) == repr(rate)
    assert again.at(7, 3) == rate.at(7, 3)
    optimizer = fc.optimizers.get(json.loads(json.dumps(fc.optimizers.serialize(SGD(rate)))))
    optimizer.epoch, optimizer.iterations = 3, 7
    assert optimizer.learning_rate == rate.at(7, 3)
    assert SGD(rate).get_config().keys() == SGD(0.1).get_config().keys()


@pytest.mark.parametrize(("made", "message"), [
    (lambda: schedules.InverseSquareRootDecay(0.1, 0), "Decay: expected a positive decay_steps, got 0"),
    (lambda: schedules.OneCycle(0.1, 0), "OneCycle: expected a positive total_steps, got 0"),
    (lambda: schedules.OneCycle(0.1, 9, pct_start=1.5), "OneCycle: expected a pct_start from 0 to 1, got 1.5"),
    (lambda: schedules.OneCycle(0.1, 9, anneal_strategy="sine"), "anneal_strategy: 'sine' is not known; .*cos, linear"),
    (lambda: schedules.WarmUp("cosine", 9), "WarmUp: expected a schedule or a number from 0, got 'cosine'"),
    (lambda: schedules.WarmUp(0.1, 0), "WarmUp: expected a positive warmup_steps, got 0"),
    (lambda: schedules.ByEpoch(0.1), "ByEpoch: expected a schedule, got 0.1"),
])  # fmt: skip
def test_what_is_no_schedule_is_refused(made, message):
    with pytest.raises(ArgumentError, match=message):
        made()
