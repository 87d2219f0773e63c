import numpy as np
import pytest

from fastcnn.geometry import dimensions
from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import get, on_cuda, put

F = np.float32
unfold_depth = on_cuda(cuda.unfold_depth)

GEOMETRIES = [
    ((2, 5, 2, 2, 3), 4, (3, 3, 3), {"padding": "same"}),
    ((2, 7, 1, 2, 4), 6, (3, 1, 2), {"strides": (2, 1, 1), "groups": 2}),
    ((1, 9, 1, 2, 2), 2, (2, 1, 2), {"dilation": (3, 1, 1), "padding": ((1, 4), (0, 0), (1, 0))}),
    ((2, 4, 2, 1, 1), 1, (2, 1, 2), {"strides": (3, 1, 1), "padding": ((0, 1), (0, 0), (1, 0))}),  # slices unseen
    ((0, 3, 2, 2, 2), 1, (2, 2, 2), {}),
]


@pytest.mark.parametrize("count", [1, 3, 100])
@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_unfolding_and_folding_in_chunks_agree_with_their_twins(case, count):
    shape, filters, size, options = case
    g = dimensions.conv3d(shape, filters, size, **options)
    assert g.dtype == dimensions.CONV3D
    slices = int(g[0]["n"] * g[0]["od"])
    whole = slices, shape[2], shape[3], size[0] * shape[4]
    x, dy, bias = random(*shape, dtype=F), random(*whole, dtype=F, seed=1), random(shape[4], dtype=F, seed=2)
    y, parts = unwritten(*whole, dtype=F), [(first, min(count, slices - first)) for first in range(0, slices, count)]
    with inputs_unchanged(x):
        for first, some in parts:
            unfold_depth(y[first:first + some], x, first, g)
    np.testing.assert_array_equal(y, reference.unfold_depth(x, g))
    for b, relu in ((bias, 1), (bias[:0], 0)):
        dx, there = put(np.full(shape, np.nan, F)), put(dy)
        for first, some in parts:
            cuda.fold_depth(dx, there[first:first + some], put(b), relu, first, g)
        assert_close(get(dx), reference.fold_depth(dy, b, relu, g))
