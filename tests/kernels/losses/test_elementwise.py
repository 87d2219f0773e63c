import numpy as np
import pytest
from numba import types as kinds

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.losses import binary, elementwise
from fastcnn.kernels.cpu.losses.binary import binary_loss
from fastcnn.kernels.cpu.losses.elementwise import elementwise_loss
from fastcnn.kernels.cpu.losses.walk import element_arguments
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    assert_vectors,
    inputs_unchanged,
    many,
    random,
    slope,
    types,
    unwritten,
)

SCALE = 0.25
REGRESSION = ("SQUARED", "ABSOLUTE", "PERCENTAGE", "SQUARED_LOGARITHMIC", "HUBER", "LOG_COSH", "HINGE", "SQUARED_HINGE")
BINARY = ("POISSON", "KL_DIVERGENCE", "BINARY", "BINARY_LOGITS", "FOCAL", "FOCAL_LOGITS")
CODES = {name: getattr(codes, name) for name in (*REGRESSION, *BINARY)}
SETTINGS = {"HUBER": (0.7, 0.0, 0.0), "FOCAL": (2.0, 0.75, -0.5), "FOCAL_LOGITS": (1.5, 1.0, 0.0)}
NONE = np.empty(0)
OF_PROBABILITIES = ("KL_DIVERGENCE", "BINARY", "FOCAL", "POISSON", "SQUARED_LOGARITHMIC")

names = pytest.mark.parametrize("name", CODES)
sizes = pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 1), (3, 2), (128, 10), (3, 5000), (30_001, 3)], ids=str)


def _run(name, x, targets, weights=None, share=None):
    """Return losses and gradients, after a run without gradients that must give the same losses."""
    kernel = elementwise_loss if name in REGRESSION else binary_loss
    losses, dx = unwritten(len(x), dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype)
    alone, work = unwritten(len(x), dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype)
    weights = np.empty(0, x.dtype) if weights is None else weights
    settings = CODES[name], *SETTINGS.get(name, (0.0, 0.0, 0.0)), 1 / x.shape[1] if share is None else share, SCALE
    with inputs_unchanged(x, targets, weights):
        kernel(losses, dx, x, targets, weights, *settings, True)
        kernel(alone, work, x, targets, weights, *settings, False)
    np.testing.assert_array_equal(alone, losses)
    return losses, dx


def _data(name, shape, dtype):
    """Return predictions and targets away from kinks, where the slope of one side is as right as the other's."""
    draw = np.random.default_rng(4)
    if name in OF_PROBABILITIES:
        return draw.uniform(0.05, 0.95, shape).astype(dtype), draw.random(shape).astype(dtype)
    targets = draw.random(shape) if name.startswith(("BINARY", "FOCAL")) else draw.choice([-1.0, 1.0], shape)
    spread = 1 if name == "FOCAL_LOGITS" else 3  # a probability near 1 leaves float32 few digits for 1 - p
    return spread * random(*shape, dtype=dtype), targets.astype(dtype)


def _expected(name, x, targets, weights=NONE, share=None):
    twin = reference.elementwise_loss if name in REGRESSION else reference.binary_loss
    return twin(x, targets, weights, CODES[name], *SETTINGS.get(name, (0.0, 0.0, 0.0)),
                1 / x.shape[1] if share is None else share, SCALE)


@types
@sizes
@names
def test_elementwise_loss_agrees_with_its_twin(name, shape, dtype):
    shape = tuple(map(many, shape))
    x, targets = _data(name, shape, dtype)
    for got, expected in zip(_run(name, x, targets), _expected(name, x, targets), strict=True):
        assert_close(got, expected, factor=8 if name == "FOCAL_LOGITS" else 2)


@types
@pytest.mark.parametrize("shape", [(0, 3), (5, 1), (7, 3), (2, 5000)], ids=str)
@pytest.mark.parametrize("each", ["row", "element"])
@pytest.mark.parametrize("name", ["SQUARED", "BINARY_LOGITS", "FOCAL"])
def test_weighted_elementwise_loss_agrees_with_its_twin(name, shape, each, dtype):
    shape = tuple(map(many, shape))
    x, targets = _data(name, shape, dtype)
    weights = np.random.default_rng(5).random(shape[0] if each == "row" else x.size).astype(dtype)
    weights[::3] = 0
    for got, expected in zip(_run(name, x, targets, weights, 1.0), _expected(name, x, targets, weights, 1.0),
                             strict=True):
        assert_close(got, expected, factor=2)


@names
def test_the_gradient_of_an_elementwise_loss_is_the_slope(name):
    x, targets = _data(name, (4, 5), np.float64)
    losses = lambda x: SCALE * _run(name, x, targets)[0]
    assert_slope(_run(name, x, targets)[1], slope(losses, x, np.ones(4), step=1e-6))


@types
def test_binary_crossentropy_of_extreme_logits_is_finite(dtype):
    x = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    losses, dx = _run("BINARY_LOGITS", x, np.array([[1, 1], [0, 1]], dtype))
    np.testing.assert_allclose(losses, [5e3, 0])
    np.testing.assert_allclose(dx, [[0, -SCALE / 2], [0, 0]])


@types
@pytest.mark.parametrize("name", ["FOCAL", "FOCAL_LOGITS"])
def test_focal_loss_of_sure_predictions_is_finite(name, dtype):
    x = np.array([[0, 1], [1, 0]], dtype) if name == "FOCAL" else np.array([[-1e4, 1e4], [1e4, -1e4]], dtype)
    losses, dx = _run(name, x, np.array([[0, 1], [0, 1]], dtype))
    low, (b, c) = -np.log(float(dtype(1e-7))), SETTINGS[name][1:]
    assert losses[0] == pytest.approx(0, abs=1e-12)  # sure and right
    assert losses[1] == pytest.approx((b + (b + c)) / 2 * low, rel=0.01)  # sure and wrong
    assert np.isfinite(dx).all()


@types
def test_probabilities_of_zero_and_one_are_clipped_and_pass_no_gradient(dtype):
    x = np.array([[0, 1], [1, 0]], dtype)
    losses, dx = _run("BINARY", x, np.array([[1, 1], [1, 1]], dtype))
    low, high = float(dtype(1e-7)), float(dtype(1 - 1e-7))
    np.testing.assert_allclose(losses, -(np.log(low) + np.log(high)) / 2, rtol=1e-6)
    np.testing.assert_array_equal(dx, 0)


@types
@names
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_nan_among_the_predictions_reaches_loss_and_gradient(name, column, dtype):
    x, targets = _data(name, (3, 3), dtype)
    x[1, column] = np.nan
    losses, dx = _run(name, x, targets)
    assert np.isnan(losses).tolist() == [False, True, False]
    assert np.isnan(dx[1, column]) or name == "HINGE"  # whose slope does not depend on x
    assert np.isfinite(dx[[0, 2]]).all()


def test_elementwise_losses_give_the_same_bits_from_any_number_of_threads():
    shape = (30_001, 7)
    assert_same_bits(lambda: [a for name in CODES for a in _run(name, *_data(name, shape, np.float32))])


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_the_loops_of_elements_become_vector_instructions():
    for function in (elementwise._elementwise_values, elementwise._elementwise_slopes, binary._binary_values,
                     binary._binary_slopes):
        assert_vectors(function, *element_arguments(kinds.float32))


def test_elementwise_loss_compiles_once_a_type():
    for dtype in TYPES:
        for name in ("SQUARED", "BINARY"):
            _run(name, *_data(name, (2, 3), dtype), np.ones(2, dtype))
    assert_one_specialization_a_type(elementwise_loss, binary_loss)
