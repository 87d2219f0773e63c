"""Layers that move numbers without changing them."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Backward, Call, Layer, Shape, elements


class _Reshaping(Layer):
    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return x.reshape(x.shape[0], *self.output_shape[1:]), lambda dy: dy.reshape(x.shape)


class Flatten(_Reshaping):
    """(N, ...) to (N, features), a view. ONNX: Flatten."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return None, elements(input_shape)


class Reshape(_Reshaping):
    """(N, ...) to (N, *target_shape), a view. ONNX: Reshape.

    Parameters
    ----------
    target_shape : tuple of int
        Without the batch; one entry may be -1.
    """

    def __init__(self, target_shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        size, known = elements(input_shape), math.prod(n for n in self.target_shape if n != -1)
        unknown = self.target_shape.count(-1)
        if unknown > 1 or (size != known if not unknown else known == 0 or size % known):
            raise ArgumentError(f"{self}: expected a target_shape of {size} elements, got {self.target_shape}")
        return None, *(size // known if n == -1 else n for n in self.target_shape)
