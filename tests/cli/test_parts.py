"""What the commands compute themselves: figures of a test, standard images, learning rates, shapes of inputs."""

from types import SimpleNamespace

import click
import numpy as np
import pytest

from fastcnn.cli import _values
from fastcnn.cli._data import Standard
from fastcnn.cli._report import as_probabilities, measure
from fastcnn.cli._schedule import RateSchedule


def test_measures_are_those_of_the_definitions():
    y = np.array([0, 0, 0, 1, 1, 2])
    called = np.array([0, 0, 1, 1, 0, 0])
    report = measure(np.eye(4)[called] * 0.9 + 0.025, y)
    assert report.accuracy == 0.5
    np.testing.assert_allclose(report.precision, [2 / 4, 1 / 2, np.nan, np.nan])
    np.testing.assert_allclose(report.recall, [2 / 3, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(report.f1, [4 / 7, 1 / 2, 0, np.nan])
    assert report.images.tolist() == [3, 2, 1, 0]
    assert report.loss == pytest.approx(-(3 * np.log(0.925) + 3 * np.log(0.025)) / 6)


def test_measures_agree_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(5), 200), rng.integers(0, 5, 200)
    report = measure(p, y)
    expected = metrics.precision_recall_fscore_support(y, p.argmax(1))
    for got, wanted in zip((report.precision, report.recall, report.f1, report.images), expected, strict=True):
        np.testing.assert_allclose(got, wanted)
    assert report.loss == pytest.approx(metrics.log_loss(y, p))


def test_outputs_that_are_no_probabilities_become_some():
    logits = np.array([[1000.0, 1000.0, -5.0], [0.0, 1.0, 2.0]])
    p = as_probabilities(logits)
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_allclose(p[0], [0.5, 0.5, 0])
    assert as_probabilities(p) is p


def test_standard_images_have_mean_0_and_variance_1_in_every_channel():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 200, (2500, 4, 4, 3), dtype=np.uint8)
    x[..., 1] //= 3
    x[..., 2] = 7
    standard = Standard.of(x, 255.0)
    out = standard.images(x, 255.0)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.mean(axis=(0, 1, 2), dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(out.std(axis=(0, 1, 2), dtype=np.float64), [1, 1, 0], atol=1e-6)  # the last is one value
    np.testing.assert_allclose(Standard.saved_in(standard._asdict()).images(x, 255.0), out)
    np.testing.assert_allclose(Standard.saved_in({}).images(x, 255.0), x / 255, rtol=1e-6)


def test_the_learning_rate_stays_and_then_falls_to_zero():
    cool_down = RateSchedule("cooldown", 0.1)
    cool_down.set_params({"epochs": 2, "steps": 4})
    cool_down.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=None)))
    rates = []
    for _ in range(2):
        for batch in range(4):
            cool_down.on_train_batch_begin(batch, {})
            rates.append(cool_down.model.optimizer.learning_rate)
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.1, 0.075, 0.05, 0.025])


def test_shapes_of_inputs_are_for_the_only_one_or_each_for_its_own():
    read = lambda *given: _values.input_shapes([_values.InputShape().convert(one, None, None) for one in given])
    assert read() is None
    assert read("3,224,224") == (3, 224, 224)
    assert read("x=3, 8,8", "a=b=5") == {"x": (3, 8, 8), "a=b": (5,)}
    for wrong in ("3,0,4", "x=", "", "3;4", "3,-4"):
        with pytest.raises(click.BadParameter, match="expected positive integers"):
            read(wrong)
    with pytest.raises(click.UsageError, match="with no name"):
        read("3,4,4", "x=3,4,4")
