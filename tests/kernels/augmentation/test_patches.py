"""Boxes that are filled, images that are mixed and blurred, beside their twins."""

import numpy as np
import pytest

from fastcnn.kernels.cpu.augmentation.blur import blur
from fastcnn.kernels.cpu.augmentation.patches import fill_boxes, mix_images, mix_images_backward
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    slope,
    unwritten,
)

types = pytest.mark.parametrize("dtype", TYPES)
BOXES = np.array([[1, 0, 4, 3], [0, 0, 0, 0], [0, 2, 5, 6]])
WORDS = np.array([[3, 2**32 - 5], [77, 12], [2**31, 9]])
WEIGHTS = np.array([0.3, 1.0, 0.75])
PARTNERS = np.array([2, 0, 1])


def run(kernel, x, *arguments):
    y = unwritten(*x.shape, dtype=x.dtype)
    with inputs_unchanged(x, *(a for a in arguments if isinstance(a, np.ndarray))):
        kernel(y, x, *arguments)
    return y


@types
@pytest.mark.parametrize("kept", [0.0, 1.0])
@pytest.mark.parametrize("stddevs", [(0.0, 1.0, 0.0), (1.5, 0.5, 0.2)])
def test_filled_boxes_agree_with_their_twin(stddevs, kept, dtype):
    x = random(3, 5, 6, 3, dtype=dtype)
    for bounds in ([-np.inf, np.inf], [-0.5, 0.75]):
        arguments = BOXES, WORDS, np.array([0.5, -0.25, 1.0]), np.array(stddevs), kept, np.array(bounds)
        assert_close(run(fill_boxes, x, *arguments), reference.fill_boxes(x, *arguments))


@types
@pytest.mark.parametrize("boxes", [BOXES, 0 * BOXES], ids=["boxes", "none"])
def test_mixed_images_agree_with_their_twin_and_so_does_the_way_back(boxes, dtype):
    x, dy = random(3, 5, 6, 2, dtype=dtype), random(3, 5, 6, 2, dtype=dtype, seed=1)
    y = run(mix_images, x, PARTNERS, WEIGHTS, boxes)
    assert_close(y, reference.mix_images(x, PARTNERS, WEIGHTS, boxes))
    sources = np.argsort(PARTNERS)
    dx = run(mix_images_backward, dy, sources, WEIGHTS, boxes)
    assert_close(dx, reference.mix_images_backward(dy, sources, WEIGHTS, boxes))
    if dtype == np.float64:
        np.testing.assert_allclose(dx, slope(lambda x: run(mix_images, x, PARTNERS, WEIGHTS, boxes), x, dy), atol=1e-8)


@types
@pytest.mark.parametrize("shape", [(3, 5, 6, 3), (2, 1, 1, 2), (1, 4, 9, 1), (0, 3, 3, 3)], ids=str)
@pytest.mark.parametrize("windows", [(1, 1), (3, 5), (7, 3), (11, 13)])
def test_blurred_images_agree_with_their_twin(shape, windows, dtype):
    x = random(*shape, dtype=dtype)
    vertical, horizontal = (random(shape[0], size, dtype=dtype, seed=size) for size in windows)
    y = unwritten(*shape, dtype=dtype)
    blur(y, unwritten(*shape, dtype=dtype), x, vertical, horizontal)
    assert_close(y, reference.blur(x, vertical, horizontal))


def test_patches_mixtures_and_blur_give_the_same_bits_from_any_number_of_threads():
    x = random(24, 40, 40, 3, dtype=np.float32)
    boxes, words = np.tile([[3, 4, 30, 35]], (24, 1)), np.arange(48).reshape(24, 2)
    window = np.full((24, 5), 0.2, np.float32)

    def all_of_it():
        out = [np.empty_like(x) for _ in range(5)]
        fill_boxes(out[0], x, boxes, words, np.zeros(3), np.ones(24), 1.0, np.array([-1.0, 1.0]))
        mix_images(out[1], x, np.roll(np.arange(24), 1), np.full(24, 0.3), boxes)
        mix_images_backward(out[2], x, np.roll(np.arange(24), -1), np.full(24, 0.3), boxes)
        blur(out[3], out[4], x, window, window)
        return out[:4]

    assert_same_bits(all_of_it)


def test_patches_mixtures_and_blur_compile_once_a_type():
    for dtype in TYPES:
        x, words, some = np.zeros((1, 2, 2, 3), dtype), np.zeros((1, 2), np.int64), np.zeros((1, 4), np.int64)
        fill_boxes(x.copy(), x, some, words, np.zeros(3), np.zeros(1), 1.0, np.zeros(2))
        mix_images(x.copy(), x, some[:, 0].copy(), np.zeros(1), some)
        mix_images_backward(x.copy(), x, some[:, 0].copy(), np.zeros(1), some)
        blur(x.copy(), x.copy(), x, np.ones((1, 1), dtype), np.ones((1, 1), dtype))
    assert_one_specialization_a_type(fill_boxes, mix_images, mix_images_backward, blur)
