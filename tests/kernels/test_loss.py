import numpy as np
import pytest

from fastcnn.kernels.cpu.loss import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
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
    unwritten,
)

SCALE = 0.25

types = pytest.mark.parametrize("dtype", TYPES)
logits = pytest.mark.parametrize("from_logits", [True, False], ids=["logits", "probabilities"])
sizes = pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 1), (3, 2), (128, 10), (3, 1001), (30_001, 3)], ids=str)


def _run(kernel, x, targets, *settings):
    """Return losses and gradients, after a run without gradients that must give the same losses."""
    losses, dx = unwritten(len(x), dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype)
    alone, none = unwritten(len(x), dtype=x.dtype), np.empty((0, x.shape[1]), x.dtype)
    with inputs_unchanged(x, targets):
        kernel(losses, dx, x, targets, *settings, SCALE)
        kernel(alone, none, x, targets, *settings, SCALE)
    assert_close(alone, losses)
    return losses, dx


def _probabilities(shape, dtype):
    x = np.exp(random(*shape))
    return (x / x.sum(axis=1, keepdims=True)).astype(dtype) if shape[1] > 1 else (x / (1 + x)).astype(dtype)


def _predictions(shape, dtype, from_logits):
    return 3 * random(*shape, dtype=dtype) if from_logits else _probabilities(shape, dtype)


def _labels(shape):
    return np.random.default_rng(3).integers(0, shape[1], shape[0])


def _soft(shape, dtype):
    return np.random.default_rng(4).random(shape).astype(dtype)


def _agree(got, expected):
    for a, b in zip(got, expected, strict=True):
        assert_close(a, b)


@types
@sizes
def test_sparse_categorical_crossentropy_agrees_with_its_twin(shape, dtype):
    shape = (many(shape[0]), shape[1])
    x, labels = _probabilities(shape, dtype), _labels(shape)
    _agree(_run(sparse_categorical_crossentropy, x, labels),
           reference.sparse_categorical_crossentropy(x, labels, SCALE))


@types
@sizes
def test_categorical_crossentropy_agrees_with_its_twin(shape, dtype):
    shape = (many(shape[0]), shape[1])
    x, targets = _probabilities(shape, dtype), _soft(shape, dtype)
    _agree(_run(categorical_crossentropy, x, targets), reference.categorical_crossentropy(x, targets, SCALE))


@types
@logits
@sizes
def test_binary_crossentropy_agrees_with_its_twin(shape, dtype, from_logits):
    shape = (many(shape[0]), shape[1])
    x, targets = _predictions(shape, dtype, from_logits), _soft(shape, dtype)
    _agree(_run(binary_crossentropy, x, targets, from_logits),
           reference.binary_crossentropy(x, targets, from_logits, SCALE))


@types
@sizes
def test_mean_squared_error_agrees_with_its_twin(shape, dtype):
    shape = (many(shape[0]), shape[1])
    x, targets = random(*shape, dtype=dtype), _soft(shape, dtype)
    _agree(_run(mean_squared_error, x, targets), reference.mean_squared_error(x, targets, SCALE))


@logits
def test_binary_crossentropy_gradients_are_the_slopes(from_logits):
    x, targets = _predictions((4, 5), np.float64, from_logits), _soft((4, 5), np.float64)
    losses = lambda x: SCALE * _run(binary_crossentropy, x, targets, from_logits)[0]
    assert_slope(_run(binary_crossentropy, x, targets, from_logits)[1], slope(losses, x, np.ones(4), step=1e-6))


def test_loss_gradients_are_the_slopes():
    x, targets = _probabilities((4, 5), np.float64), _soft((4, 5), np.float64)
    for kernel, target in ((sparse_categorical_crossentropy, _labels((4, 5))), (categorical_crossentropy, targets),
                           (mean_squared_error, targets)):
        losses = lambda x, kernel=kernel, target=target: SCALE * _run(kernel, x, target)[0]
        assert_slope(_run(kernel, x, target)[1], slope(losses, x, np.ones(4), step=1e-6))


@types
def test_binary_crossentropy_of_extreme_logits_is_finite(dtype):
    x = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    losses, dx = _run(binary_crossentropy, x, np.array([[1, 1], [0, 1]], dtype), True)
    np.testing.assert_allclose(losses, [5e3, 0])
    np.testing.assert_allclose(dx, [[0, -SCALE / 2], [0, 0]])


@types
def test_probabilities_of_zero_and_one_are_clipped_and_pass_no_gradient(dtype):
    x = np.array([[0, 1], [1, 0]], dtype)
    low, high = float(dtype(1e-7)), float(dtype(1 - 1e-7))
    losses, dx = _run(sparse_categorical_crossentropy, x, np.array([0, 0]))
    np.testing.assert_allclose(losses, [-np.log(low), -np.log(high)], rtol=1e-6)
    np.testing.assert_array_equal(dx, 0)
    losses, dx = _run(binary_crossentropy, x, np.array([[1, 1], [1, 1]], dtype), False)
    np.testing.assert_allclose(losses, -(np.log(low) + np.log(high)) / 2, rtol=1e-6)
    np.testing.assert_array_equal(dx, 0)


@types
def test_an_impossible_label_shows_as_nan_and_disturbs_no_other_row(dtype):
    losses, dx = _run(sparse_categorical_crossentropy, _probabilities((4, 3), dtype), np.array([0, 3, -1, 2]))
    assert np.isnan(losses).tolist() == [False, True, True, False]
    assert np.isnan(dx).all(axis=1).tolist() == [False, True, True, False]
    assert np.isfinite(dx[[0, 3]]).all()


@types
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_nan_among_the_predictions_reaches_loss_and_gradient(dtype, column):
    targets = _soft((3, 3), dtype)
    for kernel, target, settings in (
            (sparse_categorical_crossentropy, np.array([0, 1, 2]), ()), (categorical_crossentropy, targets, ()),
            (binary_crossentropy, targets, (True,)), (binary_crossentropy, targets, (False,))):
        x = _predictions((3, 3), dtype, settings == (True,))
        x[1, column] = np.nan
        losses, dx = _run(kernel, x, target, *settings)
        assert np.isnan(losses).tolist() == [False, True, False]
        assert np.isnan(dx[1, column])
        assert np.isfinite(dx[[0, 2]]).all()
    losses, dx = _run(mean_squared_error, x, targets)
    assert np.isnan(losses).tolist() == [False, True, False]
    assert np.isnan(dx).sum() == 1


@logits
def test_losses_give_the_same_bits_from_any_number_of_threads(from_logits):
    shape = (30_001, 7)
    x, targets = _predictions(shape, np.float32, from_logits), _soft(shape, np.float32)
    assert_same_bits(lambda: (
        *_run(sparse_categorical_crossentropy, abs(x), _labels(shape)),
        *_run(categorical_crossentropy, abs(x), targets),
        *_run(binary_crossentropy, x, targets, from_logits),
        *_run(mean_squared_error, x, targets)))


def test_losses_compile_once_a_type():
    for dtype in TYPES:
        x = _soft((2, 3), dtype)
        _run(sparse_categorical_crossentropy, x, np.array([0, 1]))
        _run(categorical_crossentropy, x, x)
        _run(binary_crossentropy, x, x, True)
        _run(mean_squared_error, x, x)
    assert_one_specialization_a_type(
        sparse_categorical_crossentropy, categorical_crossentropy, binary_crossentropy, mean_squared_error)
