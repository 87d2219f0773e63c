"""Pooling beside windows that NumPy cuts out: of signals, images and volumes, with borders, gaps and overhang."""

import itertools

import numpy as np
import pytest

from fastcnn import geometry
from fastcnn.geometry.pool import adaptive_passes, passes
from fastcnn.operations.pooling import adaptive_average_pool, average_pool, l2_pool, max_pool, max_pool_with_argmax
from tests.operations.checking import look_over, normal

#: shape, size, strides, padding, dilation, ceil mode
CASES = {
    "signal": ((2, 9, 3), (3,), (2,), ((1, 0),), (1,), False),
    "image": ((2, 6, 5, 3), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1), False),
    "uneven": ((2, 7, 6, 2), (3, 2), (2, 1), ((1, 1), (0, 1)), (1, 1), False),
    "gaps": ((1, 8, 8, 2), (2, 3), (1, 2), ((1, 0), (2, 1)), (2, 2), False),
    "hanging over": ((1, 6, 6, 2), (3, 3), (2, 2), ((0, 0), (0, 0)), (1, 1), True),
    "volume": ((2, 5, 4, 6, 2), (2, 2, 3), (2, 1, 2), ((1, 0), (0, 0), (1, 1)), (1, 1, 1), False),
}


def _cut(x, size, strides, padding, dilation, ceil_mode):
    """Return what each window sees, (N, ..., C, elements), NaN beyond the image."""
    rank, lengths = len(size), []
    beyond = [(0, 0), *((before, after + 99) for before, after in padding), (0, 0)]
    padded = np.pad(x, beyond, constant_values=np.nan)
    for n, k, s, (before, after), gap in zip(x.shape[1:-1], size, strides, padding, dilation, strict=True):
        room = n + before + after - (k - 1) * gap - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        lengths.append(count - (ceil_mode and (count - 1) * s >= n + before))  # the last begins in what is padded
    out = np.empty((x.shape[0], *lengths, x.shape[-1], int(np.prod(size))))
    for at in itertools.product(*map(range, lengths)):
        for k, tap in enumerate(itertools.product(*map(range, size))):
            place = tuple(o * s + t * gap for o, s, t, gap in zip(at, strides, tap, dilation, strict=True))
            out[(slice(None), *at, slice(None), k)] = padded[(slice(None), *place)]
    assert out.ndim == rank + 3
    return out


def _passes(shape, size, strides, padding, dilation, ceil_mode, **more):
    return passes(shape, size, strides, padding, dilation=dilation, ceil_mode=ceil_mode, **more)


@pytest.mark.parametrize("name", CASES)
def test_the_largest_and_the_smallest_of_windows(name):
    shape, *window = CASES[name]
    for least, extreme in ((False, np.nanmax), (True, np.nanmin)):
        steps = _passes(shape, *window, least=least)
        y_shape = _cut(normal(*shape), *window).shape[:-1]
        look_over(lambda x, steps=steps, y_shape=y_shape: max_pool(x, steps, y_shape), normal(*shape),
                  expected=lambda x, extreme=extreme: extreme(_cut(x, *window), -1))


@pytest.mark.parametrize("name", CASES)
def test_the_mean_of_windows_counts_pixels_alone_and_a_sum_divides_by_nothing(name):
    shape, *window = CASES[name]
    y_shape = _cut(normal(*shape), *window).shape[:-1]
    for divisor, formula in ((geometry.COUNT_IMAGE, np.nanmean), (geometry.SUM, np.nansum)):
        steps = _passes(shape, *window, divisor=divisor)
        look_over(lambda x, steps=steps: average_pool(x, steps, y_shape), normal(*shape),
                  expected=lambda x, formula=formula: formula(_cut(x, *window), -1))


@pytest.mark.parametrize("name", CASES)
def test_the_root_of_the_sum_of_squares_of_windows(name):
    shape, *window = CASES[name]
    steps, y_shape = _passes(shape, *window, divisor=geometry.SUM), _cut(normal(*shape), *window).shape[:-1]
    look_over(lambda x: l2_pool(x, steps, y_shape), normal(*shape),
              expected=lambda x: np.sqrt(np.nansum(_cut(x, *window) ** 2, -1)))


def test_a_window_of_zeros_has_no_gradient_in_l2_pooling():
    steps = passes((1, 2, 4, 1), (2, 2), (2, 2), divisor=geometry.SUM)
    x = np.array([0.0, 0, 3, 0, 0, 0, 0, 4]).reshape(1, 2, 4, 1)
    y, backward = l2_pool(x, steps, (1, 1, 2, 1))
    np.testing.assert_array_equal(y.ravel(), [0, 5])
    np.testing.assert_allclose(backward(np.ones(y.shape)).ravel(), [0, 0, 0.6, 0, 0, 0, 0, 0.8])


@pytest.mark.parametrize(("shape", "size"), [((2, 7, 3), (3,)), ((2, 7, 6, 2), (3, 4)), ((2, 8, 6, 2), (4, 3)),
                                             ((1, 5, 6, 4, 2), (2, 3, 3))])
def test_windows_of_a_size_that_is_given_cover_the_image(shape, size):
    def windows(x):
        ends = [[(o * n // m, -(-(o + 1) * n // m)) for o in range(m)] for n, m in zip(shape[1:-1], size, strict=True)]
        y = np.empty((2, shape[0], *size, shape[-1]))
        for at in itertools.product(*map(range, size)):
            part = x[(slice(None), *(slice(*ends[k][o]) for k, o in enumerate(at)))]
            axes = tuple(range(1, x.ndim - 1))
            y[(slice(None), slice(None), *at)] = part.mean(axes), part.max(axes)
        return y

    steps, y_shape = adaptive_passes(shape, size), (shape[0], *size, shape[-1])
    look_over(lambda x: adaptive_average_pool(x, steps, y_shape), normal(*shape), expected=lambda x: windows(x)[0])
    look_over(lambda x: max_pool(x, steps, y_shape), normal(*shape), expected=lambda x: windows(x)[1])


@pytest.mark.parametrize("name", [name for name in CASES if name != "signal"])
def test_the_place_of_a_maximum_is_where_it_stands_in_its_image(name):
    shape, *window = CASES[name]
    x, y_shape = normal(*shape), _cut(normal(*shape), *window).shape[:-1]
    y, places = max_pool_with_argmax(x, _passes(shape, *window), y_shape)
    np.testing.assert_array_equal(y, np.nanmax(_cut(x, *window), -1))
    pixels, flat = x.reshape(shape[0], -1, shape[-1]), places.reshape(shape[0], -1, shape[-1])
    np.testing.assert_array_equal(np.take_along_axis(pixels, flat, 1).reshape(y_shape), y)


def test_a_window_that_sees_no_pixel_has_the_place_0():
    g = passes((1, 1, 2, 1), (1, 2), (1, 1), ((0, 0), (2, 0)), dilation=(1, 3))
    y, places = max_pool_with_argmax(np.array([3.0, 7.0]).reshape(1, 1, 2, 1), g, g[-1].out)
    assert places.ravel().tolist() == [1]
    assert y.ravel().tolist() == [7]
    wide = passes((1, 1, 2, 1), (1, 2), (1, 1), ((0, 0), (2, 1)), dilation=(1, 3))
    _, places = max_pool_with_argmax(np.array([3.0, 7.0]).reshape(1, 1, 2, 1), wide, wide[-1].out)
    assert places.ravel().tolist() == [1, 0]


def test_places_in_windows_of_more_than_255_elements():
    x = np.zeros((1, 18, 17, 2))
    x[0, 0, 0, 0] = x[0, 16, 3, 1] = 5  # the first number of the first window, and one that two windows see
    y, places = max_pool_with_argmax(x, passes((1, 18, 17, 2), (17, 17), (1, 1)), (1, 2, 1, 2))
    assert y.ravel().tolist() == [5, 5, 0, 5]
    assert places.ravel().tolist() == [0, 16 * 17 + 3, 17, 16 * 17 + 3]


def test_the_first_of_equal_numbers_gets_the_gradient():
    y, backward = max_pool(np.ones((1, 2, 4, 1)), passes((1, 2, 4, 1), (2, 2), (2, 2)))
    np.testing.assert_array_equal(backward(np.array([2.0, 3.0]).reshape(y.shape)).ravel(), [2, 0, 3, 0, 0, 0, 0, 0])
