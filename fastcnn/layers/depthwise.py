"""Depthwise convolution: every channel has windows of its own."""

from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Shape
from fastcnn.layers.conv import Conv2D


class DepthwiseConv2D(Conv2D):
    """2D convolution of each channel by itself: (N, H, W, C) to (N, H', W', C M). ONNX: Conv with group = C.

        y[n, i, j, c M + m] = activation(bias[c M + m]
                                         + sum_rs x[n, i sh + r dh - top, j sw + s dw - left, c] kernel[r, s, c, m])

    With M = 1, as in MobileNet and EfficientNet, it has kernels of its own, and ``Conv2D(C, ..., groups=C)``, which is
    the same, takes them too.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Rows and columns of the window.
    strides, dilation_rate : int or (int, int)
        Steps of the window, and between its elements.
    padding : str, int or tuple
        As `Conv2D`.
    depth_multiplier : int
        M, the windows of each channel.
    activation : str, optional
    use_bias : bool
    depthwise_initializer, bias_initializer : str or Initializer
    """

    def __init__(self, kernel_size: int | tuple[int, int], strides: int | tuple[int, int] = (1, 1),
                 padding: geometry.Padding = "valid", depth_multiplier: int = 1, data_format: str | None = None,
                 dilation_rate: int | tuple[int, int] = (1, 1), activation: str | None = None, use_bias: bool = True,
                 depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
                 **kwargs: Any) -> None:
        super().__init__(1, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
                         depthwise_initializer, bias_initializer, **kwargs)
        if not isinstance(depth_multiplier, int) or depth_multiplier < 1:
            raise ArgumentError(f"{self}: expected depth_multiplier to be a positive integer, got {depth_multiplier!r}")
        self.depth_multiplier = depth_multiplier

    def _geometry(self, shape: tuple[int, ...]) -> np.ndarray:
        channels = shape[3]
        return geometry.conv2d(shape, channels * self.depth_multiplier, self.kernel_size, self.strides, self.padding,
                               self.dilation_rate, channels, str(self))

    def create_weights(self, input_shape: Shape) -> None:
        channels = input_shape[-1]
        self.filters, self.groups = channels * self.depth_multiplier, channels
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self.add_weight("kernel", shape, self.kernel_initializer)
        self.bias = self.add_weight("bias", (self.filters,), self.bias_initializer) if self.use_bias else None
