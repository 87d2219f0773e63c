"""The largest numbers along an axis, or where they stand."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axis_of_samples, positive
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.selection import top_k


class TopK(Layer):
    """y = the k largest numbers along an axis, largest first, or their indices. ONNX: TopK, ArgMax.

    Keras has this as an operation only, `keras.ops.top_k`. Equal numbers keep their order. Gradients go to the numbers
    that were taken. Indices have no gradient.

    Parameters
    ----------
    k : int
    axis : int
        0, the batch, is refused.
    indices : bool
        Whether to return the indices along the axis, in the layer's dtype, in place of the numbers.

    Examples
    --------
    >>> x = np.array([[3, 1, 2]], "float32")
    >>> layers.TopK(2).predict(x)
    array([[3., 2.]], dtype=float32)
    >>> layers.TopK(2, indices=True).predict(x)
    array([[0., 2.]], dtype=float32)
    """

    def __init__(self, k: int = 1, axis: int = -1, indices: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.k,) = positive(self, k=k)
        self.axis, self.indices = axis_of_samples(axis, self), bool(indices)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axis = self.axis + len(input_shape) if self.axis < 0 else self.axis
        if not 1 <= axis < len(input_shape):
            raise ArgumentError(f"{self}: expected an axis in 1..{len(input_shape) - 1}, or counted from the end, for "
                                f"input {tuple(input_shape)}, got {self.axis}")
        if input_shape[axis] < self.k:
            raise ArgumentError(f"{self}: expected a k of at most {input_shape[axis]}, the numbers along axis {axis} "
                                f"of {tuple(input_shape)}, got {self.k}")
        return *input_shape[:axis], self.k, *input_shape[axis + 1:]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return top_k(x, self.k, self.axis % x.ndim, self.indices)
