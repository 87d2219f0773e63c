"""Twins of the elementary functions and of the largest numbers of rows, for `tests.reference`."""

import math

import numpy as np

from fastcnn.kernels import function_codes as codes

_erf = np.vectorize(math.erf, otypes=[float])
_nothing = lambda x, a: np.zeros_like(x)

_FUNCTIONS = {  # f(x, alpha), f'(x, alpha)
    codes.ABSOLUTE: (lambda x, a: np.abs(x), lambda x, a: np.sign(x)),
    codes.SQUARE_ROOT: (lambda x, a: np.sqrt(x), lambda x, a: 0.5 / np.sqrt(x)),
    codes.LOGARITHM: (lambda x, a: np.log(x), lambda x, a: 1 / x),
    codes.RECIPROCAL: (lambda x, a: 1 / x, lambda x, a: -1 / (x * x)),
    codes.POWER: (lambda x, a: np.power(x, a), lambda x, a: a * np.power(x, a - 1)),
    codes.SIGN: (lambda x, a: np.sign(x), _nothing),
    codes.IS_ZERO: (lambda x, a: x == 0, _nothing),
    codes.ROUND: (lambda x, a: np.round(x), _nothing),
    codes.FLOOR: (lambda x, a: np.floor(x), _nothing),
    codes.CEILING: (lambda x, a: np.ceil(x), _nothing),
    codes.ERROR_FUNCTION: (lambda x, a: _erf(x), lambda x, a: 2 / math.sqrt(math.pi) * np.exp(-x * x)),
}


def function_forward(x, code, alpha):
    with np.errstate(all="ignore"):
        return _FUNCTIONS[code][0](np.asarray(x, dtype=np.float64), alpha)


def function_backward(dy, x, code, alpha):
    """Return dy f'(x): from the input x, whatever the kernel saves."""
    with np.errstate(all="ignore"):
        return np.asarray(dy, dtype=np.float64) * _FUNCTIONS[code][1](np.asarray(x, dtype=np.float64), alpha)


def top_rows_forward(x, k):
    """Sort each row, equal numbers in their order."""
    x = np.asarray(x, dtype=np.float64)
    at = np.argsort(-x, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(x, at, 1), at.astype(float)


def top_rows_backward(dy, at, columns):
    dx = np.zeros((len(dy), columns))
    np.put_along_axis(dx, np.asarray(at, dtype=int), np.asarray(dy, dtype=np.float64), 1)
    return dx
