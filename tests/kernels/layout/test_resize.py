import numpy as np
import pytest

from fastcnn.geometry import interpolation
from fastcnn.geometry import resize as shapes
from fastcnn.kernels.codes import L2_PRODUCT, L2_QUOTIENT, L2_ROOT
from fastcnn.kernels.cpu.layout.resize import resize2d
from fastcnn.kernels.cpu.pooling.l2 import l2_step
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    inputs_unchanged,
    many,
    random,
    slope,
    types,
    unwritten,
)


def linear(length, outputs, dtype):
    return interpolation.interpolation_taps(length, outputs, outputs / length, interpolation.LINEAR, dtype)


def cubic(length, outputs, dtype):
    return interpolation.interpolation_taps(length, outputs, outputs / length, interpolation.CUBIC, dtype)



def _resized(x, rows, columns):
    y = unwritten(x.shape[0], len(rows.places), len(columns.places), x.shape[3], dtype=x.dtype)
    with inputs_unchanged(x):
        resize2d(y, x, *rows, *columns)
    return y


@types
@pytest.mark.parametrize("taps", [linear, cubic, shapes.adaptive_taps])
@pytest.mark.parametrize(("shape", "size"), [
    ((0, 2, 2, 1), (4, 4)), ((2, 1, 1, 3), (2, 3)), ((2, 4, 3, 5), (8, 6)), ((1, 7, 5, 70), (3, 4)),
    ((1, 5, 6, 17), (5, 13)),
], ids=str)
def test_resizing_agrees_with_its_twin(shape, size, taps, dtype):
    (rows, rows_back), (columns, columns_back) = (
        taps(length, outputs, np.dtype(dtype).name) for length, outputs in zip(shape[1:3], size, strict=True))
    x, dy = random(*shape, dtype=dtype), random(shape[0], *size, shape[3], dtype=dtype, seed=1)
    assert_close(_resized(x, rows, columns), reference.resize2d(x, *rows, *columns))
    dx = _resized(dy, rows_back, columns_back)
    assert_close(dx, reference.resize2d(dy, *rows_back, *columns_back))
    if dtype == np.float64 and x.size < 100:
        assert_slope(dx, slope(lambda x: _resized(x, rows, columns), x, dy))


def test_weights_of_interpolation_sum_to_one_and_those_of_its_gradient_are_their_transpose():
    for taps in (linear, cubic, shapes.adaptive_taps):
        for length, outputs in ((4, 8), (7, 3), (1, 5), (6, 6)):
            there, back = taps(length, outputs, "float64")
            np.testing.assert_allclose(there.weights.sum(axis=1), 1)
            dense = [np.zeros((outputs, length)), np.zeros((length, outputs))]
            for matrix, table in zip(dense, (there, back), strict=True):
                for o, (first, count) in enumerate(table.places):
                    matrix[o, first:first + count] = table.weights[o, :count]
            np.testing.assert_array_equal(dense[0], dense[1].T)


def test_the_taps_of_a_long_signal_take_no_more_than_it():
    """Tables of outputs times pixels would take 480 GB."""
    for there, back in (linear(200_000, 300_000, "float32"), cubic(200_000, 150_000, "float32"),
                        interpolation.picked_taps(200_000, tuple(range(199_999, -1, -1)), "float32")):
        assert there.weights.nbytes + back.weights.nbytes < 10_000_000
        np.testing.assert_allclose(there.weights.sum(axis=1), 1, rtol=1e-5)


def test_a_pixel_that_has_no_weight_is_not_read():
    x = np.ones((1, 2, 2, 1), np.float32)
    x[0, 0] = np.inf
    rows, _ = linear(2, 4, "float32")
    y = _resized(x, rows, linear(2, 2, "float32")[0])
    np.testing.assert_array_equal(y[0, :, 0, 0], [np.inf, np.inf, np.inf, 1])


@types
@pytest.mark.parametrize("step", [L2_PRODUCT, L2_ROOT, L2_QUOTIENT])
@pytest.mark.parametrize("size", [0, 1, 37, 100_003])
def test_steps_of_l2_pooling_agree_with_their_twin(size, step, dtype):
    a, b = np.abs(random(many(size), dtype=dtype)), np.round(random(many(size), dtype=dtype, seed=1))
    out = unwritten(many(size), dtype=dtype)
    with inputs_unchanged(a, b):
        l2_step(out, a, b, step)
    assert_close(out, reference.l2_step(a, b, step))
    l2_step(a, a, b, step)
    np.testing.assert_array_equal(a, out)


def test_resizing_gives_the_same_bits_from_any_number_of_threads():
    x, (rows, _) = random(4, 30, 30, 33, dtype=np.float32), linear(30, 60, "float32")
    y, out = np.empty((4, 60, 60, 33), np.float32), np.empty(x.size, np.float32)

    def run():
        resize2d(y, x, *rows, *rows)
        l2_step(out, x.reshape(-1), x.reshape(-1), L2_PRODUCT)
        return y, out

    assert_same_bits(run)


def test_resizing_compiles_once_a_type():
    for dtype in TYPES:
        taps, _ = linear(2, 4, np.dtype(dtype).name)
        _resized(np.ones((1, 2, 2, 1), dtype), taps, taps)
        l2_step(*np.ones((3, 4), dtype), L2_PRODUCT)
    assert_one_specialization_a_type(resize2d, l2_step)
