"""Twins of the functions of one number and of two, and of what becomes of rows, for `tests.reference`."""

import math

import numpy as np

from fastcnn.kernels import function_codes as codes
from fastcnn.kernels import tensor_codes

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
    codes.SINE: (lambda x, a: np.sin(x), lambda x, a: np.cos(x)),
    codes.COSINE: (lambda x, a: np.cos(x), lambda x, a: -np.sin(x)),
    codes.ARC_TANGENT: (lambda x, a: np.arctan(x), lambda x, a: 1 / (1 + x * x)),
    codes.LOG_OF_ONE_PLUS: (lambda x, a: np.log1p(x), lambda x, a: 1 / (1 + x)),
    codes.EXPONENTIAL_MINUS_ONE: (lambda x, a: np.expm1(x), lambda x, a: np.exp(x)),
}

_BINARY = {tensor_codes.QUOTIENT: np.divide, tensor_codes.POWER_OF: np.power, tensor_codes.REMAINDER: np.mod,
           tensor_codes.WHOLE_QUOTIENT: np.floor_divide}
_OF_ROWS = {tensor_codes.LARGEST: np.max, tensor_codes.SMALLEST: np.min, tensor_codes.ROW_PRODUCT: np.prod}


def function_forward(x, code, alpha):
    with np.errstate(all="ignore"):
        return _FUNCTIONS[code][0](np.asarray(x, dtype=np.float64), alpha)


def function_backward(dy, x, code, alpha):
    """Return dy f'(x): from the input x, whatever the kernel saves."""
    with np.errstate(all="ignore"):
        return np.asarray(dy, dtype=np.float64) * _FUNCTIONS[code][1](np.asarray(x, dtype=np.float64), alpha)


def binary_forward(a, b, code):
    with np.errstate(all="ignore"):
        return _BINARY[code](np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))


def reduce_rows_forward(x, code):
    return _OF_ROWS[code](np.asarray(x, dtype=np.float64), axis=1)


def reduce_rows_backward(dy, x, code):
    """Share the gradient among equal extremes; of a product, multiply all the others."""
    x, dx = np.asarray(x, dtype=np.float64), np.zeros(x.shape)
    for row, out, g in zip(x, dx, np.asarray(dy, dtype=np.float64), strict=True):
        if code == tensor_codes.ROW_PRODUCT:
            out[:] = [g * np.prod(np.delete(row, j)) for j in range(row.size)]
        else:
            chosen = row == _OF_ROWS[code](row)
            out[chosen] = g / max(1, chosen.sum())
    return dx


def top_rows_forward(x, k):
    """Sort each row, equal numbers in their order."""
    x = np.asarray(x, dtype=np.float64)
    at = np.argsort(-x, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(x, at, 1), at.astype(float)


def top_rows_backward(dy, at, columns):
    dx = np.zeros((len(dy), columns))
    np.put_along_axis(dx, np.asarray(at, dtype=int), np.asarray(dy, dtype=np.float64), 1)
    return dx
