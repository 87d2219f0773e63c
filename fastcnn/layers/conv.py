"""Convolution layers."""

from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.errors import ArgumentError
from fastcnn.layers.activation import function
from fastcnn.layers.base import Backward, Call, Layer, Shape, elements
from fastcnn.layers.product import convolve, convolve_backward, convolve_only, repeat


class Conv2D(Layer):
    """2D convolution: (N, H, W, C) to (N, H', W', filters). ONNX: Conv.

        y[n, i, j, k] = activation(bias[k] + sum_rsc x[n, i sh + r dh - top, j sw + s dw - left, c] kernel[r, s, c, k])

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size : int or (int, int)
        Rows and columns of the window.
    strides, dilation_rate : int or (int, int)
        Steps of the window, and between its elements.
    padding : str, int or tuple
        "valid", "same", or zeros on each side: p, (rows, columns) or ((top, bottom), (left, right)).
    groups : int
        Input and output channels are cut into so many independent groups.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    """

    def __init__(self, filters: int, kernel_size: int | tuple[int, int], strides: int | tuple[int, int] = (1, 1),
                 padding: geometry.Padding = "valid", data_format: str | None = None,
                 dilation_rate: int | tuple[int, int] = (1, 1), groups: int = 1, activation: str | None = None,
                 use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        for name, value in (("filters", filters), ("groups", groups)):
            if not isinstance(value, int) or value < 1:
                raise ArgumentError(f"{self}: expected {name} to be a positive integer, got {value!r}")
        self.filters, self.groups = filters, groups
        self.kernel_size = geometry.pair(kernel_size, f"{self}: kernel_size")
        self.strides = geometry.pair(strides, f"{self}: strides")
        self.dilation_rate = geometry.pair(dilation_rate, f"{self}: dilation_rate")
        self.padding = hashable(padding)
        self.activation = function(activation, self)
        self.use_bias = use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer

    def _geometry(self, shape: tuple[int, ...]) -> np.ndarray:
        return geometry.conv2d(shape, self.filters, self.kernel_size, self.strides, self.padding,
                               self.dilation_rate, self.groups, str(self))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape)
        g = self._geometry((1, *input_shape[1:]))[0]
        return None, int(g["oh"]), int(g["ow"]), int(g["k"])

    def create_weights(self, input_shape: Shape) -> None:
        shape = (*self.kernel_size, input_shape[-1] // self.groups, self.filters)
        self.kernel = self.add_weight("kernel", shape, self.kernel_initializer)
        self.bias = self.add_weight("bias", (self.filters,), self.bias_initializer) if self.use_bias else None

    def multiply_adds(self) -> int:
        return elements(self.output_shape) * (self.kernel.size // self.filters)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        g = self._geometry(x.shape)
        y, activation_backward = convolve(self, x, (x.shape[0], *self.output_shape[1:]), g)

        def backward(dy: np.ndarray) -> np.ndarray | None:
            return convolve_backward(self, x, activation_backward(dy), g, call.wants_dx)

        return y, backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        y = repeat(self, x)
        if y is not None:
            return y
        x = self.checked(x)
        return convolve_only(self, x, (x.shape[0], *self.output_shape[1:]), self._geometry(x.shape))


def check_image(layer: Layer, shape: Shape) -> None:
    if len(shape) != 4:
        raise ArgumentError(f"{layer}: expected input (N, H, W, C), got {len(shape)} dimensions, {shape}; "
                            f"grey images need a channel: x[..., None]")


def hashable(padding: Any) -> Any:
    return tuple(hashable(p) for p in padding) if isinstance(padding, (tuple, list)) else padding
