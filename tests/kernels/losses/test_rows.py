import numpy as np
import pytest

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.losses.rows import fold_losses, row_loss
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
CODES = {"COSINE": codes.COSINE, "CATEGORICAL_HINGE": codes.CATEGORICAL_HINGE, "TVERSKY": codes.TVERSKY}
SETTINGS = {"TVERSKY": (0.3, 0.6, 1e-7)}

names = pytest.mark.parametrize("name", CODES)
weighted = pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])


def _run(name, x, targets, weights=None):
    losses, dx = unwritten(len(x), dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype)
    alone, none = unwritten(len(x), dtype=x.dtype), np.empty((0, x.shape[1]), x.dtype)
    weights = np.empty(0, x.dtype) if weights is None else weights
    settings = CODES[name], *SETTINGS.get(name, (0.0, 0.0, 0.0)), SCALE
    with inputs_unchanged(x, targets, weights):
        row_loss(losses, dx, x, targets, weights, *settings)
        row_loss(alone, none, x, targets, weights, *settings)
    np.testing.assert_array_equal(alone, losses)
    return losses, dx


def _data(name, shape, dtype):
    draw = np.random.default_rng(4)
    x = draw.random(shape).astype(dtype) if name == "TVERSKY" else random(*shape, dtype=dtype)
    targets = np.eye(shape[1])[draw.integers(0, shape[1], shape[0])] if name != "COSINE" else draw.random(shape)
    return x, targets.astype(dtype)


@types
@weighted
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 1), (128, 10), (3, 5000), (30_001, 3)], ids=str)
@names
def test_row_loss_agrees_with_its_twin(name, shape, weighted, dtype):
    shape = (min(many(shape[0]), 5001), shape[1])
    x, targets = _data(name, shape, dtype)
    weights = np.random.default_rng(5).random(shape[0] if weighted else 0).astype(dtype)
    expected = reference.row_loss(x, targets, weights, CODES[name], *SETTINGS.get(name, (0.0, 0.0, 0.0)), SCALE)
    losses, dx = _run(name, x, targets, weights)
    assert_close(losses, expected[0])
    if name == "COSINE" and shape[1] == 1:
        np.testing.assert_allclose(dx, 0, atol=1e-6 / np.abs(x).min(initial=1))  # along x nothing changes
    else:
        assert_close(dx, expected[1], factor=2)


@names
def test_the_gradient_of_a_row_loss_is_the_slope(name):
    x, targets = _data(name, (4, 5), np.float64)
    assert_slope(_run(name, x, targets)[1],
                 slope(lambda x: SCALE * _run(name, x, targets)[0], x, np.ones(4), step=1e-6))


@types
def test_the_cosine_of_nothing_is_nought(dtype):
    losses, dx = _run("COSINE", np.array([[0, 0], [1, 2]], dtype), np.array([[1, 0], [0, 0]], dtype))
    np.testing.assert_array_equal(losses, 0)
    np.testing.assert_array_equal(dx[1], 0)


@types
@names
def test_a_nan_among_the_predictions_reaches_loss_and_gradient(name, dtype):
    x, targets = _data(name, (3, 3), dtype)
    x[1, 1] = np.nan
    losses, dx = _run(name, x, targets)
    assert np.isnan(losses).tolist() == [False, True, False]
    assert np.isnan(dx[1]).any() or name == "CATEGORICAL_HINGE"  # whose slope does not depend on x
    assert np.isfinite(dx[[0, 2]]).all()


@types
@pytest.mark.parametrize("shape", [(0, 3), (3, 1), (7, 13), (30, 5001)], ids=str)
def test_fold_losses_agrees_with_its_twin(shape, dtype):
    values, losses = random(many(shape[0]), shape[1], dtype=dtype) + 1, unwritten(many(shape[0]), dtype=dtype)
    with inputs_unchanged(values):
        fold_losses(losses, values, 1.5)
    assert_close(losses, reference.fold_losses(values, 1.5))


def test_row_losses_give_the_same_bits_from_any_number_of_threads_and_compile_once_a_type():
    def run(dtype, rows):
        folded = unwritten(rows, dtype=dtype)
        fold_losses(folded, random(rows, 50, dtype=dtype), 2.0)
        return folded, *(a for name in CODES for a in _run(name, *_data(name, (rows, 50), dtype)))

    assert_same_bits(lambda: run(np.float32, 3000))
    run(np.float64, 3)
    assert_one_specialization_a_type(row_loss, fold_losses)
