"""Layers that change pictures beside Keras's on PyTorch: the same change of the same picture."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from fastcnn import layers  # noqa: E402

X = np.random.default_rng(0).uniform(0, 255, (3, 11, 9, 3)).astype(np.float32)

#: Of numbers up to 255: float32's rounding in a sum of four products, with weights whose places are float32 in Keras.
CLOSE = {"rtol": 0, "atol": 2e-3}


@pytest.mark.parametrize("arguments", [
    {}, {"interpolation": "nearest"}, {"interpolation": "bicubic"}, {"antialias": True},
    {"interpolation": "bicubic", "antialias": True}, {"crop_to_aspect_ratio": True},
    {"pad_to_aspect_ratio": True, "fill_value": 7.0}, {"crop_to_aspect_ratio": True, "interpolation": "nearest"},
], ids=str)
@pytest.mark.parametrize("size", [(5, 4), (22, 9), (7, 23), (11, 9), (1, 30)])
def test_resizing_agrees_with_keras(size, arguments):
    theirs = keras.layers.Resizing(*size, **arguments)(X)
    np.testing.assert_allclose(layers.Resizing(*size, **arguments)(X), theirs.numpy(), **CLOSE)


@pytest.mark.parametrize("size", [(5, 4), (4, 5), (11, 9), (11, 2), (20, 20), (5, 30), (30, 3)])
def test_the_middle_agrees_with_keras(size):
    theirs = keras.layers.CenterCrop(*size)(X)
    np.testing.assert_allclose(layers.CenterCrop(*size)(X), theirs.numpy(), **CLOSE)
