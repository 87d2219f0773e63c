"""Tones of images beside their twin."""

import numpy as np
import pytest

from fastcnn.kernels.cpu.augmentation.tones import tone_images, tone_images_backward
from fastcnn.kernels.tone_codes import EQUALIZED, POSTERIZED, SAME, SHARPENED, SOLARIZED
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    unwritten,
)

types = pytest.mark.parametrize("dtype", TYPES)
CODES = np.array([SAME, POSTERIZED, SOLARIZED, EQUALIZED, SHARPENED, POSTERIZED, SOLARIZED])
DRAWN = np.array([[0, 0], [3, 0], [40.25, 120.1], [0, 0], [1.6, 0], [8, 0], [0, 0.0]])


def run(x, bounds):
    y, tables = unwritten(*x.shape, dtype=x.dtype), unwritten(len(x), x.shape[3], 256)
    with inputs_unchanged(x, CODES, DRAWN, bounds):
        tone_images(y, tables, x, CODES[:len(x)], DRAWN[:len(x)], bounds)
    return y


@types
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bounds", [(0.0, 255.0), (-1.0, 3.0)], ids=str)
def test_tones_agree_with_their_twin(bounds, channels, dtype):
    t = np.random.default_rng(0).integers(-20, 280, (7, 9, 8, channels)) + 0.5  # not on a step, where rounding decides
    t[3, ..., 0] = 77.5
    bounds = np.array(bounds)
    x = (bounds[0] + t / 255 * (bounds[1] - bounds[0])).astype(dtype)
    assert_close(run(x, bounds), reference.tone_images(x, CODES, DRAWN, bounds), factor=4)
    dy, dx = random(*x.shape, dtype=dtype, seed=1), unwritten(*x.shape, dtype=dtype)
    tone_images_backward(dx, dy, x, CODES, DRAWN, bounds)
    want = reference.tone_images_backward(dy, x, CODES, DRAWN, bounds)
    np.testing.assert_allclose(dx, want, atol=1e-5 if dtype == np.float32 else 1e-8)


def test_no_images_and_one_pixel_have_tones_as_well():
    assert run(np.zeros((0, 3, 3, 3)), np.array([0.0, 255.0])).shape == (0, 3, 3, 3)
    one = np.full((7, 1, 1, 1), 100.0)
    np.testing.assert_allclose(run(one, np.array([0.0, 255.0])),
                               reference.tone_images(one, CODES, DRAWN, np.array([0.0, 255.0])))


def test_tones_give_the_same_bits_from_any_number_of_threads():
    x = np.random.default_rng(0).uniform(0, 255, (25, 40, 40, 3)).astype(np.float32)
    codes, drawn = np.tile(np.arange(5), 5), np.full((25, 2), 3.0)

    def all_of_it():
        y, dx = np.empty_like(x), np.empty_like(x)
        tone_images(y, np.empty((25, 3, 256)), x, codes, drawn, np.array([0.0, 255.0]))
        tone_images_backward(dx, y, x, codes, drawn, np.array([0.0, 255.0]))
        return y, dx

    assert_same_bits(all_of_it)


def test_tones_compile_once_a_type():
    for dtype in TYPES:
        x = np.zeros((1, 2, 2, 3), dtype)
        run(x, np.array([0.0, 255.0]))
        tone_images_backward(x.copy(), x, x, CODES[:1], DRAWN[:1], np.array([0.0, 255.0]))
    assert_one_specialization_a_type(tone_images, tone_images_backward)
