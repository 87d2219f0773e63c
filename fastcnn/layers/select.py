"""A layer that takes a part of its input."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integer, positive
from fastcnn.layers.base import Backward, Call, Layer, Shape


class Slice(Layer):
    """y = x[..., start:stop:step, ...] along one axis, as Python's slices count. ONNX: Slice.

    Keras has it as an operation alone; a split into branches is a layer for each part. Where nothing is taken the
    gradient is zero.

    Parameters
    ----------
    start, stop : int, optional
        Where the part begins and where it has ended; the axis' ends if absent, counted from its end if negative.
    step : int
        Positive.
    axis : int
        Not 0, the batch; the last, of channels, if absent.
    """

    def __init__(self, start: int | None = None, stop: int | None = None, step: int = 1, axis: int = -1,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.step,) = positive(self, step=step)
        self.axis = integer(axis, self, "axis")
        if self.axis == 0:
            raise ArgumentError(f"{self}: expected an axis other than 0, the batch, got {axis!r}")
        self.start, self.stop = (None if at is None else integer(at, self, name)
                                 for name, at in (("start", start), ("stop", stop)))

    def _where(self, shape: Shape) -> tuple[slice, ...]:
        rank = len(shape)
        axis = self.axis + rank if self.axis < 0 else self.axis
        if not 1 <= axis < rank:
            raise ArgumentError(f"{self}: expected an axis of the input {tuple(shape)}, got {self.axis}")
        start, stop, step = slice(self.start, self.stop, self.step).indices(shape[axis])
        return *(slice(None),) * axis, slice(start, stop, step)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        where = self._where(input_shape)
        taken, axis = where[-1], len(where) - 1
        count = len(range(taken.start, taken.stop, taken.step))
        if not count:
            raise ArgumentError(f"{self}: expected a part of the {input_shape[axis]} at axis {axis}, "
                                f"got {self.start}:{self.stop}, which is none")
        return *input_shape[:axis], count, *input_shape[axis + 1:]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        d, where, x_shape = device.of(x), self._where(x.shape), x.shape
        y = d.empty((x.shape[0], *self.output_shape[1:]), x.dtype)
        d.copy(y, x[where])

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.zeros(x_shape, dy.dtype)
            dx[where] = dy
            return dx

        return y, backward
