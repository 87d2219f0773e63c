import numpy as np
import pytest

from fastcnn.kernels import codes
from fastcnn.kernels.cpu.elementwise.merge import merge_backward, merge_backward_scratch, merge_forward
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)

CODES = {name: getattr(codes, name) for name in ("SUM", "PRODUCT", "MAXIMUM", "MINIMUM", "PRELU")}
ONE_SHAPE = (codes.MAXIMUM, codes.MINIMUM)
every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
ALPHA, BETA = 0.75, -1.5

SHAPES = [  # of y, and which of its dimensions a and b have
    ((2, 3, 5), "111", "111"), ((1, 1, 100_003), "111", "111"), ((3, 40, 17), "111", "101"),
    ((3, 40, 17), "100", "111"), ((1, 900, 33), "111", "110"), ((70, 50, 16), "111", "001"),
    ((50, 7, 300), "111", "010"), ((9, 8, 20), "101", "011"), ((9, 8, 20), "110", "101"), ((4, 5, 6), "001", "110"),
    ((2, 400, 90), "111", "000"), ((0, 3, 4), "111", "101"), ((5, 0, 4), "111", "100"), ((1, 1, 1), "111", "111"),
    ((40, 3, 400), "111", "011"),
]  # fmt: skip
every_shape = pytest.mark.parametrize(("shape", "of_a", "of_b"), SHAPES, ids=str)


def _inputs(shape, of_a, of_b, dtype):
    """Return a and b, with some equal numbers where both have them."""
    small = tuple(min(n, 12) for n in shape) if PLAIN and shape[2] < 1000 else tuple(map(many, shape))
    a, b = (random(*(n if has == "1" else 1 for n, has in zip(small, of, strict=True)), dtype=dtype, seed=seed)
            for seed, of in enumerate((of_a, of_b)))
    if a.shape == b.shape:
        b[..., ::3] = a[..., ::3]
    return small, a, b


def _forward(shape, a, b, code, relu=0):
    y = unwritten(*shape, dtype=a.dtype)
    with inputs_unchanged(a, b):
        merge_forward(y, a, b, code, ALPHA, BETA, relu)
    return y


def _backward(dy, a, b, code, wanted=(True, True)):
    da, db = (unwritten(*x.shape, dtype=x.dtype) if want else np.empty((0, 0, 0), x.dtype)
              for x, want in zip((a, b), wanted, strict=True))
    scratch = unwritten(merge_backward_scratch(dy.shape, da.shape, db.shape, dy.dtype), dtype=dy.dtype)
    with inputs_unchanged(dy, a, b):
        merge_backward(da, db, scratch, dy, a, b, code, ALPHA, BETA)
    return da, db


@types
@every_code
@every_shape
def test_merge_agrees_with_its_twin(shape, of_a, of_b, code, dtype):
    if code == codes.PRELU and of_a != "111":
        of_a, of_b = "111", of_a
    if code in ONE_SHAPE:
        of_a = of_b = "111"
    shape, a, b = _inputs(shape, of_a, of_b, dtype)
    for relu in (0, 1) if code == codes.SUM else (0,):
        assert_close(_forward(shape, a, b, code, relu), reference.merge_forward(a, b, code, ALPHA, BETA, relu))
    dy = random(*shape, dtype=dtype, seed=2)
    terms = dy.size / max(1, min(a.size, b.size))
    expected = reference.merge_backward(dy, a, b, code, ALPHA, BETA)
    for got, right in zip(_backward(dy, a, b, code), expected, strict=True):
        assert_close(got, right, factor=max(1, terms**0.5))


@every_code
def test_one_gradient_alone_is_the_same(code):
    shape, a, b = _inputs((5, 90, 80), "111", "111" if code in ONE_SHAPE else "001", np.float32)
    dy = random(*shape, dtype=np.float32, seed=2)
    both = _backward(dy, a, b, code)
    for k, wanted in enumerate(((True, False), (False, True))):
        assert_close(_backward(dy, a, b, code, wanted)[k], both[k], factor=10)


@types
@every_code
@pytest.mark.parametrize("of_b", ["111", "000"])
def test_nan_on_either_side_gives_nan_and_infinity_is_taken(code, of_b, dtype):
    a = np.array([np.nan, 1, np.inf, -np.inf] * 10, dtype).reshape(1, 1, 40)
    b = np.full((1, 1, 40 if of_b == "111" or code in ONE_SHAPE else 1), 2, dtype)
    assert_close(_forward(a.shape, a, b, code), reference.merge_forward(a, b, code, ALPHA, BETA, 0))
    b[...] = np.nan
    assert np.isnan(_forward(a.shape, a, b, code)).all() or code == codes.PRELU


@every_code
@pytest.mark.parametrize(("shape", "of_b"), [((8, 900, 40), "101"), ((64, 90, 70), "001"), ((64, 3, 900), "010"),
                                             ((1, 1, 200_001), "111")], ids=str)
def test_merge_gives_the_same_bits_from_any_number_of_threads(shape, of_b, code):
    shape, a, b = _inputs(shape, "111", "111" if code in ONE_SHAPE else of_b, np.float32)
    dy = random(*shape, dtype=np.float32, seed=2)
    assert_same_bits(lambda: (_forward(shape, a, b, code), *_backward(dy, a, b, code)))


@types
@every_shape
def test_a_mask_leaves_nothing_of_what_it_takes_away(shape, of_a, of_b, dtype):
    shape, a, mask = _inputs(shape, "111", of_b, dtype)
    mask[mask < 0] = 0
    assert_close(_forward(shape, a, mask, codes.MASK), reference.merge_forward(a, mask, codes.MASK, 0, 0, 0))
    a[::2], a[1::2, ::2] = np.nan, np.inf
    y, dropped = _forward(shape, a, mask, codes.MASK), np.broadcast_to(mask, shape) == 0
    np.testing.assert_array_equal(y[dropped], 0)
    assert not np.isfinite(y[~dropped & ~np.isfinite(a)]).any()


def test_merge_compiles_once_a_type():
    for dtype in TYPES:
        shape, a, b = _inputs((2, 3, 4), "111", "101", dtype)
        _backward(_forward(shape, a, b, codes.SUM), a, b, codes.SUM)
    assert_one_specialization_a_type(merge_forward, merge_backward)
