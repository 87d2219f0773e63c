"""Arithmetic of arrays with broadcasting, forward and backward: what merge layers are made of.

Each function returns the output and its backward pass, which takes dy and returns a gradient for each input: of fresh
memory, or dy itself.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.geometry.broadcast import as_three, broadcast
from fastcnn.kernels import codes

_OF_ONE_SHAPE = (codes.MAXIMUM, codes.MINIMUM)  # what the kernels do not broadcast

Gradients = Callable[[np.ndarray], tuple[np.ndarray, ...]]

_NONE = {np.dtype(kind): np.empty((0, 0, 0), kind) for kind in (np.float32, np.float64)}


def weighted_sum(arrays: Sequence[np.ndarray], weights: Sequence[float], relu: bool = False) -> tuple[Any, Gradients]:
    """y = sum of weights[k] arrays[k], or max(y, 0).

    Parameters
    ----------
    arrays : sequence of ndarray
        Of one rank, which fit together.
    weights : sequence of float
    relu : bool
    """
    shapes = [x.shape for x in arrays]
    y, first = arrays[0], weights[0]
    for k in range(1, len(arrays)):
        y = _merged(y, arrays[k], codes.SUM, first, weights[k], relu and k == len(arrays) - 1)
        first = 1.0
    if len(arrays) == 1:
        y = _scaled(y, first)
        if relu:
            x, y = y, device.of(y).empty(y.shape, y.dtype)
            device.of(y).kernels.activation_forward(y.reshape(-1), x.reshape(-1), codes.RELU, 0.0, 0.0)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        if relu:
            dy = _through_relu(dy, y)
        known: dict[Any, np.ndarray] = {}
        for shape, weight in zip(shapes, weights, strict=True):
            if (shape, weight) not in known:
                known[shape, weight] = summed_to(dy, shape, weight)
        return tuple(known[key] for key in zip(shapes, weights, strict=True))

    return y, backward


def combined(arrays: Sequence[np.ndarray], code: int) -> tuple[np.ndarray, Gradients]:
    """y = the product of arrays, or their maximum or minimum, by the code of the kernels.

    Parameters
    ----------
    arrays : sequence of ndarray
        Of one rank, which fit together.
    code : int
        PRODUCT, MAXIMUM, MINIMUM or PRELU; MASK has no backward pass.
    """
    partial = [arrays[0]]
    for x in arrays[1:]:
        partial.append(_merged(partial[-1], x, code))

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        found: list[np.ndarray] = []
        for before, x in zip(partial[-2::-1], arrays[:0:-1], strict=True):
            dy, dx = _gradients(dy, before, x, code)
            found.append(dx)
        return dy, *found[::-1]

    return partial[-1], backward


def masked(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return x where the mask is 1, and 0 where it is 0, whatever x is there.

    Parameters
    ----------
    x, mask : ndarray
        Of one rank, which fit together.
    """
    return _merged(_expanded(x, broadcast(x.shape, mask.shape)), mask, codes.MASK)


def summed_to(g: np.ndarray, shape: tuple[int, ...], scale: float = 1.0) -> np.ndarray:
    """Return scale g, summed over the dimensions that are 1 in `shape`; g itself where that changes nothing."""
    if g.shape == shape:
        return _scaled(g, scale)
    three = as_three(g.shape, shape, g.shape)
    if three is None:  # (N, H, W, C) to (N, 1, W, 1): from the end on
        end = max(k for k in range(len(shape)) if shape[k] != g.shape[k])
        begin = end
        while begin > 0 and (shape[begin - 1] != g.shape[begin - 1] or g.shape[begin - 1] == 1):
            begin -= 1
        return summed_to(summed_to(g, g.shape[:begin] + shape[begin:]), shape, scale)
    d, (whole, part, _) = device.of(g), three
    dx = d.empty(shape, g.dtype)
    scratch = d.empty((d.kernels.merge_backward_scratch(whole, part, (0, 0, 0), g.dtype),), g.dtype)
    views = dx.reshape(part), g.reshape(whole)
    d.kernels.merge_backward(views[0], _NONE[g.dtype], scratch, views[1], *views, codes.SUM, scale, 0.0)
    return dx


def _merged(a: np.ndarray, b: np.ndarray, code: int, alpha: float = 1.0, beta: float = 1.0,
            relu: bool = False) -> np.ndarray:
    d, shape = device.of(a), broadcast(a.shape, b.shape)
    three = as_three(shape, a.shape, b.shape)
    if three is None or (code in _OF_ONE_SHAPE and a.shape != b.shape):
        return _merged(_expanded(a, shape), _expanded(b, shape), code, alpha, beta, relu)
    y = d.empty(shape, a.dtype)
    d.kernels.merge_forward(y.reshape(three[0]), a.reshape(three[1]), b.reshape(three[2]), code, alpha, beta, int(relu))
    return y


def _gradients(dy: np.ndarray, a: np.ndarray, b: np.ndarray, code: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of both inputs of a product or an extreme."""
    d = device.of(dy)
    three = as_three(dy.shape, a.shape, b.shape)
    if three is None or (code in _OF_ONE_SHAPE and a.shape != b.shape):
        da, db = _gradients(dy, _expanded(a, dy.shape), _expanded(b, dy.shape), code)
        return summed_to(da, a.shape), summed_to(db, b.shape)
    da, db = d.empty(a.shape, a.dtype), d.empty(b.shape, b.dtype)
    scratch = d.empty((d.kernels.merge_backward_scratch(*three, dy.dtype),), dy.dtype)
    d.kernels.merge_backward(da.reshape(three[1]), db.reshape(three[2]), scratch, dy.reshape(three[0]),
                             a.reshape(three[1]), b.reshape(three[2]), code, 1.0, 1.0)
    return da, db


def _scaled(x: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return x
    factor = device.of(x).empty((1, 1, 1), x.dtype)
    factor.fill(scale)
    return _merged(x, factor.reshape((1,) * x.ndim), codes.PRODUCT)


def _through_relu(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    d = device.of(dy)
    dx = d.empty(dy.shape, dy.dtype)
    d.kernels.activation_backward(dx.reshape(-1), dy.reshape(-1), y.reshape(-1), codes.RELU, 0.0, 0.0)
    return dx


def _expanded(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return x with its numbers repeated, for the few shapes that the kernels do not walk."""
    if x.shape == shape:
        return x
    d = device.of(x)
    whole = d.empty(shape, x.dtype)
    d.copy(whole, x)
    return whole
