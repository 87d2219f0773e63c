import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn.kernels.cpu.elementwise.softmax import largest
from fastcnn.kernels.cpu.losses.softmax import softmax_categorical_crossentropy, softmax_sparse_categorical_crossentropy
from fastcnn.kernels.cpu.simd.width import features
from tests import reference
from tests.kernels.checking import (
    PLAIN,
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

SCALE = 0.25

kinds = pytest.mark.parametrize("sparse", [True, False], ids=["classes", "distributions"])


def _kernel(sparse):
    return softmax_sparse_categorical_crossentropy if sparse else softmax_categorical_crossentropy


def _targets(shape, dtype, sparse):
    draw = np.random.default_rng(3)
    return draw.integers(0, shape[1], shape[0]) if sparse else draw.random(shape).astype(dtype)


def _run(x, targets, weights=None):
    """Return losses, gradients and probabilities, after runs without the one or the other or both."""
    kernel = _kernel(targets.ndim == 1)
    outputs = lambda: (unwritten(len(x), dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype),
                       unwritten(*x.shape, dtype=x.dtype))
    none = np.empty((0, x.shape[1]), x.dtype)
    weights = np.empty(0, x.dtype) if weights is None else weights
    with inputs_unchanged(x, targets, weights):
        losses, dx, probabilities = outputs()
        kernel(losses, dx, probabilities, x, targets, weights, SCALE)
        again, dx_alone, probabilities_alone = outputs()
        kernel(again, dx_alone, none, x, targets, weights, SCALE)
        assert_close(again, losses)
        kernel(again, none, probabilities_alone, x, targets, weights, SCALE)
        assert_close(again, losses)
        kernel(again, none, none, x, targets, weights, SCALE)
        assert_close(again, losses)
    assert_close(dx_alone, dx)
    assert_close(probabilities_alone, probabilities)
    return losses, dx, probabilities


def _agree(x, targets, weights=None):
    given = np.empty(0, x.dtype) if weights is None else weights
    for got, expected in zip(_run(x, targets, weights), getattr(reference, _kernel(targets.ndim == 1).__name__)(
            x, targets, given, SCALE), strict=True):
        assert_close(got, expected)


@types
@kinds
@pytest.mark.parametrize("shape", [
    (0, 3), (1, 1), (5, 1), (3, 2), (128, 10), (3, 1001), (2, 5000), (30_001, 3), (30_001, 2)], ids=str)
def test_softmax_with_crossentropy_agrees_with_its_twin(shape, dtype, sparse):
    shape = tuple(map(many, shape))
    _agree(3 * random(*shape, dtype=dtype), _targets(shape, dtype, sparse))


@types
@pytest.mark.parametrize("classes", [2, 5, 8, 9])
def test_a_row_has_the_same_bits_whatever_else_is_wanted_and_beside_any_others(classes, dtype):
    x, labels = 3 * random(300, classes, dtype=dtype), _targets((300, classes), dtype, True)

    def run(rows, *wanted):
        outputs = [unwritten(*x[rows if wants else slice(0)].shape, dtype=dtype) for wants in wanted]
        losses = unwritten(len(x[rows]), dtype=dtype)
        softmax_sparse_categorical_crossentropy(losses, *outputs, x[rows], labels[rows], np.empty(0, dtype), SCALE)
        return [losses, *outputs]

    whole = run(slice(None), True, True)
    for rows in (slice(None), slice(0, 1), slice(7, 26)):
        for wanted in ((True, True), (True, False), (False, True), (False, False)):
            for got, all_of_it in zip(run(rows, *wanted), whole, strict=True):
                if any(wanted) or features()[0] == "AVX-512":
                    assert got.size == 0 or got.tobytes() == all_of_it[rows].tobytes()
                elif got.size:  # exponentials that are kept nowhere may be summed in another order on shorter vectors
                    np.testing.assert_allclose(got, all_of_it[rows], atol=8 * np.finfo(dtype).eps)


@types
@kinds
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (128, 10), (2, 5000)], ids=str)
def test_weighted_softmax_with_crossentropy_agrees_with_its_twin(shape, dtype, sparse):
    weights = np.random.default_rng(5).random(shape[0]).astype(dtype)
    weights[::3] = 0
    _agree(3 * random(*shape, dtype=dtype), _targets(shape, dtype, sparse), weights)


@types
def test_a_row_without_weight_may_have_any_label(dtype):
    weights = np.array([1, 0, 0, 1], dtype)
    losses, dx, probabilities = _run(random(4, 3, dtype=dtype), np.array([0, 255, -1, 2]), weights)
    np.testing.assert_array_equal(losses[1:3], 0)
    np.testing.assert_array_equal(dx[1:3], 0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.skipif(PLAIN, reason="too much for plain Python")
@given(st.integers(1, 70), st.integers(1, 70), st.floats(0.1, 100), st.booleans(), st.sampled_from(TYPES))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_softmax_with_crossentropy_agrees_with_its_twin_at_any_size(rows, classes, spread, sparse, dtype):
    x = (spread * random(rows, classes, seed=rows)).astype(dtype)
    _agree(x, _targets(x.shape, dtype, sparse))


@kinds
def test_softmax_with_crossentropy_gradient_is_the_slope(sparse):
    x, targets = random(4, 5), _targets((4, 5), np.float64, sparse)
    assert_slope(_run(x, targets)[1], slope(lambda x: SCALE * _run(x, targets)[0], x, np.ones(4), step=1e-6))


@types
def test_extreme_logits_give_finite_losses(dtype):
    x = np.array([[1000, 1000]], dtype)
    np.testing.assert_allclose(_run(x, np.array([0]))[0], np.log(2), rtol=1e-6)
    x = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    losses, dx, probabilities = _run(x, np.array([0, 0]))
    np.testing.assert_allclose(losses, [0, 2e4])
    np.testing.assert_allclose(dx, [[0, 0], [-SCALE, SCALE]])
    np.testing.assert_allclose(probabilities, [[1, 0], [0, 1]])


@types
@pytest.mark.parametrize("classes", [2, 3])
def test_an_impossible_label_shows_as_nan_and_disturbs_no_other_row(classes, dtype):
    losses, dx, probabilities = _run(random(4, classes, dtype=dtype), np.array([0, classes, -1, classes - 1]))
    assert np.isnan(losses).tolist() == [False, True, True, False]
    assert np.isnan(dx).all(axis=1).tolist() == [False, True, True, False]
    assert np.isfinite(dx[[0, 3]]).all()
    assert np.isfinite(probabilities).all()


@types
@kinds
@pytest.mark.parametrize(("classes", "column"), [(40, 0), (40, 1), (40, 39), (2, 0), (2, 1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_nan_among_the_logits_reaches_its_row_and_no_other(classes, column, sign, dtype, sparse):
    x = random(3, classes, dtype=dtype)
    x[1, column] = np.copysign(np.nan, sign)
    for array in _run(x, _targets(x.shape, dtype, sparse)):
        rows = array.reshape(3, -1)
        assert np.isnan(rows[1]).all()
        assert np.isfinite(rows[[0, 2]]).all()


@types
def test_the_largest_is_found_among_zeros_infinities_and_subnormal_numbers(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    for row in ([-1, -2], [-0.0, 0.0], [tiny, 0, -tiny], [-np.inf, -np.inf], [3, np.inf, 5], [-tiny, -2 * tiny]):
        assert largest.py_func(np.array(row, dtype)) == max(row)


@kinds
def test_softmax_with_crossentropy_gives_the_same_bits_from_any_number_of_threads(sparse):
    x = random(30_001, 7, dtype=np.float32)
    assert_same_bits(lambda: _run(x, _targets(x.shape, np.float32, sparse)))


def test_softmax_with_crossentropy_compiles_once_a_type():
    for dtype in TYPES:
        _run(random(2, 3, dtype=dtype), np.array([0, 1]))
        _run(random(2, 3, dtype=dtype), random(2, 3, dtype=dtype))
    assert_one_specialization_a_type(softmax_sparse_categorical_crossentropy, softmax_categorical_crossentropy)


@types
def test_a_class_whose_target_is_nought_may_be_at_minus_infinity(dtype):
    x, t = np.array([[1, -np.inf, 2]], dtype), np.array([[1, 0, 0], [0, 1, 0]], dtype)
    losses, dx, probabilities = _run(x, t[:1])
    for got, want in zip((losses, dx, probabilities), _run(x, np.array([0])), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
    assert np.isinf(_run(x, t[1:])[0])
