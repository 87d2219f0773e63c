"""Layers of several inputs: sums, products and extremes of tensors number by number, and tensors side by side.

Inputs broadcast against one another: a dimension of 1 is used again for all of the others' (a gate (N, 1, 1, C) for
the channels of an image (N, H, W, C)); an input of fewer dimensions gets such ones after the batch, so (N, C) is a
gate, too. Each layer has a function that makes and calls it: ``layers.add([a, b])`` is ``layers.Add()([a, b])``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axis_of_samples
from fastcnn.geometry.broadcast import broadcast, with_rank
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.twins import shape_text
from fastcnn.operations import layout, merge
from fastcnn.traits import Trait


class _Merge(Layer):
    """Inputs of one shape after broadcasting."""

    many_inputs = repeats_batch = True
    _exactly: int | None = None
    operation: Callable[[Sequence[np.ndarray]], tuple[np.ndarray, Backward]]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self._exactly not in (None, len(input_shape)):
            raise ArgumentError(f"{self}: expected {self._exactly} inputs, got {len(input_shape)}")
        shape = self._aligned(input_shape[0], input_shape)
        for other in input_shape[1:]:
            try:
                shape = broadcast(shape, self._aligned(other, input_shape))
            except ValueError:
                raise ArgumentError(f"{self}: expected inputs of one shape, or with 1 where theirs differ, "
                                    f"got {shape_text(input_shape)}") from None
        return shape

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return self.operation(self.checked(x))

    @staticmethod
    def _aligned(shape: Shape, shapes: Shape) -> Shape:
        """Return a shape with dimensions of 1 after the batch, to have as many as the longest of `shapes`."""
        return with_rank(shape, max(map(len, shapes)))


class Add(_Merge):
    """y = a + b + ... ONNX: Add, Sum.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Add().predict((a, b))
    array([[5., 8.]], dtype=float32)
    """

    traits = Trait.SUM | Trait.TAKES_RELU | Trait.CALLS_KERNELS

    def forward(self, x: Any, call: Call = Call(), relu: bool = False) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`; with `relu` the output is max(y, 0), in the same pass over memory."""
        return merge.add(self.checked(x), relu)

    def predict(self, x: Any, relu: bool = False) -> np.ndarray:
        """As `Layer.predict`; `relu` as in `forward`."""
        return merge.add(self.checked(x), relu)[0]


class Subtract(_Merge):
    """y = a - b, of two inputs. ONNX: Sub.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Subtract().predict((a, b))
    array([[-3.,  2.]], dtype=float32)
    """

    _exactly = 2
    operation = staticmethod(merge.subtract)


class Average(_Merge):
    """y = (a + b + ...) / their number. ONNX: Mean.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Average().predict((a, b))
    array([[2.5, 4. ]], dtype=float32)
    """

    operation = staticmethod(merge.average)


class Multiply(_Merge):
    """y = a b ... ONNX: Mul.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Multiply().predict((a, b))
    array([[ 4., 15.]], dtype=float32)
    """

    traits = Trait.MULTIPLICATION
    operation = staticmethod(merge.multiply)


class Maximum(_Merge):
    """y = max(a, b, ...). Two equal numbers share the gradient equally. ONNX: Max.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Maximum().predict((a, b))
    array([[4., 5.]], dtype=float32)
    """

    operation = staticmethod(merge.maximum)


class Minimum(_Merge):
    """y = min(a, b, ...). Two equal numbers share the gradient equally. ONNX: Min.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.Minimum().predict((a, b))
    array([[1., 3.]], dtype=float32)
    """

    operation = staticmethod(merge.minimum)


class Concatenate(Layer):
    """Inputs side by side along one dimension. ONNX: Concat.

    Parameters
    ----------
    axis : int
        -1 means the channels. 0, the batch, is refused.

    Examples
    --------
    >>> layers.Concatenate().compute_output_shape(((None, 8, 8, 3), (None, 8, 8, 5)))
    (None, 8, 8, 8)
    """

    traits = Trait.CONCATENATION | Trait.CALLS_KERNELS
    many_inputs = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis_of_samples(axis, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        first = input_shape[0]
        axis = self.axis + len(first) if self.axis < 0 else self.axis
        if not 1 <= axis < len(first):
            raise ArgumentError(f"{self}: expected an axis in 1..{len(first) - 1}, or counted from the end, for input "
                                f"{shape_text(first)}, got {self.axis}")
        if len({(len(shape), *shape[:axis], None, *shape[axis + 1:]) for shape in input_shape}) > 1:
            raise ArgumentError(f"{self}: expected inputs that differ along axis {self.axis} alone, "
                                f"got {shape_text(input_shape)}")
        return *first[:axis], sum(shape[axis] for shape in input_shape), *first[axis + 1:]

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        arrays = self.checked(x)
        return layout.concatenate(arrays, self.axis % arrays[0].ndim)


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return `Add` of the inputs; `kwargs` are the layer's.

    Parameters
    ----------
    inputs : sequence of arrays or Tensors
    **kwargs
        The arguments of `Add`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.add([a, b])
    array([[5., 8.]], dtype=float32)
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return `Subtract` of two inputs.

    Parameters
    ----------
    inputs : sequence of two arrays or Tensors
    **kwargs
        The arguments of `Subtract`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.subtract([a, b])
    array([[-3.,  2.]], dtype=float32)
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return `Multiply` of the inputs.

    Parameters
    ----------
    inputs : sequence of arrays or Tensors
    **kwargs
        The arguments of `Multiply`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.multiply([a, b])
    array([[ 4., 15.]], dtype=float32)
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return `Average` of the inputs.

    Parameters
    ----------
    inputs : sequence of arrays or Tensors
    **kwargs
        The arguments of `Average`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.average([a, b])
    array([[2.5, 4. ]], dtype=float32)
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return `Maximum` of the inputs.

    Parameters
    ----------
    inputs : sequence of arrays or Tensors
    **kwargs
        The arguments of `Maximum`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.maximum([a, b])
    array([[4., 5.]], dtype=float32)
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return `Minimum` of the inputs.

    Parameters
    ----------
    inputs : sequence of arrays or Tensors
    **kwargs
        The arguments of `Minimum`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.minimum([a, b])
    array([[1., 3.]], dtype=float32)
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return `Concatenate` of the inputs along an axis.

    Parameters
    ----------
    inputs : sequence of arrays or Tensors
    axis : int
        Along which they are put.
    **kwargs
        Further arguments of `Concatenate`.

    Examples
    --------
    >>> a, b = np.array([[1, 5]], "float32"), np.array([[4, 3]], "float32")
    >>> layers.concatenate([a, b])
    array([[1., 5., 4., 3.]], dtype=float32)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
