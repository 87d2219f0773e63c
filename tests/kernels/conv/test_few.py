import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels.cpu.conv.few import (
    few_filters_backward_input,
    few_filters_backward_input_packed,
    few_filters_forward,
    few_filters_forward_packed,
)
from tests import reference
from tests.kernels.checking import (
    LINEAR,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_within,
    inputs_unchanged,
    random,
    three_bounds,
    types,
    unwritten,
)


def _forward(x, kernel, bias, addend, bounds, g):
    packed = unwritten(few_filters_forward_packed(g, x.dtype), dtype=x.dtype)
    outputs, bounds = [], np.array(bounds, x.dtype)
    for ready, filters in ((0, kernel), (1, np.full_like(kernel, np.nan))):
        y = unwritten(*(g[0][name] for name in ("n", "oh", "ow", "k")), dtype=x.dtype)
        with inputs_unchanged(x, filters, bias, addend, bounds):
            few_filters_forward(y, packed, x, filters, bias, addend, bounds, ready, g)
        outputs.append(y)
    assert_within(packed)
    assert outputs[0].tobytes() == outputs[1].tobytes()
    return outputs[0]


def _arrays(g, dtype):
    f = {name: int(g[0][name]) for name in g.dtype.names}
    return (random(f["n"], f["h"], f["w"], f["c"], dtype=dtype),
            random(f["kh"], f["kw"], f["c"], f["k"], dtype=dtype, seed=1), random(f["k"], dtype=dtype, seed=2),
            random(f["n"] * f["oh"] * f["ow"] * f["k"], dtype=dtype, seed=3))


@types
@pytest.mark.parametrize("filters", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize(("shape", "size", "options"), [
    ((0, 5, 5, 20), (3, 3), {}),
    ((1, 1, 1, 33), (1, 1), {}),
    ((2, 9, 23, 20), (3, 3), {"padding": "same"}),
    ((1, 6, 40, 3), (5, 9), {"padding": "same"}),
    ((2, 9, 10, 17), (3, 2), {"strides": (2, 3), "padding": ((0, 3), (2, 1))}),
    ((1, 12, 11, 32), (3, 3), {"dilation": (3, 1), "padding": "same"}),
    ((1, 4, 4, 16), (2, 3), {"padding": ((5, 0), (0, 6))}),  # windows in the padding altogether
    ((1, 3, 2, 16), (5, 7), {"padding": "same"}),  # wider than the image
], ids=str)
def test_few_filters_agree_with_their_twin(shape, size, options, filters, dtype):
    g = shapes.conv2d(shape, filters, size, **options)
    x, kernel, bias, addend = _arrays(g, dtype)
    none = bias[:0]
    assert_close(_forward(x, kernel, none, none, LINEAR, g),
                 reference.few_filters_forward(x, kernel, none, none, LINEAR, g))
    for bounds in three_bounds(reference.few_filters_forward(x, kernel, bias, none, LINEAR, g)):
        assert_close(_forward(x, kernel, bias, addend, bounds, g),
                     reference.few_filters_forward(x, kernel, bias, addend, bounds, g))


def _backward(dy, kernel, bias, bounds, g):
    packed = unwritten(few_filters_backward_input_packed(g, dy.dtype), dtype=dy.dtype)
    dx, bounds = unwritten(*(g[0][name] for name in ("n", "h", "w", "c")), dtype=dy.dtype), np.array(bounds, dy.dtype)
    for ready, filters in ((0, kernel), (1, np.full_like(kernel, np.nan))):
        with inputs_unchanged(dy, filters, bias, bounds):
            few_filters_backward_input(dx, packed, dy, filters, bias, bounds, ready, g)
    assert_within(packed)
    return dx


@types
@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    ((0, 5, 5, 3), 4, (3, 3), {}),
    ((2, 9, 23, 3), 20, (3, 3), {"padding": "same"}),
    ((1, 6, 40, 1), 3, (5, 9), {"padding": "same"}),
    ((2, 9, 10, 6), 17, (3, 2), {"padding": ((0, 3), (2, 1))}),
    ((1, 12, 11, 2), 9, (3, 3), {"dilation": (3, 1)}),
    ((1, 4, 4, 5), 6, (2, 3), {"padding": ((5, 0), (0, 6))}),  # more zeros than a window is wide
], ids=str)
def test_the_gradient_of_few_channels_agrees_with_its_twin(shape, filters, size, options, dtype):
    g = shapes.conv2d(shape, filters, size, **options)
    dy = random(*(g[0][name] for name in ("n", "oh", "ow", "k")), dtype=dtype)
    kernel, bias = random(*size, shape[3], filters, dtype=dtype, seed=1), random(shape[3], dtype=dtype, seed=2)
    assert_close(_backward(dy, kernel, bias[:0], LINEAR, g),
                 reference.few_filters_backward_input(dy, kernel, bias[:0], LINEAR, g))
    for bounds in three_bounds(reference.few_filters_backward_input(dy, kernel, bias, LINEAR, g)):
        assert_close(_backward(dy, kernel, bias, bounds, g),
                     reference.few_filters_backward_input(dy, kernel, bias, bounds, g))


def test_nan_and_infinity_stay_where_windows_see_them_and_nowhere_else():
    g = shapes.conv2d((1, 7, 20, 20), 3, (3, 3), padding="same")
    x, kernel, bias, _ = _arrays(g, np.float32)
    clean = _forward(x, kernel, bias, bias[:0], LINEAR, g)
    x[0, 3, 9, 19] = np.nan
    y = _forward(x, kernel, bias, bias[:0], LINEAR, g)
    assert np.isnan(y[0, 2:5, 8:11]).all()
    y[0, 2:5, 8:11] = clean[0, 2:5, 8:11]
    np.testing.assert_array_equal(y, clean)


def test_the_same_bits_from_any_number_of_threads_and_wherever_a_window_lies():
    g = shapes.conv2d((2, 30, 40, 32), 3, (3, 3), padding="same")
    x, kernel, bias, addend = _arrays(g, np.float32)
    assert_same_bits(lambda: [_forward(x, kernel, bias, addend, LINEAR, g)])
    one = np.broadcast_to(x[:1, :1, :1], x.shape).copy()  # the same everywhere: so is the result, but at the borders
    y = _forward(one, kernel, bias, bias[:0], LINEAR, g)[:, 1:-1, 1:-1]
    assert (y == y[0, 0, 0]).all()


@pytest.mark.parametrize("filters", [1, 2, 3, 4, 5, 6])
def test_a_row_of_a_dense_layer_has_the_same_bits_alone_and_beside_any_others(filters):
    rows, c = 19, 37
    x, kernel, bias, _ = _arrays(shapes.dense(rows, c, filters), np.float32)
    whole = _forward(x, kernel, bias, bias[:0], LINEAR, shapes.dense(rows, c, filters))
    for begin, end in ((0, 1), (18, 19), (3, 5), (1, 10)):
        part = x[:, :, begin:end].copy()
        y = _forward(part, kernel, bias, bias[:0], LINEAR, shapes.dense(end - begin, c, filters))
        assert y.tobytes() == whole[:, :, begin:end].tobytes()


def test_the_kernel_compiles_once_a_type():
    for dtype in TYPES:
        g = shapes.conv2d((1, 3, 3, 32), 2, (3, 3))
        _forward(*_arrays(g, dtype), LINEAR, g)
        _backward(random(1, 1, 1, 8, dtype=dtype), random(3, 3, 2, 8, dtype=dtype), np.empty(0, dtype), LINEAR,
                  shapes.conv2d((1, 3, 3, 2), 8, (3, 3)))
    assert_one_specialization_a_type(few_filters_forward, few_filters_backward_input)
