import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import cpu
from fastcnn.kernels.cpu.conv.few_weights import few_filters_backward_weights, few_filters_backward_weights_scratch
from fastcnn.kernels.cpu.simd.width import lanes
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_within,
    inputs_unchanged,
    random,
    types,
    unwritten,
)

LANES = lanes("float32")


def _gradients(x, dy, g, with_bias=True):
    """Return the gradients of filters and bias, added to 0.5 and -0.5."""
    f = {name: int(g[0][name]) for name in g.dtype.names}
    dkernel = np.full((f["kh"], f["kw"], f["c"], f["k"]), 0.5, x.dtype)
    dbias = np.full(f["k"] if with_bias else 0, -0.5, x.dtype)
    scratch = unwritten(few_filters_backward_weights_scratch(g, x.dtype), dtype=x.dtype)
    with inputs_unchanged(x, dy):
        few_filters_backward_weights(dkernel, dbias, scratch, x, dy, g)
    assert_within(scratch)
    return dkernel, dbias


def _arrays(g, dtype):
    f = {name: int(g[0][name]) for name in g.dtype.names}
    return (random(f["n"], f["h"], f["w"], f["c"], dtype=dtype),
            random(f["n"], f["oh"], f["ow"], f["k"], dtype=dtype, seed=1))


@types
@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    ((0, 5, 5, LANES), 3, (3, 3), {}),
    ((2, 9, 23, 2 * LANES), 3, (3, 3), {"padding": "same"}),
    ((1, 6, 40, LANES), 1, (5, 9), {"padding": "same"}),
    ((1, 7, 9, 3 * LANES), 2, (3, 3), {}),
    ((1, 12, 35, LANES), 9, (3, 3), {"dilation": (3, 2), "padding": "same"}),
    ((1, 4, 4, LANES), 2, (2, 3), {"padding": ((5, 0), (0, 6))}),  # windows in the padding altogether
    ((1, 2, 1000, LANES), 1, (2, 1), {"padding": "same"}),  # a row that is longer than a band
], ids=str)
def test_the_gradients_of_few_filters_of_whole_vectors_agree_with_their_twin(shape, filters, size, options, dtype):
    g = shapes.conv2d(shape, filters, size, **options)
    x, dy = _arrays(g, dtype)
    dkernel, dbias = reference.few_filters_backward_weights(x, dy, g)
    got = _gradients(x, dy, g)
    assert_close(got[0], dkernel + 0.5)
    assert_close(got[1], dbias - 0.5)
    got, nothing = _gradients(x, dy, g, with_bias=False)
    assert_close(got, dkernel + 0.5)
    assert nothing.size == 0


def test_pixels_that_are_cut_off_count_nothing():
    g = shapes.conv2d((1, 9, 9, LANES), 2, (2, 3)).copy()
    for name, value in {"top": -2, "bottom": 1, "left": 1, "right": -3, "oh": 7, "ow": 5}.items():
        g[name] = value
    x, dy = _arrays(g, np.float32)
    dkernel, dbias = reference.few_filters_backward_weights(x, dy, g)
    got = _gradients(x, dy, g)
    assert_close(got[0], dkernel + 0.5)
    assert_close(got[1], dbias - 0.5)


@pytest.mark.skipif(PLAIN, reason="kernels run as plain Python")
def test_the_same_bits_from_any_number_of_threads_and_sums_that_stay_exact():
    g = shapes.conv2d((2, 200, 256, LANES), 2, (3, 3), padding="same")
    x, dy = _arrays(g, np.float32)
    assert_same_bits(lambda: _gradients(x, dy, g))
    tenth = np.full_like(dy, 0.1)
    dkernel, dbias = _gradients(np.full_like(x, 0.1), tenth, g)
    np.testing.assert_allclose(dbias, tenth[..., 0].sum(dtype=np.float64) - 0.5, rtol=2e-7)
    middle = np.float64(np.float32(0.1)) ** 2 * 2 * 200 * 256 + 0.5
    np.testing.assert_allclose(dkernel[1, 1], middle, rtol=5e-6)


@pytest.mark.parametrize(("shape", "filters", "size", "options", "suits"), [
    ((2, 64, 64, LANES), LANES - 1, (3, 3), {}, True), ((1, 64, 64, 4 * LANES), 1, (1, 2), {}, True),
    ((1, 64, 64, LANES), LANES, (3, 3), {}, False),
    ((1, 64, 64, LANES + 1), 3, (3, 3), {}, False),  # vectors that are not full
    ((1, 32, 64, LANES), 3, (3, 3), {}, False),  # few positions
    ((1, 64, 64, LANES), 3, (1, 1), {}, False),
    ((1, 64, 64, LANES), 3, (3, 3), {"strides": (1, 2)}, False),
    ((1, 64, 64, 2 * LANES), 2, (3, 3), {"groups": 2}, False),
    ((1, 128, 128, 1024), 15, (9, 9), {}, False)], ids=str)
def test_shapes_tell_whether_it_suits(shape, filters, size, options, suits):
    g = shapes.conv2d(shape, filters, size, padding="same", **options)
    assert cpu.few_filters_backward_weights_suits(g, np.dtype(np.float32)) is suits


def test_the_kernel_compiles_once_a_type():
    for dtype in TYPES:
        g = shapes.conv2d((1, 3, 3, LANES), 2, (3, 3))
        _gradients(*_arrays(g, dtype), g)
    assert_one_specialization_a_type(few_filters_backward_weights)
