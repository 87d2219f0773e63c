import numpy as np
import pytest

from fastcnn.kernels.cpu.losses.categorical import categorical_crossentropy, sparse_categorical_crossentropy
from tests import reference
from tests.kernels.checking import (
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

gammas = pytest.mark.parametrize("gamma", [0.0, 2.0, 1.5])
sizes = pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 1), (3, 2), (128, 10), (3, 1001), (30_001, 3)], ids=str)
weighted = pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])


def _run(x, targets, *settings, weights=None):
    """Return losses and gradients, after a run without gradients that must give the same losses."""
    kernel = sparse_categorical_crossentropy if targets.ndim == 1 else categorical_crossentropy
    losses, dx = unwritten(len(x), dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype)
    alone, none = unwritten(len(x), dtype=x.dtype), np.empty((0, x.shape[1]), x.dtype)
    weights = np.empty(0, x.dtype) if weights is None else weights
    with inputs_unchanged(x, targets, weights):
        kernel(losses, dx, x, targets, weights, *settings, SCALE)
        kernel(alone, none, x, targets, weights, *settings, SCALE)
    assert_close(alone, losses)
    return losses, dx


def _probabilities(shape, dtype):
    x = np.exp(random(*shape))
    return (x / x.sum(axis=1, keepdims=True)).astype(dtype) if shape[1] > 1 else (x / (1 + x)).astype(dtype)


def _labels(shape):
    return np.random.default_rng(3).integers(0, shape[1], shape[0])


def _soft(shape, dtype):
    return np.random.default_rng(4).random(shape).astype(dtype)


def _weights(shape, dtype, weighted):
    if not weighted:
        return np.empty(0, dtype)
    weights = np.random.default_rng(5).random(shape[0]).astype(dtype)
    weights[::3] = 0
    return weights


@types
@weighted
@sizes
def test_sparse_categorical_crossentropy_agrees_with_its_twin(shape, weighted, dtype):
    shape = tuple(map(many, shape))
    x, labels, weights = _probabilities(shape, dtype), _labels(shape), _weights(shape, dtype, weighted)
    for got, expected in zip(_run(x, labels, weights=weights),
                             reference.sparse_categorical_crossentropy(x, labels, weights, SCALE), strict=True):
        assert_close(got, expected)


@types
@gammas
@weighted
@sizes
def test_categorical_crossentropy_agrees_with_its_twin(shape, weighted, gamma, dtype):
    shape = tuple(map(many, shape))
    x, targets, weights = _probabilities(shape, dtype), _soft(shape, dtype), _weights(shape, dtype, weighted)
    # The gradient of a row of one class is 0 but for rounding: a difference of large terms in a focal loss.
    factor = 1 if gamma == 0 else 8
    for got, expected in zip(_run(x, targets, gamma, weights=weights), reference.categorical_crossentropy(
            x, targets, weights, gamma, SCALE), strict=True):
        if shape[1] == 1 and expected.ndim == 2:
            np.testing.assert_allclose(got, 0, atol=1e-6)
        else:
            assert_close(got, expected, factor)


def test_gradients_are_the_slopes():
    x, soft, weights = _probabilities((4, 5), np.float64), _soft((4, 5), np.float64), _soft((4,), np.float64)
    for targets, settings in ((_labels((4, 5)), ()), (soft, (0.0,)), (soft, (2.0,))):
        losses = lambda x, t=targets, s=settings: SCALE * _run(x, t, *s, weights=weights)[0]
        assert_slope(_run(x, targets, *settings, weights=weights)[1], slope(losses, x, np.ones(4), step=1e-6))


@types
def test_probabilities_of_zero_and_one_are_clipped_and_pass_no_gradient(dtype):
    losses, dx = _run(np.array([[0, 1], [1, 0]], dtype), np.array([0, 0]))
    np.testing.assert_allclose(losses, [-np.log(float(dtype(1e-7))), -np.log(float(dtype(1 - 1e-7)))], rtol=1e-6)
    np.testing.assert_array_equal(dx, 0)


@types
def test_an_impossible_label_shows_as_nan_and_disturbs_no_other_row(dtype):
    losses, dx = _run(_probabilities((4, 3), dtype), np.array([0, 3, -1, 2]))
    assert np.isnan(losses).tolist() == [False, True, True, False]
    assert np.isnan(dx).all(axis=1).tolist() == [False, True, True, False]
    assert np.isfinite(dx[[0, 3]]).all()


@types
def test_a_row_without_weight_may_have_any_label(dtype):
    losses, dx = _run(_probabilities((4, 3), dtype), np.array([0, 255, -1, 2]), weights=np.array([1, 0, 0, 1], dtype))
    np.testing.assert_array_equal(losses[1:3], 0)
    np.testing.assert_array_equal(dx[1:3], 0)
    assert np.all(losses[[0, 3]] > 0)


@types
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_nan_among_the_predictions_reaches_loss_and_gradient(dtype, column):
    soft = _soft((3, 3), dtype)
    for targets, settings in ((np.array([0, 1, 2]), ()), (soft, (0.0,)), (soft, (2.0,))):
        x = _probabilities((3, 3), dtype)
        x[1, column] = np.nan
        losses, dx = _run(x, targets, *settings)
        assert np.isnan(losses).tolist() == [False, True, False]
        assert np.isnan(dx[1, column])
        assert np.isfinite(dx[[0, 2]]).all()


def test_categorical_losses_give_the_same_bits_from_any_number_of_threads_and_compile_once_a_type():
    shape = (30_001, 7)
    x = _probabilities(shape, np.float32)
    assert_same_bits(lambda: (
        *_run(x, _labels(shape)), *_run(x, _soft(shape, np.float32), 0.0), *_run(x, _soft(shape, np.float32), 2.0)))
    _run(x[:3].astype(np.float64), np.array([0, 1, 2]))
    _run(x[:3].astype(np.float64), _soft((3, 7), np.float64), 0.0)
    assert_one_specialization_a_type(sparse_categorical_crossentropy, categorical_crossentropy)
