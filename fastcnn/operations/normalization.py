"""Normalization of each sample by itself: over groups, over neighbouring channels, or to vectors of unit length."""

import math

import numpy as np

from fastcnn import device
from fastcnn.operations import Backward
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.layout import from_rows, rows_along
from fastcnn.operations.merge import add_to_gradient, multiply
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter

_SHORTEST = 1e-18  # its square is still a normal float32


def group_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None,
                        view: tuple[int, int, int, int], epsilon: float, trainable: bool = True
                        ) -> tuple[np.ndarray, Backward]:
    """Return y = gamma (x - mean) / sqrt(variance + epsilon) + beta with the statistics of groups, and dy -> dx.

    Parameters
    ----------
    x : array
    gamma, beta : Parameter, optional
        A number for each channel of each group.
    view : (int, int, int, int)
        (samples, positions, groups, channels of a group), as which x is seen. Statistics are of a group at all
        positions. One group and one position make layer normalization.
    epsilon : float
    trainable : bool
        Whether the backward pass adds to the gradients of gamma and beta.
    """
    d, dtype = device.of(x), x.dtype
    y = d.empty(x.shape, dtype)
    if not x.size:
        return y, lambda dy: dy
    mean, rstd = d.empty((view[0], view[2]), dtype), d.empty((view[0], view[2]), dtype)
    x_shape, rows, nothing = x.shape, x.reshape(view), NOTHING[dtype]
    scale = nothing if gamma is None else gamma.array.reshape(-1)
    offset = nothing if beta is None else beta.array.reshape(-1)
    scratch = d.empty((d.kernels.group_norm_forward_scratch(view, dtype),), dtype)
    d.kernels.group_norm_forward(y.reshape(view), mean, rstd, scratch, rows, scale, offset, epsilon)
    again = saved(rows)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dtype)
        dgamma = gamma.gradient.reshape(-1) if trainable and gamma is not None else nothing
        dbeta = beta.gradient.reshape(-1) if trainable and beta is not None else nothing
        scratch = d.empty((d.kernels.group_norm_backward_scratch(view, dtype),), dtype)
        d.kernels.group_norm_backward(dx.reshape(view), dgamma, dbeta, scratch, dy.reshape(view), again(), mean, rstd,
                                      scale)
        return dx

    return y, backward


def local_response_normalization(x: np.ndarray, before: int, after: int, alpha: float, beta: float, k: float
                                 ) -> tuple[np.ndarray, Backward]:
    """Return y_i = x_i / (k + alpha sum_j x_j^2)^beta, and dy -> dx.

    Parameters
    ----------
    x : (N, ..., C) array
    before, after : int
        How many channels before and after the i-th the sum over j includes, beside the i-th itself.
    alpha, beta, k : float
    """
    d, dtype, channels = device.of(x), x.dtype, x.shape[-1]
    formula = min(before, channels - 1), min(after, channels - 1), alpha, beta, k
    shape = (x.size // channels, channels)
    size = d.kernels.local_response_norm_scratch(shape, *formula[:2], dtype)
    x_shape, rows, y, scratch = x.shape, x.reshape(shape), d.empty(x.shape, dtype), d.empty((size,), dtype)
    d.kernels.local_response_norm_forward(y.reshape(shape), scratch, rows, *formula)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx, scratch = d.empty(x_shape, dtype), d.empty((size,), dtype)
        d.kernels.local_response_norm_backward(dx.reshape(shape), scratch, dy.reshape(shape), rows, *formula)
        return dx

    return y, backward


def l2_normalization(x: np.ndarray, axes: tuple[int, ...], epsilon: float, more: float = 0.0,
                     who: str = "l2_normalization") -> tuple[np.ndarray, Backward]:
    """Return min(1 / sqrt(|x|^2 + more), 1 / epsilon) x for the vectors along some axes, and dy -> dx.

    Parameters
    ----------
    x : array
    axes : tuple of int
        Counted from the front.
    epsilon, more : float
    who : str
        Whom an error names, if too many axes would move.
    """
    d, shape = device.of(x), x.shape
    rows = rows_along(x, axes, who)
    y, scale = d.empty(rows.shape, x.dtype), d.empty(rows.shape[:1], x.dtype)
    d.kernels.unit_rows_forward(y, scale, rows, epsilon, more)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(y.shape, y.dtype)
        d.kernels.unit_rows_backward(dx, rows_along(dy, axes, who), y, scale, epsilon)
        return from_rows(dx, shape, axes, who)

    return from_rows(y, shape, axes, who), backward


def rms_normalization(x: np.ndarray, scale: Parameter, axes: tuple[int, ...], epsilon: float, trainable: bool = True,
                      who: str = "rms_normalization") -> tuple[np.ndarray, Backward]:
    """Return scale x / sqrt(mean(x^2) + epsilon) for the vectors along some axes, and dy -> dx.

    Parameters
    ----------
    x, axes, who : as `l2_normalization`
    scale : Parameter
        A number for each of the axes' numbers.
    epsilon : float
    trainable : bool
        Whether the backward pass adds to the gradient of scale.
    """
    size = math.prod([x.shape[axis] for axis in axes])
    unit, unit_backward = l2_normalization(x, axes, _SHORTEST, size * epsilon, who)
    # It is sqrt(size) x / sqrt(|x|^2 + size epsilon): x scaled to unit length, times sqrt(size).
    length = device.of(x).full((1,) * x.ndim, x.dtype, math.sqrt(size))
    around = scale.array.reshape(tuple([n if axis in axes else 1 for axis, n in enumerate(x.shape)]))
    y, gradients = multiply([unit, around, length])

    def backward(dy: np.ndarray) -> np.ndarray:
        dunit, dscale, _ = gradients(dy)
        if trainable and dy.size:
            add_to_gradient(scale, dscale)
        dx: np.ndarray = unit_backward(dunit)
        return dx

    return y, backward
