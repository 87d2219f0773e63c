"""Twins of the kernels: the same operations written to be obvious, in float64, slow, and sharing no code with them.

A twin has the name of its kernel. It takes the kernel's inputs, parameters, scalars and geometry, and returns what the
kernel writes (several outputs as a tuple, in the kernel's order); it knows no scratch.
"""

import math

import numpy as np

_erf = np.vectorize(math.erf, otypes=[float])


def _double(*arrays):
    return tuple(np.asarray(a, dtype=np.float64) for a in arrays)


# --- activation.py ----------------------------------------------------------------------------------------------------

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


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


_ACTIVATIONS = [  # in the order of the codes: (f(x, alpha), f'(x, alpha))
    (lambda x, a: x, lambda x, a: np.ones_like(x)),
    (lambda x, a: np.where(x < 0, 0, x), lambda x, a: np.where(x <= 0, 0.0, 1.0)),
    (lambda x, a: np.where(np.isnan(x), x, np.where(x >= 0, 1, 0)), lambda x, a: np.zeros_like(x)),
    (lambda x, a: _sigmoid(x), lambda x, a: _sigmoid(x) * _sigmoid(-x)),
    (lambda x, a: np.tanh(x), lambda x, a: 1 / np.cosh(x) ** 2),
    (lambda x, a: np.where(x > 0, x, a * x), lambda x, a: np.where(x > 0, 1, a)),
    (_elu, _elu_slope),
    (lambda x, a: _SELU_SCALE * _elu(x, _SELU_ALPHA), lambda x, a: _SELU_SCALE * _elu_slope(x, _SELU_ALPHA)),
    (lambda x, a: x * _sigmoid(x), lambda x, a: _sigmoid(x) + x * _sigmoid(x) * _sigmoid(-x)),
    (lambda x, a: x * _cdf(x), lambda x, a: _cdf(x) + x * _pdf(x)),
    (lambda x, a: 0.5 * x * (1 + np.tanh(_inner(x))), lambda x, a: _gelu_tanh_slope(x)),
]


def activation_forward(x, code, alpha):
    (x,) = _double(x)
    return _ACTIVATIONS[code][0](x, alpha)


def activation_backward(dy, x, code, alpha):
    """Return dy f'(x): from the input x, whatever the kernel saves."""
    dy, x = _double(dy, x)
    return dy * _ACTIVATIONS[code][1](x, alpha)


# --- softmax.py -------------------------------------------------------------------------------------------------------


def softmax_forward(x, log_of_it):
    (x,) = _double(x)
    e = np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))
    y = e / e.sum(axis=1, keepdims=True)
    return np.log(y) if log_of_it else y


def softmax_backward(dy, y, log_of_it):
    """Return the gradient through the whole matrix of derivatives."""
    dy, y = _double(dy, y)
    dx = np.zeros_like(y)
    for i, row in enumerate(y):
        p = np.exp(row) if log_of_it else row
        identity = np.eye(len(p))
        jacobian = identity - p[None, :] if log_of_it else p[:, None] * (identity - p[None, :])
        dx[i] = dy[i] @ jacobian
    return dx
