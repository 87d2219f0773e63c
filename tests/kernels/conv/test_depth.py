import numpy as np
import pytest

from fastcnn.geometry import dimensions
from fastcnn.kernels.cpu import bias_backward, bias_backward_scratch, fold_depth, unfold_depth
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_within,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)

GEOMETRIES = [
    ((2, 5, 3, 4, 3), 4, (3, 3, 3), {"padding": "same"}),
    ((2, 7, 3, 2, 4), 6, (3, 2, 1), {"strides": (2, 1, 1), "groups": 2}),
    ((1, 9, 2, 3, 5), 2, (2, 1, 2), {"dilation": (3, 1, 1), "padding": ((1, 4), (0, 0), (1, 0))}),
    ((3, 4, 2, 2, 1), 1, (2, 1, 1), {"strides": (3, 1, 1), "padding": ((0, 1), (0, 0), (1, 0))}),  # slices unseen
    ((1, 2, 2, 2, 2), 1, (1, 2, 2), {"strides": (2, 1, 1)}),
    ((0, 3, 2, 2, 2), 1, (2, 2, 2), {}),
]


def _geometry(shape, filters, size, options):
    g = dimensions.conv3d(shape, filters, size, **options)
    assert g.dtype == dimensions.CONV3D
    return g


def _slices(g):
    return int(g[0]["n"] * g[0]["od"]), int(g[0]["h"]), int(g[0]["w"]), int(g[0]["kd"] * g[0]["c"])


def _chunks(slices, count):
    return [(first, min(count, slices - first)) for first in range(0, slices, count)]


@types
@pytest.mark.parametrize("count", [1, 2, 5, 100])
@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_unfolding_in_chunks_agrees_with_its_twin(case, count, dtype):
    g = _geometry(*case)
    x, y = random(*case[0], dtype=dtype), unwritten(*_slices(g), dtype=dtype)
    with inputs_unchanged(x):
        for first, slices in _chunks(len(y), count):
            unfold_depth(y[first:first + slices], x, first, g)
    assert_within(y)
    np.testing.assert_array_equal(y, reference.unfold_depth(x, g).astype(dtype))


@types
@pytest.mark.parametrize("count", [1, 2, 5, 100])
@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_folding_in_chunks_agrees_with_its_twin(case, count, dtype):
    g = _geometry(*case)
    dy, bias = random(*_slices(g), dtype=dtype), random(case[0][-1], dtype=dtype, seed=1)
    for offset, relu in ((bias[:0], 0), (bias, 0), (bias, 1)):
        dx = unwritten(*case[0], dtype=dtype)
        with inputs_unchanged(dy, offset):
            for first, slices in _chunks(len(dy), count):
                fold_depth(dx, dy[first:first + slices], offset, relu, first, g)
        assert_close(dx, reference.fold_depth(dy, offset, relu, g))


@types
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 3), (many(40000), 3), (many(3000), 70), (200, 600)], ids=str)
def test_the_gradient_of_a_bias_agrees_with_its_twin(shape, dtype):
    dy, dbias = random(*shape, dtype=dtype), np.full(shape[1], 0.5, dtype)
    scratch = unwritten(bias_backward_scratch(shape, dtype), dtype=dtype)
    with inputs_unchanged(dy):
        bias_backward(dbias, scratch, dy)
    assert_within(scratch)
    assert_close(dbias - 0.5, reference.bias_backward(dy), 4)


def test_volumes_give_the_same_bits_from_any_number_of_threads():
    g = _geometry((2, 9, 16, 16, 20), 8, (3, 3, 3), {"padding": "same"})
    x, dy, bias = random(2, 9, 16, 16, 20, dtype=np.float32), random(*_slices(g), dtype=np.float32), np.empty(0, "f")

    def run():
        y, dx, dbias = np.empty_like(dy), np.empty_like(x), np.zeros(60, "f")
        unfold_depth(y, x, 0, g)
        fold_depth(dx, dy, bias, 1, 0, g)
        rows = dy.reshape(-1, 60)
        bias_backward(dbias, np.empty(bias_backward_scratch(rows.shape, np.float32), "f"), rows)
        return y, dx, dbias

    assert_same_bits(run)


def test_kernels_of_volumes_compile_once_a_type():
    assert_one_specialization_a_type(unfold_depth, fold_depth, bias_backward)
