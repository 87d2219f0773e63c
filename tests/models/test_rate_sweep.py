"""The learning-rate finder: what it finds, and that nothing is left of it."""

import copy
import itertools

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import SGD, Adam
from fastcnn.optimizers.schedules import CosineDecay

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((96, 4)).astype("float32")
Y = (X @ DRAW.standard_normal((4, 2)) + 1).astype("float32")


def network(optimizer):
    one = fc.Sequential([fc.Input((4,)), layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.3),
                         layers.Dense(2)])
    one.compile(optimizer, "mse", metrics=["mae"])
    return one


def everything(one):
    """Return all that a later training depends on."""
    return [one.get_weights(), one.optimizer.get_state(), one.optimizer.get_config(), one.seed, one.optimizer.epoch,
            [m.get_config() for m in one.metrics], [m.result() for m in one.metrics], one.stop_training]


OPTIMIZERS = [lambda: SGD(0.05, momentum=0.9), lambda: Adam(0.01, use_ema=True), lambda: SGD(CosineDecay(0.05, 99)),
              lambda: SGD(0.05, momentum=0.9, gradient_accumulation_steps=2)]


@pytest.mark.parametrize("make", OPTIMIZERS, ids=["SGD", "Adam with averages", "a schedule", "accumulating"])
@pytest.mark.parametrize("trained", [0, 1])
def test_what_follows_is_as_if_it_had_not_been(make, trained):
    found = []
    for looks in (False, True):
        fc.utils.set_random_seed(5)
        one = network(make())
        one.fit(X, Y, batch_size=32, epochs=trained, verbose=0) if trained else None
        before, history = copy.deepcopy(everything(one)), one.history
        if looks:
            fc.lr_finder(one, X, Y, start=1e-4, end=10.0, steps=30)
        for a, b in zip(before, everything(one), strict=True):
            np.testing.assert_equal(b, a)
        assert one.history is history
        one.fit(X, Y, batch_size=32, epochs=2, verbose=0)
        found.append(one.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_loss_falls_most_steeply_where_it_suggests_and_divergence_ends_it():
    one = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    one.compile(SGD(), "mse")
    sweep = fc.lr_finder(one, X, Y, batch_size=96, start=1e-4, end=100.0, steps=120)
    assert len(sweep.rates) == len(sweep.losses) == len(sweep.smoothed) < 120
    np.testing.assert_allclose(sweep.rates[1:] / sweep.rates[:-1], (1e6) ** (1 / 119))
    assert 1e-3 < sweep.suggestion < 1.0
    one.optimizer.learning_rate = sweep.suggestion
    history = one.fit(X, Y, batch_size=96, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    assert sweep.losses[0] == pytest.approx(history[0], rel=1e-6), "the loss before the first step"
    assert sweep.smoothed[0] == sweep.losses[0]


def test_one_odd_batch_at_the_start_does_not_look_steep():
    """The first mean is of one loss; here its batch has targets that are far off, and the next falls by half of it."""
    one = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    one.compile(SGD(), "mse")
    batches = [(X[:8], Y[:8] + 5), *[(X[8 * k:8 * k + 8], Y[8 * k:8 * k + 8]) for k in range(1, 12)] * 12]
    assert fc.lr_finder(one, iter(batches), start=1e-4, end=10.0, steps=120).suggestion > 1e-3


def test_batches_of_an_iterable_are_as_good():
    one, batches = network(SGD()), [(X[:32], Y[:32]), (X[32:], Y[32:])]
    sweep = fc.lr_finder(one, itertools.cycle(batches), steps=10)
    assert len(sweep.rates) == 10
    assert fc.lr_finder(one, batches, steps=10).losses == pytest.approx(sweep.losses)


def test_ctrl_c_takes_it_back_too():
    one = network(SGD(0.05))
    before = one.get_weights()

    def pressed():
        yield X[:32], Y[:32]
        yield X[:32], Y[:32]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fc.lr_finder(one, pressed(), start=1e-2, steps=10)
    for a, b in zip(before, one.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.optimizer.iterations == 0
    assert one.optimizer.learning_rate == 0.05


def test_a_picture_shows_it(tmp_path):
    pytest.importorskip("matplotlib")
    fc.lr_finder(network(SGD()), X, Y, steps=5).plot(tmp_path / "rates.svg")
    assert "learning rate" in (tmp_path / "rates.svg").read_text() or (tmp_path / "rates.svg").stat().st_size > 1000


@pytest.mark.parametrize(("options", "message"), [
    ({"start": 0}, "expected 0 < start < end, got 0 and 1.0"), ({"end": 1e-9}, "expected 0 < start < end"),
    ({"steps": 2}, "expected at least 3 steps, got 2"), ({"steps": 2.5}, "expected at least 3 steps, got 2.5"),
    ({"start": 1e30, "end": 1e31}, "expected losses of at least 3 steps, got .*; training diverges at once"),
])  # fmt: skip
def test_what_cannot_be_swept_is_refused(options, message):
    one = network(SGD())
    with pytest.raises(ArgumentError, match=f"lr_finder: {message}"):
        fc.lr_finder(one, X, Y, **options)
    for unready in (fc.Sequential([layers.Dense(2)]), fc.Sequential([fc.Input((4,)), layers.Dense(2)])):
        with pytest.raises(ArgumentError, match="lr_finder: expected a model that is built and compiled"):
            fc.lr_finder(unready, X, Y)
