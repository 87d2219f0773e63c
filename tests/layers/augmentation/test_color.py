"""Layers that change colours: what they draw, beside the standard library and the definitions, and what is refused."""

import colorsys

import numpy as np
import pytest
from scipy import stats

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call
from fastcnn.operations.augmentation.draws import Draws

X = np.random.default_rng(0).uniform(0, 255, (6, 5, 4, 3)).astype(np.float32)

STILL = {
    "RandomBrightness": lambda: layers.RandomBrightness(0), "RandomContrast": lambda: layers.RandomContrast(0.0),
    "RandomGrayscale": lambda: layers.RandomGrayscale(0.0), "RandomRGBShift": lambda: layers.RandomRGBShift(0),
    "RandomPCAColor": lambda: layers.RandomPCAColor(0), "RandomHue": lambda: layers.RandomHue(0),
    "RandomSaturation": lambda: layers.RandomSaturation((0.5, 0.5)),
    "RandomColorJitter": lambda: layers.RandomColorJitter((0, 255), 0, 0.0, (0.5, 0.5), 0.0),
    "nothing": layers.RandomColorJitter,
}  # fmt: skip


@pytest.mark.parametrize("name", STILL)
def test_no_strength_gives_equal_bits(name):
    layer = STILL[name]()
    np.testing.assert_array_equal(layer(X), X)
    dy = np.random.default_rng(1).standard_normal(X.shape).astype(np.float32)
    np.testing.assert_array_equal(layer.forward(X)[1](dy), dy)
    np.testing.assert_array_equal(layer({"images": X, "segmentation_masks": X})["segmentation_masks"], X)


def test_each_image_has_a_change_of_its_own_that_its_place_and_the_step_decide():
    for layer in (layers.RandomBrightness(0.3, seed=1), layers.RandomContrast(0.9, seed=1),
                  layers.RandomRGBShift(0.2, seed=1), layers.RandomPCAColor(seed=1), layers.RandomHue(0.5, seed=1),
                  layers.RandomSaturation(0.9, seed=1), layers.RandomColorJitter((0, 255), 0.2, 0.3, 0.4, 0.1, seed=1)):
        same = np.repeat(X[:1], 6, axis=0)
        whole = layer.forward(same, Call(step=4))[0].copy()
        assert len({one.tobytes() for one in whole}) == 6
        np.testing.assert_array_equal(layer.forward(same[:2], Call(step=4))[0], whole[:2])
        assert (layer.forward(same, Call(step=5))[0] != whole).any(axis=(1, 2, 3)).all()


def test_what_is_drawn_lies_in_its_range():
    x = np.full((3000, 1, 1, 3), [100.0, 50.0, 150.0])
    added = layers.RandomBrightness((-0.1, 0.2), seed=1, dtype="float64")(x)[:, 0, 0, 0] - 100
    assert stats.kstest(added, stats.uniform(-25.5, 76.5).cdf).pvalue > 1e-4
    two = np.concatenate([x, x + 40], axis=1)
    k = np.diff(layers.RandomContrast((0.2, 0.6), seed=1, dtype="float64")(two)[:, :, 0, 0], axis=1)[:, 0] / 40
    assert stats.kstest(k, stats.uniform(0.8, 0.8).cdf).pvalue > 1e-4
    gray = layers.RandomGrayscale(0.3, seed=1)(x)
    assert stats.binomtest(int((gray[:, 0, 0, 0] == gray[:, 0, 0, 1]).sum()), 3000, 0.3).pvalue > 1e-4
    shifts = layers.RandomRGBShift(0.1, seed=1, dtype="float64")(x)[:, 0, 0] - x[:, 0, 0]
    for channel in shifts.T:
        assert stats.kstest(channel, stats.uniform(-25.5, 51).cdf).pvalue > 1e-4
    assert np.abs(np.corrcoef(shifts.T)[np.triu_indices(3, 1)]).max() < 0.09


def test_pca_colour_has_the_covariance_of_its_components():
    x = np.full((40_000, 1, 1, 3), 100.0)
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    layer = layers.RandomPCAColor(0.5, (0, 255), [0.05, 0.02, 0.01], rotation, seed=1, dtype="float64")
    added = (layer(x)[:, 0, 0] - 100) / 255
    want = rotation @ np.diag(np.array([0.05, 0.02, 0.01]) ** 2) @ rotation.T * 0.25
    np.testing.assert_allclose(np.cov(added.T), want, atol=0.03 * want.max())


@pytest.mark.parametrize("turn", [-0.5, -0.13, 0.3])
@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 2.5])
def test_hue_and_saturation_are_those_of_the_standard_library(turn, factor):
    layer = layers.RandomSaturation((factor / (1 + factor),) * 2, (0, 1), dtype="float64")
    hue = layers.RandomHue((2 * abs(turn),) * 2, (0, 1), dtype="float64", seed=3)
    x = np.random.default_rng(4).uniform(0, 1, (1, 40, 3, 3))
    both = [np.sign(one.turns[0, 0]) for one in hue.changes(Draws(Call(step=1).key(3), np.arange(1)), (40, 3, 3))]
    y = layer(hue(x))
    for pixel, got in zip(x.reshape(-1, 3), y.reshape(-1, 3), strict=True):
        h, s, v = colorsys.rgb_to_hsv(*pixel)
        want = colorsys.hsv_to_rgb((h + both[0] * abs(turn)) % 1, min(1, s * factor), v)
        np.testing.assert_allclose(got, want, atol=1e-9)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.RandomBrightness(2), "expected factor to be a number or two, from -1 to 1, got 2"),
    (lambda: layers.RandomBrightness(0.1, (1, 1)), r"expected value_range to be two numbers such as \(0, 255\)"),
    (lambda: layers.RandomBrightness(0.1, 255), "expected value_range"),
    (lambda: layers.RandomContrast(-0.1), "from 0 to 1, got -0.1"),
    (lambda: layers.RandomContrast((0.1, 0.2, 0.3)), "expected factor to be a number or two, from 0 to 1"),
    (lambda: layers.RandomGrayscale(1.1), "expected a factor from 0 to 1, got 1.1"),
    (lambda: layers.RandomSaturation(1.2), "from 0 to 1, got 1.2"),
    (lambda: layers.RandomHue((0.1, "a")), "from 0 to 1"),
    (lambda: layers.RandomPCAColor(-1), "expected a factor of at least 0"),
    (lambda: layers.RandomPCAColor(scales=[1, 2]), "expected three scales and 3 x 3 components"),
    (lambda: layers.RandomColorJitter(hue_factor=3), "from 0 to 1, got 3"),
    (lambda: layers.RandomHue(0.1).build((None, 4, 4, 1)), "expected images of 3 channels, red, green and blue, got 1"),
    (lambda: layers.RandomGrayscale().build((None, 4, 4, 2)), "expected images of 3 channels"),
    (lambda: layers.RandomColorJitter(saturation_factor=0.1).build((None, 4, 4, 1)), "expected images of 3 channels"),
])  # fmt: skip
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
