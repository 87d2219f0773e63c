"""Quotients, powers and remainders of two arrays, which broadcast as NumPy's do."""

from collections.abc import Callable

import numpy as np

from fastcnn import device
from fastcnn.geometry.tensor_shapes import together
from fastcnn.kernels import codes, tensor_codes
from fastcnn.operations.activation import Elementwise
from fastcnn.operations.broadcasting import expanded, merged, scaled, summed_to
from fastcnn.operations.elementwise import FLOOR, LOGARITHM

Gradients = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def binary(a: np.ndarray, b: np.ndarray, code: int) -> np.ndarray:
    """Return what a code of `fastcnn.kernels.tensor_codes` makes of two arrays.

    Parameters
    ----------
    a, b : array
        Of one type; they broadcast.
    code : int
    """
    shape, d = together((a.shape, b.shape), "binary"), device.of(a)
    if a.size != 1 or b.size == 1:
        a = broadcast_to(a, shape)
    if b.size != 1:
        b = broadcast_to(b, shape)
    y = d.empty(shape, a.dtype)
    d.kernels.binary_forward(y.reshape(-1), a.reshape(-1), b.reshape(-1), code)
    return y


def broadcast_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array with its numbers repeated to a shape, dimensions of 1 in front of its own.

    Parameters
    ----------
    shape : tuple of int
    """
    return expanded(x.reshape((1,) * (len(shape) - x.ndim) + x.shape), shape)


def reduced_to(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a gradient summed over what `broadcast_to` repeated.

    Parameters
    ----------
    g : array
    shape : tuple of int
    """
    return summed_to(g, (1,) * (g.ndim - len(shape)) + shape).reshape(shape)


def times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a b.

    Parameters
    ----------
    a, b : array
        Of one rank and type; they broadcast.
    """
    return merged(a, b, codes.PRODUCT)


def divide(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return a / b, and dy -> (da, db).

    Parameters
    ----------
    a, b : array
        Of one type; they broadcast.
    """
    y = binary(a, b, tensor_codes.QUOTIENT)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        da = binary(dy, b, tensor_codes.QUOTIENT)
        db = scaled(times(da, y), -1.0)
        return reduced_to(da, a.shape), reduced_to(db, b.shape)

    return y, backward


def power(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return a^b, and dy -> (da, db); where a <= 0, that of b is 0.

    Parameters
    ----------
    a, b : array
        As of `divide`.
    """
    y = binary(a, b, tensor_codes.POWER_OF)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        d, one = device.of(dy), device.of(dy).full((1,) * dy.ndim, dy.dtype, 1.0)
        whole_a, whole_b = broadcast_to(a, y.shape), broadcast_to(b, y.shape)
        below = merged(whole_b, one, codes.SUM, 1.0, -1.0)
        da = times(dy, times(whole_b, binary(whole_a, below, tensor_codes.POWER_OF)))
        # Of a^b with a <= 0 nothing is told about its slope along b: log(1) stands for log(a).
        above = merged(whole_a, d.zeros((1,) * y.ndim, y.dtype), codes.SUM, 1.0, 1.0)
        positive = Elementwise("step", codes.STEP).predict(above)
        safe = merged(merged(whole_a, positive, codes.MASK), _other(positive), codes.SUM)
        db = times(times(dy, y), LOGARITHM.predict(safe))
        return reduced_to(da, a.shape), reduced_to(merged(db, positive, codes.MASK), b.shape)

    return y, backward


def remainder(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return a - b floor(a / b), and dy -> (da, db).

    Parameters
    ----------
    a, b : array
        As of `divide`.
    """
    y = binary(a, b, tensor_codes.REMAINDER)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = FLOOR.predict(binary(a, b, tensor_codes.QUOTIENT))
        return reduced_to(dy, a.shape), reduced_to(scaled(times(dy, whole), -1.0), b.shape)

    return y, backward


def _other(mask: np.ndarray) -> np.ndarray:
    """Return 1 - mask."""
    one = device.of(mask).full((1,) * mask.ndim, mask.dtype, 1.0)
    return merged(mask, one, codes.SUM, -1.0, 1.0)
