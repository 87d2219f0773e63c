"""Layers that take parts of their input: a slice, or numbers by their index."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axis_of_samples, integer, integers
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.selection import strided_slice, take


class Slice(Layer):
    """y = x[..., start:stop:step, ...] along one axis, as Python's slices count. ONNX: Slice.

    Keras has this as an operation only. To split a tensor into branches, use one layer for each part. The gradient of
    what is left out is zero.

    Parameters
    ----------
    start, stop : int, optional
        Where the part begins, and the first index after it, as in a Python slice.
    step : int
        A negative one goes backwards: ``Slice(step=-1)`` reverses channels, ``Slice(step=-1, axis=2)`` mirrors images.
    axis : int
        The default is the last, the channels. 0, the batch, is refused.

    Examples
    --------
    >>> x = np.array([[3, 1, 2]], "float32")
    >>> layers.Slice(step=-1).predict(x)
    array([[2., 1., 3.]], dtype=float32)
    """

    def __init__(self, start: int | None = None, stop: int | None = None, step: int = 1, axis: int = -1,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step, self.axis = integer(step, self, "step"), axis_of_samples(axis, self)
        if self.step == 0:
            raise ArgumentError(f"{self}: expected a step other than 0, got {step!r}")
        self.start, self.stop = (None if at is None else integer(at, self, name)
                                 for name, at in (("start", start), ("stop", stop)))

    def _bounds(self, shape: Shape) -> tuple[int, range]:
        """Return the axis, and which places along it are taken."""
        axis = _from_front(self, self.axis, shape)
        return axis, range(*slice(self.start, self.stop, self.step).indices(shape[axis]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axis, places = self._bounds(input_shape)
        if not places:
            raise ArgumentError(f"{self}: expected a part of the {input_shape[axis]} at axis {axis}, "
                                f"got {self.start}:{self.stop}:{self.step}, which is none")
        return *input_shape[:axis], len(places), *input_shape[axis + 1:]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return strided_slice(x, *self._bounds(x.shape))


class Take(Layer):
    """y = numpy.take(x, indices, axis): entries along one axis by their index, in any order, repeated or not.

    Keras has this as an operation only. ONNX: Gather. The gradient of an entry is the sum over its copies.

    Parameters
    ----------
    indices : sequence of int
        Counted from the axis' end if negative.
    axis : int
        The default is the last, the channels. 0, the batch, is refused.
    length : int, optional
        The length that the axis must have. None accepts any length that contains all indices.

    Examples
    --------
    >>> x = np.array([[3, 1, 2]], "float32")
    >>> layers.Take([0, 0, 2]).predict(x)
    array([[3., 3., 2.]], dtype=float32)
    """

    def __init__(self, indices: Any, axis: int = -1, length: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.indices, self.axis = integers(indices, self, "indices"), axis_of_samples(axis, self)
        self.length = None if length is None else integer(length, self, "length")
        if not self.indices:
            raise ArgumentError(f"{self}: expected an index at least, got {indices!r}")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axis = _from_front(self, self.axis, input_shape)
        n = input_shape[axis]
        if self.length not in (None, n):
            raise ArgumentError(f"{self}: expected {self.length} numbers along axis {axis}, got {n}; make a new layer "
                                "for another size")
        if strange := [i for i in self.indices if not -n <= i < n]:
            raise ArgumentError(f"{self}: expected indices of the {n} numbers along axis {axis}, got {strange[0]}")
        return *input_shape[:axis], len(self.indices), *input_shape[axis + 1:]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return take(x, self.indices, _from_front(self, self.axis, x.shape))


def _from_front(layer: Layer, axis: int, shape: Shape) -> int:
    """Return an axis counted from the first."""
    rank = len(shape)
    found = axis + rank if axis < 0 else axis
    if not 1 <= found < rank:
        raise ArgumentError(f"{layer}: expected an axis of the input {tuple(shape)}, got {axis}")
    return found
