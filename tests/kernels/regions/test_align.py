import numpy as np
import pytest

from fastcnn.geometry.regions import regions
from fastcnn.kernels.cpu.regions.align import roi_align_backward, roi_align_forward
from fastcnn.kernels.cpu.regions.pool import roi_pool_backward, roi_pool_forward
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    random,
    types,
    unwritten,
)
from tests.kernels.regions.drawing import boxes


def _align(x, some, g):
    y = unwritten(*some.shape[:2], g[0]["ph"], g[0]["pw"], x.shape[3], dtype=x.dtype)
    with inputs_unchanged(x, some):
        roi_align_forward(y, x, some, g)
    return y


def _align_back(dy, some, g):
    dx = unwritten(*(g[0][name] for name in ("n", "h", "w", "c")), dtype=dy.dtype)
    with inputs_unchanged(dy, some):
        roi_align_backward(dx, dy, some, g)
    return dx


def _pool(x, some, g):
    shape = *some.shape[:2], g[0]["ph"], g[0]["pw"], x.shape[3]
    y, argmax = unwritten(*shape, dtype=x.dtype), np.full(shape, -9, np.int32)
    with inputs_unchanged(x, some):
        roi_pool_forward(y, argmax, x, some, g)
    return y, argmax


def _pool_back(dy, argmax, g):
    dx = unwritten(*(g[0][name] for name in ("n", "h", "w", "c")), dtype=dy.dtype)
    with inputs_unchanged(dy, argmax):
        roi_pool_backward(dx, dy, argmax, g)
    return dx


def _boxes(n, count, dtype):
    """Return boxes, some of which hang over the edge, lie outside, have no area, or are turned round."""
    some = boxes(count, 26, dtype=dtype, lead=(n,)) - 3
    some[0, 0], some[0, 1], some[0, 2], some[-1, 0] = (-90, -90, -80, -80), (4, 4, 4, 9), (9, 9, 3, 3), (-50, 2, 60, 90)
    return some


@types
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("samples", [0, 2])
def test_aligned_regions_agree_with_their_twin(samples, aligned, dtype):
    x, some = random(2, 11, 9, 5, dtype=dtype), _boxes(2, 4, dtype)
    g = regions(x.shape, 4, (3, 2), 0.5, samples, aligned)
    y = _align(x, some, g)
    assert_close(y, reference.roi_align_forward(x, some, g), 4)
    dy = random(*y.shape, dtype=dtype, seed=1)
    assert_close(_align_back(dy, some, g), reference.roi_align_backward(dy, some, g), 4)


@types
def test_pooled_regions_agree_with_their_twin(dtype):
    x, some = random(2, 11, 9, 5, dtype=dtype), _boxes(2, 4, dtype)
    g = regions(x.shape, 4, (3, 2), 0.5)
    y, argmax = _pool(x, some, g)
    expected, places = reference.roi_pool_forward(x, some, g)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, places)
    dy = random(*y.shape, dtype=dtype, seed=1)
    assert_close(_pool_back(dy, argmax, g), reference.roi_pool_backward(dy, argmax, g), 4)


def test_boxes_that_are_not_finite_give_nothing_and_huge_ones_end():
    x = random(1, 8, 8, 3, dtype=np.float32)
    some = np.array([[[np.nan, 0, 4, 4], [0, 0, np.inf, 4], [-1e30, -1e30, 1e30, 1e30], [0, 0, 4, 4]]], np.float32)
    g = regions(x.shape, 4, (2, 2))
    y, (pooled, argmax) = _align(x, some, g), _pool(x, some, g)
    assert np.isfinite(y).all()
    assert not y[0, :2].any()
    assert not pooled[0, :2].any()
    assert (argmax[0, :2] == -1).all()
    assert np.isfinite(_align_back(np.ones_like(y), some, g)).all()


def test_a_region_of_whole_pixels_is_those_pixels():
    x = random(1, 6, 7, 2, dtype=np.float32)
    g = regions(x.shape, 1, (3, 2))
    np.testing.assert_allclose(_align(x, np.array([[[2, 1, 4, 4]]], np.float32), g)[0, 0], x[0, 1:4, 2:4], rtol=1e-6)


def test_no_regions_of_an_image_have_a_gradient_of_zero():
    g = regions((2, 4, 4, 3), 0, (2, 2))
    none = np.empty((2, 0, 4), np.float32)
    assert not _align_back(np.empty((2, 0, 2, 2, 3), np.float32), none, g).any()
    assert not _pool_back(np.empty((2, 0, 2, 2, 3), np.float32), np.empty((2, 0, 2, 2, 3), np.int32), g).any()


def test_the_same_bits_from_any_number_of_threads():
    x, some = random(2, 20, 20, 70, dtype=np.float32), _boxes(2, 30, np.float32)
    g = regions(x.shape, 30, (7, 7), 0.5)
    dy = random(2, 30, 7, 7, 70, dtype=np.float32, seed=1)
    assert_same_bits(lambda: (_align(x, some, g), _align_back(dy, some, g), *_pool(x, some, g),
                              _pool_back(dy, _pool(x, some, g)[1], g)))


def test_the_kernels_compile_once_a_type():
    assert_one_specialization_a_type(roi_align_forward, roi_align_backward, roi_pool_forward, roi_pool_backward)
