import numpy as np
import pytest

from fastcnn.kernels import codes
from fastcnn.kernels.codes import saves_input
from fastcnn.kernels.cpu.compile.policy import kernel, registry
from fastcnn.kernels.cpu.elementwise import activate_loops, activate_slopes
from fastcnn.kernels.cpu.elementwise.activate import activate, activate_backward
from fastcnn.kernels.cpu.elementwise.activation import activation_backward, activation_forward
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

MERGING = {"SUM", "PRODUCT", "MAXIMUM", "MINIMUM", "PRELU"}
CODES = {name: code for name, code in vars(codes).items()
         if name.isupper() and isinstance(code, int) and name not in MERGING}
ALPHA, BETA = 0.3, 0.2
CORNERS = [code for name, code in CODES.items() if name in (
    "LINEAR", "RELU", "STEP", "LEAKY_RELU", "CLIP", "HARD_SIGMOID", "HARD_SILU", "SHRINK", "THRESHOLD", "SPARSE_PLUS")]

every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())


def _forward(x, code, beta=BETA):
    y = unwritten(*x.shape, dtype=x.dtype)
    activation_forward(y, x, code, ALPHA, beta)
    return y


def _backward(dy, x, code, beta=BETA):
    dx = unwritten(*x.shape, dtype=x.dtype)
    saved = x if saves_input(code) else _forward(x, code, beta)
    with inputs_unchanged(dy, saved):
        activation_backward(dx, dy, saved, code, ALPHA, beta)
    return dx


@types
@every_code
@pytest.mark.parametrize("size", [0, 1, 37, 100_003])
def test_activation_agrees_with_its_twin(code, dtype, size):
    x, dy = 3 * random(many(size), dtype=dtype), random(many(size), dtype=dtype, seed=1)
    with inputs_unchanged(x):
        y = _forward(x, code)
    assert_close(y, reference.activation_forward(x, code, ALPHA, BETA))
    assert_close(_backward(dy, x, code), reference.activation_backward(dy, x, code, ALPHA, BETA))


@types
@every_code
def test_activation_in_place_is_the_same(code, dtype):
    x = random(many(70_001), dtype=dtype)
    expected = _forward(x, code)
    activation_forward(x, x, code, ALPHA, BETA)
    np.testing.assert_array_equal(x, expected)


@types
@every_code
def test_activation_gradient_in_place_is_the_same(code, dtype):
    x, dy = random(many(70_001), dtype=dtype), random(many(70_001), dtype=dtype, seed=1)
    saved = x if saves_input(code) else _forward(x, code)
    expected = _backward(dy, x, code)
    activation_backward(dy, dy, saved, code, ALPHA, BETA)
    np.testing.assert_array_equal(dy, expected)


@kernel
def _on_a_range(y, dx, dy, saved, at, count, code, alpha):
    activate(y, at, count, code, alpha)
    activate_backward((dx, at + 1), (dy, at + 2), (saved, at + 3), count, code, alpha)


registry.pop("tests.kernels.elementwise.test_activation._on_a_range")


@types
@every_code
def test_a_kernel_may_activate_a_range_of_an_array_of_any_rank(code, dtype):
    if not PLAIN:
        _on_a_range._cache.disable()  # it is no kernel of the package
    x, dy = random(3, 5, 40, dtype=dtype), random(700, dtype=dtype, seed=1)
    y, dx, saved = x.copy(), np.full_like(dy, 7), np.full_like(dy, np.nan)
    at, count = 13, 500
    part = slice(at, at + count)
    flat = x.reshape(-1)[part]
    saved[at + 3:at + 3 + count] = flat if saves_input(code) else _forward(flat, code, 0.0)
    _on_a_range(y, dx, dy, saved, at, count, code, ALPHA)
    expected = x.reshape(-1).copy()
    expected[part] = _forward(x.reshape(-1)[part].copy(), code, 0.0)
    np.testing.assert_array_equal(y.reshape(-1), expected)
    expected = np.full_like(dy, 7)
    expected[at + 1:at + 1 + count] = _backward(dy[at + 2:at + 2 + count].copy(), x.reshape(-1)[part].copy(), code, 0.0)
    np.testing.assert_array_equal(dx, expected)


@every_code
def test_activation_gradient_is_the_slope(code):
    x, dy = random(41) + 0.01, random(41, seed=1)
    assert_slope(_backward(dy, x, code), slope(lambda x: reference.activation_forward(x, code, ALPHA, BETA), x, dy))


@types
@every_code
def test_activation_passes_nan_on_and_takes_infinity(code, dtype):
    x = np.array([np.nan, np.inf, 200, -200, 0.0], dtype).repeat(20)
    y = _forward(x, code)
    assert np.isnan(y[:20]).all()
    with np.errstate(all="ignore"):
        assert_close(y[20:], reference.activation_forward(x[20:], code, ALPHA, BETA).astype(dtype))
    if code not in CORNERS:
        assert np.isnan(_backward(np.ones_like(x), x, code)[:20]).all()


@types
def test_far_from_zero_nothing_cancels(dtype):
    x = np.array([-30, -12, -3, 3, 12, 30], dtype)
    for code in (codes.SOFTPLUS, codes.LOG_SIGMOID, codes.MISH, codes.SQUAREPLUS, codes.SILU):
        y = reference.activation_forward(x, code, ALPHA, BETA)
        slope = reference.activation_backward(1, x, code, ALPHA, BETA)
        np.testing.assert_allclose(_forward(x, code), y, rtol=3e-6)
        if code != codes.SQUAREPLUS:
            np.testing.assert_allclose(_backward(np.ones_like(x), x, code), slope, rtol=1e-5)


@types
def test_derivatives_at_the_corner_are_keras_s(dtype):
    zero, one = np.zeros(1, dtype), np.ones(1, dtype)
    assert _forward(zero, codes.STEP) == 1
    assert _backward(one, zero, codes.RELU) == 0
    assert _backward(one, zero, codes.STEP) == 0
    assert _backward(one, zero, codes.LEAKY_RELU) == dtype(ALPHA)
    assert _backward(one, zero, codes.CLIP, 0.0) == 0
    assert _backward(one, dtype(ALPHA) * one, codes.CLIP) == 0


@every_code
def test_activation_gives_the_same_bits_from_any_number_of_threads(code):
    x = random(many(200_001), dtype=np.float32)
    assert_same_bits(lambda: (_forward(x, code), _backward(x, x, code)))


@pytest.mark.skipif(PLAIN, reason="there is nothing compiled")
def test_the_loops_behind_the_symbols_are_vector_instructions():
    flat = np.zeros(8, np.float32)
    assert_vectors(activate_loops.forward_loop.py_func, flat, codes.TANH, ALPHA, BETA)
    assert_vectors(activate_slopes.backward_loop.py_func, flat, flat, codes.TANH, ALPHA, BETA)


def test_activation_compiles_once_a_type():
    for dtype in TYPES:
        x = random(5, dtype=dtype)
        _backward(x, x, codes.TANH)
    assert_one_specialization_a_type(activation_forward, activation_backward)
