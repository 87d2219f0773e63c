"""Sums, products, maxima and minima of arrays, element by element, with broadcasting.

An array of fewer dimensions than another gets dimensions of 1 after the batch. Each function returns the output and its
backward pass, which takes dy and returns a gradient for each input: a new array, or dy itself.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.geometry.broadcast import broadcast
from fastcnn.kernels import codes
from fastcnn.operations.activation import RELU
from fastcnn.operations.broadcasting import aligned, expanded, merge_gradients, merged, scaled, summed_to
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter

Gradients = Callable[[np.ndarray], tuple[np.ndarray, ...]]


def weighted_sum(arrays: Sequence[np.ndarray], weights: Sequence[float], relu: bool = False
                 ) -> tuple[np.ndarray, Gradients]:
    """Return y = sum of weights[k] arrays[k], or max(y, 0), and dy -> a gradient for each.

    Parameters
    ----------
    arrays : sequence of ndarray
        That broadcast against one another.
    weights : sequence of float
    relu : bool
    """
    views, last = aligned(arrays), len(arrays) - 1
    y, first = views[0], weights[0]
    for k in range(1, last + 1):
        y = merged(y, views[k], codes.SUM, first, weights[k], relu and k == last)
        first = 1.0
    if last == 0:
        y = scaled(y, first)
        y = RELU.predict(y) if relu else y
    parts = list(zip([x.shape for x in views], weights, strict=True))
    y_again = saved(y) if relu else None

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        if y_again is not None:
            dy = RELU.backward(y_again())(dy)
        # Inputs of one shape and weight share a gradient: sums over dimensions are made once.
        known: dict[Any, np.ndarray] = {}
        for part in parts:
            if part not in known:
                known[part] = summed_to(dy, *part)
        return tuple([known[part] for part in parts])

    return y, backward if views is arrays else _reshaping(backward, arrays)


def add(arrays: Sequence[np.ndarray], relu: bool = False) -> tuple[np.ndarray, Gradients]:
    """Return the sum of arrays that broadcast, or max(sum, 0), and dy -> a gradient for each.

    Parameters
    ----------
    relu : bool
        Return max(sum, 0).
    """
    return weighted_sum(arrays, [1.0] * len(arrays), relu)


def subtract(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, Gradients]:
    """Return a - b of two arrays that broadcast, and dy -> a gradient for each."""
    return weighted_sum(arrays, [1.0, -1.0])


def average(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, Gradients]:
    """Return the mean of arrays that broadcast, and dy -> a gradient for each."""
    return weighted_sum(arrays, [1.0 / len(arrays)] * len(arrays))


def multiply(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, Gradients]:
    """Return the product of arrays that broadcast, and dy -> a gradient for each."""
    return _combined(arrays, codes.PRODUCT)


def maximum(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, Gradients]:
    """Return the maximum of arrays that broadcast, and their gradients; two equal numbers get half each."""
    return _combined(arrays, codes.MAXIMUM)


def minimum(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, Gradients]:
    """Return the minimum of arrays, and their gradients, as `maximum`."""
    return _combined(arrays, codes.MINIMUM)


def _combined(arrays: Sequence[np.ndarray], code: int) -> tuple[np.ndarray, Gradients]:
    """Return arrays combined by a code of the kernels, PRODUCT, MAXIMUM or MINIMUM, and their gradients."""
    views = aligned(arrays)
    y, pairs = views[0], []
    for x in views[1:]:
        pairs.append((saved(y), saved(x)))
        y = merged(y, x, code)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        found: list[np.ndarray] = []
        for y_again, x_again in reversed(pairs):
            dy, dx = merge_gradients(dy, y_again(), x_again(), code)
            found.append(dx)
        return dy, *reversed(found)

    return y, backward if views is arrays else _reshaping(backward, arrays)


def _reshaping(backward: Gradients, arrays: Sequence[np.ndarray]) -> Gradients:
    """Return a backward pass whose gradients have the shapes that arrays had before they were aligned."""
    shapes = [x.shape for x in arrays]
    return lambda dy: tuple([dx.reshape(shape) for dx, shape in zip(backward(dy), shapes, strict=True)])


def masked(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return x where the mask is 1, and 0 where it is 0, even if x is NaN or infinite there.

    Parameters
    ----------
    x, mask : ndarray
        Of one rank; they broadcast.
    """
    return merged(expanded(x, broadcast(x.shape, mask.shape)), mask, codes.MASK)


def affine(x: np.ndarray, scale: float, offset: float) -> np.ndarray:
    """Return scale x + offset.

    Parameters
    ----------
    scale, offset : float
    """
    d = device.of(x)
    y, one = d.empty(x.shape, x.dtype), d.full((1, 1, 1), x.dtype, 1)
    d.kernels.merge_forward(y.reshape(1, 1, -1), x.reshape(1, 1, -1), one, codes.SUM, scale, offset, 0)
    return y


def add_to_gradient(parameter: Parameter, gradient: np.ndarray) -> None:
    """Add to the gradient of a parameter; `gradient` has its elements in the same order, in any shape.

    Parameters
    ----------
    parameter : Parameter
    gradient : array
    """
    total = parameter.gradient.reshape(-1)
    device.of(total).kernels.add(total, total, gradient.reshape(-1))
