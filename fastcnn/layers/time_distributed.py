"""A layer for each of the things that a sample has: regions of an image, frames of a film."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.wrapper import Wrapper


class TimeDistributed(Wrapper):
    """A layer that runs on each of T things of a sample alone: (N, T, ...) as N T samples (...), and back.

    Keras's name tells of steps of time; regions of an image are such things as well. Batch normalization within counts
    over all N T of them.

    Parameters
    ----------
    layer : Layer
        Of one input and one output; a model, too.
    **kwargs
        Those of `Layer`.

    Examples
    --------
    >>> each = layers.TimeDistributed(layers.Conv2D(8, 3))
    >>> each.compute_output_shape((None, 64, 14, 14, 3))  # 64 regions of an image
    (None, 64, 12, 12, 8)
    """

    has_call = is_composite = False  # it computes: a graph of layers keeps its samples apart

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.replayable = self.layer.replayable

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        inner = self.layer.compute_output_shape(self._each(input_shape))
        return None, input_shape[1], *inner[1:]

    def create_weights(self, input_shape: Shape) -> None:
        self.layer.build(self._each(input_shape))

    def _each(self, shape: Any) -> tuple[int | None, ...]:
        """Return the shape of one of the things."""
        if len(shape) < 3 or isinstance(shape[0], tuple):
            raise ArgumentError(f"{self}: expected an input (N, T, ...), T things of a sample for {self.layer}, got "
                                f"{shape}")
        return None, *shape[2:]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        shape = x.shape
        y, backward = self.layer.forward(_folded(x), call)

        def back(dy: np.ndarray) -> Any:
            dx = backward(_folded(dy))
            return None if dx is None else dx.reshape(shape)

        return y.reshape(*shape[:2], *y.shape[1:]), back

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        y = self.layer.predict(_folded(x))
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def multiply_adds(self) -> int:
        things: int = self.input_shape[1]
        return things * self.layer.multiply_adds()


def _folded(x: np.ndarray) -> np.ndarray:
    return x.reshape(math.prod(x.shape[:2]), *x.shape[2:])
