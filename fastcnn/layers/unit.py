"""Normalization by the length of vectors: nothing is subtracted."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axes, number
from fastcnn.kernels import codes
from fastcnn.layers.arithmetic import combined
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.reshape import permuted

_SHORTEST = 1e-18  # whose square a float32 still holds


class _ByLength(Layer):
    """What both have in common: the axes of a vector."""

    def __init__(self, axis: int | Sequence[int], epsilon: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axes(axis, self, "axis")
        self.epsilon = number(epsilon, self, "a positive epsilon", lambda n: n > 0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._axes(len(input_shape))
        return input_shape

    def _axes(self, rank: int) -> list[int]:
        found = sorted(axis + rank if axis < 0 else axis for axis in self.axis)
        if found[0] < 1 or found[-1] >= rank or len(set(found)) < len(found):
            raise ArgumentError(f"{self}: expected axes in 1..{rank - 1}, or counted from the end, for input of {rank} "
                                f"dimensions, got {', '.join(map(str, self.axis))}")
        return found

    def _scaled(self, x: np.ndarray, epsilon: float, more: float) -> tuple[np.ndarray, Backward]:
        """Return min(1 / sqrt(|x|^2 + more), 1 / epsilon) x for the vectors along the axes, and dy -> dx."""
        d, who, along = device.of(x), str(self), self._axes(x.ndim)
        order = (*(k for k in range(x.ndim) if k not in along), *along)
        inverse = tuple(order.index(k) for k in range(x.ndim))
        last = permuted(x, order, who)
        size = math.prod(x.shape[axis] for axis in along)
        rows = (last.size // size, size)
        y, scale = d.empty(last.shape, x.dtype), d.empty(rows[:1], x.dtype)
        d.kernels.unit_rows_forward(y.reshape(rows), scale, last.reshape(rows), epsilon, more)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(last.shape, x.dtype)
            d.kernels.unit_rows_backward(dx.reshape(rows), permuted(dy, order, who).reshape(rows), y.reshape(rows),
                                         scale, epsilon)
            return permuted(dx, inverse, who)

        return permuted(y, inverse, who), backward


class UnitNormalization(_ByLength):
    """y = x / max(|x|, epsilon): vectors of length 1 along an axis, or axes. ONNX: LpNormalization.

    Parameters
    ----------
    axis : int or sequence of int
        Not 0, the batch.
    epsilon : float
        The least length that is scaled to 1; Keras's, which is no argument there.
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, **kwargs)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return self._scaled(self.checked(x), self.epsilon, 0.0)


class RMSNormalization(_ByLength):
    """Divide each sample by its root mean square along an axis, or axes. ONNX: RMSNormalization.

        y = scale x / sqrt(mean(x^2) + epsilon)

    with a number of `scale` for each of the axes' numbers. Zhang and Sennrich, 2019.

    Parameters
    ----------
    axis : int or sequence of int
        Not 0, the batch.
    epsilon : float
        Positive.
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, **kwargs)

    def create_weights(self, input_shape: Shape) -> None:
        self.scale = self.add_weight("scale", tuple(input_shape[k] for k in self._axes(len(input_shape))), "ones")

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        d, along = device.of(x), self._axes(x.ndim)
        size = math.prod(x.shape[axis] for axis in along)
        z, back = self._scaled(x, _SHORTEST, size * self.epsilon)
        factor = d.empty((1,) * x.ndim, x.dtype)
        factor.fill(math.sqrt(size))
        around = self.scale.array.reshape([n if axis in along else 1 for axis, n in enumerate(x.shape)])
        y, gradients = combined([z, around, factor], codes.PRODUCT)

        def backward(dy: np.ndarray) -> np.ndarray:
            dz, dscale, _ = gradients(dy)
            if self.trainable and dy.size:
                gradient = self.scale.gradient
                d.kernels.add(gradient.reshape(-1), gradient.reshape(-1), dscale.reshape(-1))
            return back(dz)

        return y, backward
