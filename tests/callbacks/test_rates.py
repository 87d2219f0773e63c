"""ReduceLROnPlateau and LearningRateScheduler set the learning rate, unless a schedule does."""

import numpy as np
import pytest

from fastcnn.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import SGD
from fastcnn.optimizers.schedules import ExponentialDecay
from tests.callbacks.models import X, model, train


def test_the_rate_falls_where_nothing_gets_better(capsys):
    reduce = ReduceLROnPlateau("scripted", factor=0.5, patience=2, mode="min", cooldown=1, min_lr=0.003, verbose=1)
    one, script, history = train([3, 3, 3, 3, 3, 3, None, 3, 3], reduce)
    expected = [0.01, 0.01, 0.01, 0.005, 0.005, 0.003, 0.003, 0.003, 0.003]
    assert script.rates == expected
    assert history["learning_rate"] == expected, "what each epoch was trained with"
    assert one.optimizer.learning_rate == 0.003
    assert capsys.readouterr().out.strip().startswith("Epoch 3: ReduceLROnPlateau reducing learning rate to 0.005.")


def test_a_plateau_goes_on_from_its_state():
    first, second = (ReduceLROnPlateau("scripted", factor=0.5, patience=3, mode="min") for _ in range(2))
    train([3, 3, 3], first)
    second.set_model(one := model())
    second.check(["scripted"])
    second.on_train_begin({})
    second.set_state(first.get_state())
    second.on_epoch_end(3, {"scripted": 3.0})
    assert one.optimizer.learning_rate == 0.005


@pytest.mark.parametrize("schedule", [lambda epoch: 0.1 / (epoch + 1), lambda epoch, rate: [0.1, 0.05, 0.1 / 3][epoch],
                                      lambda epoch: np.float32(0.1 / (epoch + 1))])
def test_a_function_of_the_epoch_says_the_rate(schedule):
    _, script, history = train([1, 1, 1], LearningRateScheduler(schedule))
    assert history["learning_rate"] == pytest.approx([0.1, 0.05, 0.1 / 3], rel=1e-6)
    assert len(script.rates) == 3


def test_a_schedule_of_the_optimizers_counts_epochs_here(capsys):
    _, _, history = train([1, 1, 1], LearningRateScheduler(ExponentialDecay(0.1, 1, 0.5), verbose=1))
    assert history["learning_rate"] == [0.1, 0.05, 0.025]
    assert "Epoch 2: LearningRateScheduler setting learning rate to 0.05." in capsys.readouterr().out


@pytest.mark.parametrize("callback", [LearningRateScheduler(lambda epoch: 0.1), ReduceLROnPlateau("loss")])
@pytest.mark.parametrize("rate", [ExponentialDecay(0.1, 1, 0.5), lambda: 0.1], ids=["a schedule", "a function"])
def test_one_of_two_says_the_rate(callback, rate):
    one = model(SGD(rate))
    with pytest.raises(ArgumentError, match=f"^{type(callback).__name__}: expected an optimizer whose"):
        one.fit(X, X, verbose=0, callbacks=callback)
    assert one.optimizer.iterations == 0


def test_what_they_report_can_be_monitored():
    stop = EarlyStopping("learning_rate", mode="max", patience=1)
    _, script, _ = train([1, 1, 1, 1], LearningRateScheduler(lambda epoch: [1e-3, 2e-3, 1e-3, 1e-3][epoch]), stop)
    assert len(script.weights) == 3


@pytest.mark.parametrize(("made", "message"), [
    (lambda: ReduceLROnPlateau(factor=1.0), "expected a factor from 0 to below 1, got 1.0"),
    (lambda: ReduceLROnPlateau(factor=-0.5), "expected a factor from 0 to below 1, got -0.5"),
    (lambda: LearningRateScheduler(0.1), "expected a function of the epoch, got 0.1"),
    (lambda: train([1], LearningRateScheduler(lambda epoch: "much")), "a number from 0 for epoch 0, got 'much'"),
    (lambda: train([1], LearningRateScheduler(lambda epoch: float("nan"))), "a number from 0 for epoch 0, got nan"),
    (lambda: train([1], LearningRateScheduler(lambda epoch: -1.0)), "a number from 0 for epoch 0, got -1.0"),
])  # fmt: skip
def test_what_is_no_rate_is_refused(made, message):
    with pytest.raises(ArgumentError, match=message):
        made()
