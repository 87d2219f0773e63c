"""Twins of the activations, for `tests.reference`: each function and its derivative, from its definition."""

import math

import numpy as np

from fastcnn.kernels import codes

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_erf = np.vectorize(math.erf, otypes=[float])


def _sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def _pdf(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _cdf(x):
    return 0.5 * (1 + _erf(x / math.sqrt(2)))


def _elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _elu_slope(x, alpha):
    return np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))


def _inner(x):
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


def _gelu_tanh_slope(x):
    t = np.tanh(_inner(x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)


def _clip(x, low, high):
    return np.where(x < low, low, np.where(x > high, high, x))


def _within(x, low, high):
    return np.where((x <= low) | (x >= high), 0.0, 1.0)


def _mish_slope(x):
    t = np.tanh(np.logaddexp(0, x))
    return t + x * (1 - t * t) * _sigmoid(x)


def _squareplus(x, b):
    root = np.sqrt(x * x + b)
    return np.where(x < 0, b / (2 * (root - x)), (x + root) / 2)


_ACTIVATIONS = {  # f(x, alpha, beta), f'(x, alpha, beta)
    codes.LINEAR: (lambda x, a, b: x, lambda x, a, b: np.ones_like(x)),
    codes.RELU: (lambda x, a, b: np.where(x < 0, 0, x), lambda x, a, b: np.where(x <= 0, 0.0, 1.0)),
    codes.STEP: (lambda x, a, b: np.where(np.isnan(x), x, np.where(x >= 0, 1, 0)), lambda x, a, b: np.zeros_like(x)),
    codes.SIGMOID: (lambda x, a, b: _sigmoid(x), lambda x, a, b: _sigmoid(x) * _sigmoid(-x)),
    codes.TANH: (lambda x, a, b: np.tanh(x), lambda x, a, b: 1 / np.cosh(x) ** 2),
    codes.LEAKY_RELU: (lambda x, a, b: np.where(x > b, x, a * (x - b)), lambda x, a, b: np.where(x > b, 1, a)),
    codes.ELU: (lambda x, a, b: _elu(x, a), lambda x, a, b: _elu_slope(x, a)),
    codes.SELU: (lambda x, a, b: _SELU_SCALE * _elu(x, _SELU_ALPHA),
                 lambda x, a, b: _SELU_SCALE * _elu_slope(x, _SELU_ALPHA)),
    codes.SILU: (lambda x, a, b: x * _sigmoid(x), lambda x, a, b: _sigmoid(x) + x * _sigmoid(x) * _sigmoid(-x)),
    codes.GELU: (lambda x, a, b: x * _cdf(x), lambda x, a, b: _cdf(x) + x * _pdf(x)),
    codes.GELU_TANH: (lambda x, a, b: 0.5 * x * (1 + np.tanh(_inner(x))), lambda x, a, b: _gelu_tanh_slope(x)),
    codes.CLIP: (lambda x, a, b: _clip(x, b, a), lambda x, a, b: _within(x, b, a)),
    codes.HARD_SIGMOID: (lambda x, a, b: _clip(a * x + b, 0, 1), lambda x, a, b: a * _within(a * x + b, 0, 1)),
    codes.HARD_SILU: (lambda x, a, b: x * _clip(x + 3, 0, 6) / 6,
                      lambda x, a, b: np.where(x < -3, 0, np.where(x > 3, 1, x / 3 + 0.5))),
    codes.MISH: (lambda x, a, b: x * np.tanh(np.logaddexp(0, x)), lambda x, a, b: _mish_slope(x)),
    codes.SOFTPLUS: (lambda x, a, b: np.logaddexp(0, x), lambda x, a, b: _sigmoid(x)),
    codes.LOG_SIGMOID: (lambda x, a, b: -np.logaddexp(0, -x), lambda x, a, b: _sigmoid(-x)),
    codes.SOFTSIGN: (lambda x, a, b: x / (1 + np.abs(x)), lambda x, a, b: 1 / (1 + np.abs(x)) ** 2),
    codes.EXPONENTIAL: (lambda x, a, b: np.exp(x), lambda x, a, b: np.exp(x)),
    codes.CELU: (lambda x, a, b: np.maximum(x, 0) + a * np.expm1(np.minimum(x, 0) / a),
                 lambda x, a, b: np.where(x > 0, 1, np.exp(np.minimum(x, 0) / a))),
    codes.SCALED_ELU: (lambda x, a, b: b * _elu(x, a), lambda x, a, b: b * _elu_slope(x, a)),
    codes.SHRINK: (lambda x, a, b: np.where(np.abs(x) <= a, 0, x - b * np.sign(x)),
                   lambda x, a, b: np.where(np.abs(x) <= a, 0, 1)),
    codes.TANH_SHRINK: (lambda x, a, b: x - np.tanh(x), lambda x, a, b: np.tanh(x) ** 2),
    codes.THRESHOLD: (lambda x, a, b: np.where(x <= a, b, x), lambda x, a, b: np.where(x <= a, 0, 1)),
    codes.SQUAREPLUS: (lambda x, a, b: _squareplus(x, a),
                       lambda x, a, b: (1 + x / np.sqrt(x * x + a)) / 2),
    codes.SPARSE_PLUS: (lambda x, a, b: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
                        lambda x, a, b: _clip((x + 1) / 2, 0, 1)),
}


def activation_forward(x, code, alpha, beta):
    return _ACTIVATIONS[code][0](np.asarray(x, dtype=np.float64), alpha, beta)


def activation_backward(dy, x, code, alpha, beta):
    """Return dy f'(x): from the input x, whatever the kernel saves."""
    return np.asarray(dy, dtype=np.float64) * _ACTIVATIONS[code][1](np.asarray(x, dtype=np.float64), alpha, beta)
