"""The dot product of two tensors, sample by sample."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integers
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations import batched_product


class Dot(Layer):
    """y[n, i, k] = sum over c of a[n, i, c] b[n, k, c], where c is one axis of each input. ONNX: MatMul.

    The output has the other axes of the first input, then those of the second; it is (N, 1) if there are none.

    Parameters
    ----------
    axes : int or (int, int)
        The axis to sum over: one for both inputs, or one for each. 0, the batch, is refused.
    normalize : bool
        Whether both inputs are first scaled to length 1 along their axis. The result is then a cosine.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Dot(axes=1).predict((a, b))
    array([[19.]], dtype=float32)
    """

    many_inputs = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = integers(axes, self, "axes")
        if len(given) > 2 or not given or 0 in given:
            raise ArgumentError(f"{self}: expected axes to be an integer or two, and not 0, the batch, got {axes!r}")
        self.axes, self.normalize = (given[0], given[-1]), normalize

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        a, b = self._places(input_shape)
        first, second = input_shape
        if first[a] != second[b]:
            raise ArgumentError(f"{self}: expected as many numbers along both axes, got {first[a]} of {first} along "
                                f"{self.axes[0]} and {second[b]} of {second} along {self.axes[1]}")
        rest = (*first[1:a], *first[a + 1:], *second[1:b], *second[b + 1:])
        return first[0], *(rest or (1,))

    def _places(self, shapes: Shape) -> tuple[int, int]:
        if len(shapes) != 2:
            raise ArgumentError(f"{self}: expected 2 inputs, got {len(shapes)}")
        places = []
        for axis, shape in zip(self.axes, shapes, strict=True):
            places.append(axis + len(shape) if axis < 0 else axis)
            if not 1 <= places[-1] < len(shape):
                raise ArgumentError(f"{self}: expected axes in 1..{len(shape) - 1}, or counted from the end, for input "
                                    f"{shape}, got {axis}")
        return places[0], places[1]

    def multiply_adds(self) -> int:
        products: int = math.prod(self.output_shape[1:]) * self.input_shape[0][self._places(self.input_shape)[0]]
        return products

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        first, second = self.checked(x)
        y, backward = batched_product.dot(first, second, self._places(self.input_shape), self.normalize)
        return y.reshape(first.shape[0], *self.output_shape[1:]), backward


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Return `Dot` of two inputs.

    Parameters
    ----------
    inputs : sequence of two arrays or Tensors
    axes : int, or sequence of two int
        As of `Dot`.
    **kwargs
        Further arguments of `Dot`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.dot([a, b], axes=1, normalize=True).round(2)
    array([[0.75]], dtype=float32)
    """
    return Dot(axes=axes, **kwargs)(inputs)
