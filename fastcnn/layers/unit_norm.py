"""Normalization by the length of vectors: nothing is subtracted."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axes, number
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.normalization import l2_normalization, rms_normalization


class _ByLength(Layer):
    """What both have in common: the axes of a vector."""

    def __init__(self, axis: int | Sequence[int], epsilon: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axes(axis, self, "axis")
        self.epsilon = number(epsilon, self, "a positive epsilon", lambda n: n > 0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._axes(len(input_shape))
        return input_shape

    def _axes(self, rank: int) -> tuple[int, ...]:
        found = sorted(axis + rank if axis < 0 else axis for axis in self.axis)
        if found[0] < 1 or found[-1] >= rank or len(set(found)) < len(found):
            raise ArgumentError(f"{self}: expected axes in 1..{rank - 1}, or counted from the end, for input of {rank} "
                                f"dimensions, got {', '.join(map(str, self.axis))}")
        return tuple(found)


class UnitNormalization(_ByLength):
    """y = x / max(|x|, epsilon): vectors of length 1 along an axis, or axes. ONNX: LpNormalization.

    Parameters
    ----------
    axis : int or sequence of int
        0, the batch, is refused.
    epsilon : float
        Vectors shorter than this stay shorter than 1. Keras has the same number, but no argument for it.

    Examples
    --------
    >>> x = np.array([[3, 4]], "float32")
    >>> layers.UnitNormalization().predict(x).round(2)
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, **kwargs)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return l2_normalization(x, self._axes(x.ndim), self.epsilon, who=str(self))


class RMSNormalization(_ByLength):
    """Divide each sample by its root mean square along an axis, or axes. ONNX: RMSNormalization.

        y = scale x / sqrt(mean(x^2) + epsilon)

    where `scale` has the shape of these axes. Zhang and Sennrich, 2019.

    Parameters
    ----------
    axis : int or sequence of int
        0, the batch, is refused.
    epsilon : float
        Positive.

    Examples
    --------
    >>> x = np.array([[3, 4]], "float32")
    >>> layers.RMSNormalization().predict(x).round(2)
    array([[0.85, 1.13]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(axis, epsilon, **kwargs)

    def create_weights(self, input_shape: Shape) -> None:
        self.scale = self.add_weight("scale", tuple(input_shape[k] for k in self._axes(len(input_shape))), "ones")

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return rms_normalization(x, self.scale, self._axes(x.ndim), self.epsilon, self.trainable, str(self))
