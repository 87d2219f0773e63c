import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn import geometry as shapes
from fastcnn.kernels.cpu.pooling.average import average_pool2d_backward, average_pool2d_forward
from fastcnn.kernels.cpu.pooling.max import max_pool2d_backward, max_pool2d_forward, max_pool2d_index_type
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    inputs_unchanged,
    random,
    slope,
    types,
    unwritten,
)


def _sizes(geometry):
    g = geometry[0]
    return tuple(int(g[name]) for name in ("n", "oh", "ow", "c"))


def _max_forward(x, geometry):
    y = unwritten(*_sizes(geometry), dtype=x.dtype)
    argmax = np.full(y.shape, 77, max_pool2d_index_type(geometry))
    with inputs_unchanged(x):
        max_pool2d_forward(y, argmax, x, geometry)
    return y, argmax


def _max_backward(shape, dy, argmax, geometry):
    dx = unwritten(*shape, dtype=dy.dtype)
    with inputs_unchanged(dy, argmax):
        max_pool2d_backward(dx, dy, argmax, geometry)
    return dx


def _average_forward(x, geometry):
    y = unwritten(*_sizes(geometry), dtype=x.dtype)
    with inputs_unchanged(x):
        average_pool2d_forward(y, x, geometry)
    return y


def _average_backward(shape, dy, geometry):
    dx = unwritten(*shape, dtype=dy.dtype)
    with inputs_unchanged(dy):
        average_pool2d_backward(dx, dy, geometry)
    return dx


def _check(shape, geometry, dtype, levels=None):
    x, dy = random(*shape, dtype=dtype), random(*_sizes(geometry), dtype=dtype, seed=1)
    x = x if levels is None else np.round(levels * x)  # few levels, so that maxima are met several times
    y, argmax = _max_forward(x, geometry)
    expected, where = reference.max_pool2d_forward(x, geometry)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, where.astype(argmax.dtype))
    assert_close(_max_backward(shape, dy, argmax, geometry), reference.max_pool2d_backward(dy, where, geometry))
    assert_close(_average_forward(x, geometry), reference.average_pool2d_forward(x, geometry))
    assert_close(_average_backward(shape, dy, geometry), reference.average_pool2d_backward(dy, geometry))


@types
@pytest.mark.parametrize(("shape", "window", "strides", "padding"), [
    ((0, 4, 4, 3), (2, 2), (2, 2), "valid"),
    ((1, 1, 1, 1), (1, 1), (1, 1), "valid"),
    ((2, 1, 1, 5), (3, 3), (2, 2), "same"),
    ((2, 4, 6, 3), (2, 2), (2, 2), "valid"),
    ((2, 5, 7, 6), (2, 2), (2, 2), "same"),
    ((1, 9, 8, 17), (3, 3), (2, 2), "same"),
    ((2, 6, 5, 4), (3, 2), (1, 3), "same"),
    ((1, 7, 7, 3), (5, 5), (1, 1), "same"),
    ((1, 7, 7, 130), (7, 7), (7, 7), "valid"),
    ((2, 3, 3, 2), (2, 2), (3, 3), ((0, 2), (1, 0))),
    ((1, 3, 2, 2), (2, 2), (1, 1), ((3, 4), (2, 5))),  # windows in the padding altogether
], ids=str)
def test_pooling_agrees_with_its_twin(shape, window, strides, padding, dtype):
    _check(shape, shapes.pool2d(shape, window, strides, padding), dtype)


@pytest.mark.skipif(PLAIN, reason="too much for plain Python")
@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_pooling_agrees_with_its_twin_on_any_geometry(data):
    small = st.integers(1, 4)
    shape = (data.draw(st.integers(1, 2)), data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7)),
             data.draw(st.sampled_from([1, 2, 3, 5, 16, 33])))
    window, strides = (data.draw(small), data.draw(small)), (data.draw(small), data.draw(small))
    border = st.tuples(st.integers(0, 3), st.integers(0, 3))
    padding = data.draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(border, border)))
    dilation = data.draw(st.sampled_from([(1, 1), (1, 2), (3, 2)]))
    size = tuple((length, (k - 1) * d + 1) for length, k, d in zip(shape[1:3], window, dilation, strict=True))
    if padding == "valid" and any(length < k for length, k in size):
        padding = "same"
    if isinstance(padding, tuple) and any(length + sum(p) < k for (length, k), p in zip(size, padding, strict=True)):
        padding = "same"
    divisor = data.draw(st.sampled_from([shapes.COUNT_IMAGE, shapes.COUNT_PADDED, shapes.SUM]))
    geometry = shapes.pool2d(shape, window, strides, padding, dilation=dilation, ceil_mode=data.draw(st.booleans()),
                             least=data.draw(st.booleans()), divisor=divisor)
    _check(shape, geometry, data.draw(st.sampled_from(TYPES)), levels=1.5)


@types
@pytest.mark.parametrize("make", [
    lambda: shapes.pool2d((2, 9, 8, 5), (3, 2), (2, 1), dilation=(2, 3)),
    lambda: shapes.pool2d((1, 10, 7, 18), (3, 3), (3, 4), "same", dilation=(2, 2)),
    lambda: shapes.pool2d((1, 7, 9, 3), (2, 3), (3, 2), ((2, 1), (3, 3)), dilation=(3, 2), ceil_mode=True),
    lambda: shapes.pool2d((2, 6, 7, 3), (3, 2), (2, 2), ((1, 0), (0, 1)), ceil_mode=True),
    lambda: shapes.pool2d((2, 5, 5, 3), (2, 2), (2, 2), ceil_mode=True, least=True),
    lambda: shapes.pool2d((2, 7, 6, 17), (3, 3), (1, 2), 1, divisor=shapes.COUNT_PADDED),
    lambda: shapes.pool2d((2, 7, 6, 3), (3, 3), (2, 2), 1, ceil_mode=True, divisor=shapes.COUNT_PADDED),
    lambda: shapes.pool2d((1, 8, 8, 3), (2, 3), (2, 3), 1, divisor=shapes.COUNT_PADDED, dilation=(2, 2)),
    lambda: shapes.pool2d((2, 7, 6, 5), (3, 3), (2, 2), "same", divisor=shapes.SUM, least=True),
    lambda: shapes.pool2d((2, 6, 6, 5), (2, 3), (2, 3), divisor=shapes.SUM, least=True),
    lambda: shapes.adaptive_pool2d((2, 7, 5, 3), (3, 2)),
    lambda: shapes.adaptive_pool2d((1, 3, 4, 17), (5, 4)),
    lambda: shapes.adaptive_pool2d((2, 6, 4, 3), (3, 2)),
    lambda: shapes.adaptive_pool2d((1, 17, 19, 2), (4, 3)),
])
def test_pooling_of_every_kind_agrees_with_its_twin(make, dtype):
    geometry = make()
    _check(tuple(int(geometry[0][name]) for name in ("n", "h", "w", "c")), geometry, dtype, levels=1.5)


@types
def test_max_pooling_passes_nan_on_wherever_it_lies_in_the_window(dtype):
    geometry = shapes.pool2d((1, 4, 4, 3), (2, 2), (2, 2))
    for i, j in np.ndindex(4, 4):
        x = random(1, 4, 4, 3, dtype=dtype)
        x[0, i, j, 1] = np.nan
        y, argmax = _max_forward(x, geometry)
        assert np.isnan(y[0, i // 2, j // 2, 1])
        assert argmax[0, i // 2, j // 2, 1] == 2 * (i % 2) + j % 2
        assert np.isnan(y).sum() == 1
        assert np.isnan(_average_forward(x, geometry)).sum() == 1


@types
def test_max_pooling_takes_infinities(dtype):
    geometry = shapes.pool2d((1, 3, 3, 1), (3, 3), (1, 1))
    x = np.full((1, 3, 3, 1), -np.inf, dtype)
    y, argmax = _max_forward(x, geometry)
    assert y.item() == -np.inf
    assert argmax.item() == 0
    x[0, 2, 1] = np.inf
    y, argmax = _max_forward(x, geometry)
    assert y.item() == np.inf
    assert argmax.item() == 7


@types
@pytest.mark.parametrize("channels", [1, 5, 70])
def test_max_pooling_of_a_window_with_infinities_of_both_signs_is_no_nan(channels, dtype):
    geometry = shapes.pool2d((1, 3, 3, channels), (3, 3), (3, 3))
    x = np.zeros((1, 3, 3, channels), dtype)
    x[0, 0, 1], x[0, 1, 1] = -np.inf, np.inf
    y, argmax = _max_forward(x, geometry)
    np.testing.assert_array_equal(y, np.inf)
    np.testing.assert_array_equal(argmax, 4)
    x[0, 2, 0, -1] = np.nan
    y, argmax = _max_forward(x, geometry)
    np.testing.assert_array_equal(np.isnan(y[0, 0, 0]), np.arange(channels) == channels - 1)
    np.testing.assert_array_equal(argmax[0, 0, 0], np.where(np.arange(channels) == channels - 1, 6, 4))


@types
def test_a_window_of_many_positions_saves_wider_positions(dtype):
    x = random(2, 20, 21, 3, dtype=dtype)
    geometry = shapes.pool2d(x.shape, (20, 21), (1, 1))
    assert max_pool2d_index_type(geometry) == np.int32
    y, argmax = _max_forward(x, geometry)
    flat = x.reshape(2, -1, 3)
    np.testing.assert_array_equal(y[:, 0, 0], flat.max(axis=1))
    np.testing.assert_array_equal(argmax[:, 0, 0], flat.argmax(axis=1))
    dx = _max_backward(x.shape, np.ones_like(y), argmax, geometry).reshape(2, -1, 3)
    np.testing.assert_array_equal(dx, np.arange(420)[:, None] == flat.argmax(axis=1)[:, None])


def test_average_pooling_of_an_image_is_its_mean():
    x = random(3, 12, 9, 10, dtype=np.float32)
    y = _average_forward(x, shapes.pool2d(x.shape, (12, 9), (12, 9)))
    assert_close(y[:, 0, 0], x.astype(np.float64).mean(axis=(1, 2)), factor=2)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling_gradients_are_the_slopes(padding):
    shape = (2, 5, 4, 2)
    geometry = shapes.pool2d(shape, (3, 2), (2, 1), padding)
    x, dy = random(*shape), random(*_sizes(geometry), seed=1)
    dx = _max_backward(shape, dy, _max_forward(x, geometry)[1], geometry)
    assert_slope(dx, slope(lambda x: _max_forward(x, geometry)[0], x, dy))
    assert_slope(_average_backward(shape, dy, geometry), slope(lambda x: _average_forward(x, geometry), x, dy))


@pytest.mark.parametrize(("shape", "window", "strides"), [
    ((8, 40, 40, 16), (2, 2), (2, 2)), ((2, 40, 40, 64), (3, 3), (1, 1)), ((1, 30, 30, 500), (30, 30), (30, 30)),
], ids=str)
def test_pooling_gives_the_same_bits_from_any_number_of_threads(shape, window, strides):
    x, geometry = random(*shape, dtype=np.float32), shapes.pool2d(shape, window, strides)
    dy = random(*_sizes(geometry), dtype=np.float32)

    def run():
        y, argmax = _max_forward(x, geometry)
        return (y, argmax, _max_backward(shape, dy, argmax, geometry), _average_forward(x, geometry),
                _average_backward(shape, dy, geometry))

    assert_same_bits(run)


def test_pooling_compiles_once_a_type():
    for dtype in TYPES:
        _check((1, 2, 2, 1), shapes.pool2d((1, 2, 2, 1), (2, 2), (2, 2)), dtype)
    assert_one_specialization_a_type(average_pool2d_forward, average_pool2d_backward)
    for kernel in (max_pool2d_forward, max_pool2d_backward):  # and one more for windows of more than 255 positions
        assert len([types for types in kernel.signatures if "uint8" in str(types) and "uint16" not in str(types)]) == 2
