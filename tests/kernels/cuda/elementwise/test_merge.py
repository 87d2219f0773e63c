import numpy as np
import pytest

from fastcnn.kernels import codes, cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

merge_forward, merge_backward = on_cuda(cuda.merge_forward), on_cuda(cuda.merge_backward)

CODES = {name: getattr(codes, name) for name in ("SUM", "PRODUCT", "MAXIMUM", "MINIMUM", "PRELU")}
ALPHA, BETA = 0.75, -1.5
SHAPES = [  # of y, and which of its dimensions a and b have
    ((2, 3, 5), "111", "111"), ((3, 7, 5), "111", "101"), ((3, 4, 5), "100", "111"), ((1, 30, 11), "111", "110"),
    ((7, 5, 6), "111", "001"), ((5, 7, 10), "111", "010"), ((3, 4, 6), "101", "011"), ((4, 5, 6), "001", "110"),
    ((2, 20, 30), "111", "000"), ((0, 3, 4), "111", "101"), ((1, 1, 1), "111", "111"),
]  # fmt: skip


def _inputs(shape, of_a, of_b):
    """Return a and b, with some equal numbers where both have them."""
    a, b = (random(*(n if has == "1" else 1 for n, has in zip(shape, of, strict=True)), dtype=np.float32, seed=seed)
            for seed, of in enumerate((of_a, of_b)))
    if a.shape == b.shape:
        b[..., ::3] = a[..., ::3]
    return a, b


CASES = [(code, *one) for code in CODES for one in SHAPES
         if code in ("SUM", "PRODUCT") or one[1:] == ("111", "111") or (code == "PRELU" and one[1] == "111")]


@pytest.mark.parametrize(("name", "shape", "of_a", "of_b"), CASES, ids=str)
def test_merging_agrees_with_its_twin(name, shape, of_a, of_b):
    code = CODES[name]
    a, b = _inputs(shape, of_a, of_b)
    dy, y = random(*shape, dtype=np.float32, seed=2), unwritten(*shape, dtype=np.float32)
    da, db = unwritten(*a.shape, dtype=np.float32), unwritten(*b.shape, dtype=np.float32)
    scratch = unwritten(cuda.merge_backward_scratch(shape, a.shape, b.shape, np.float32), dtype=np.float32)
    with inputs_unchanged(a, b, dy):
        merge_forward(y, a, b, code, ALPHA, BETA, 1)
        merge_backward(da, db, scratch, dy, a, b, code, ALPHA, BETA)
    assert_close(y, reference.merge_forward(a, b, code, ALPHA, BETA, 1))
    for got, expected in zip((da, db), reference.merge_backward(dy, a, b, code, ALPHA, BETA), strict=True):
        assert_close(got, expected)


def test_masks_hide_what_they_cover_and_a_gradient_nobody_wants_is_not_written():
    a, b = np.array([[[np.nan, 2, 3]]], np.float32), np.array([[[0, 2, np.nan]]], np.float32)
    y = unwritten(1, 1, 3, dtype=np.float32)
    merge_forward(y, a, b, codes.MASK, 1, 1, 0)
    np.testing.assert_array_equal(y, [[[0, 4, np.nan]]])
    da, none = unwritten(1, 1, 3, dtype=np.float32), np.empty((0, 0, 0), np.float32)
    merge_backward(da, none, np.empty(0, np.float32), a, a, b, codes.SUM, 2, 3)
    np.testing.assert_array_equal(da, 2 * a)


def test_a_long_sum_is_as_exact_as_a_short_one():
    dy = np.full((1, 3000, 1), 0.1, np.float32)
    a, b = np.ones((1, 3000, 1), np.float32), np.ones((1, 1, 1), np.float32)
    db, none = unwritten(1, 1, 1, dtype=np.float32), np.empty((0, 0, 0), np.float32)
    scratch = unwritten(cuda.merge_backward_scratch(dy.shape, (0, 0, 0), b.shape, np.float32), dtype=np.float32)
    merge_backward(none, db, scratch, dy, a, b, codes.PRODUCT, 1, 1)
    assert abs(db.item() - 3000 * np.float64(np.float32(0.1))) <= 300 * 2**-24
