"""Depthwise convolution: every channel has windows of its own."""

from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.geometry.arguments import positive
from fastcnn.layers.base import Shape
from fastcnn.layers.conv import Convolution
from fastcnn.traits import Trait


class _Depthwise(Convolution):
    """What depthwise convolutions of one and two dimensions have in common."""

    trains_short = predicts_short = False

    def __init__(self, kernel_size: int | tuple[int, ...], strides: int | tuple[int, ...] = 1,
                 padding: geometry.Padding = "valid", depth_multiplier: int = 1, data_format: str | None = None,
                 dilation_rate: int | tuple[int, ...] = 1, activation: str | None = None, use_bias: bool = True,
                 depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
                 depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
                 depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any) -> None:
        super().__init__(1, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
                         depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer,
                         activity_regularizer, depthwise_constraint, bias_constraint, **kwargs)
        (self.depth_multiplier,) = positive(self, depth_multiplier=depth_multiplier)

    def _outputs(self, channels: int) -> tuple[int, int]:
        return channels * self.depth_multiplier, channels

    def create_weights(self, input_shape: Shape) -> None:
        self.filters, self.groups = self._outputs(input_shape[-1])
        self._make_weights((*self.kernel_size, input_shape[-1], self.depth_multiplier))

    def over_kernel(self, numbers: np.ndarray) -> np.ndarray:
        return numbers.reshape(-1, self.depth_multiplier)


class DepthwiseConv1D(_Depthwise):
    """1D convolution of each channel by itself: (N, L, C) to (N, L', C M). ONNX: Conv with group = C.

        y[n, i, c M + m] = activation(bias[c M + m] + sum_r x[n, i s + r d - before, c] kernel[r, c, m])

    Parameters
    ----------
    kernel_size : int
        Length of the window.
    strides, dilation_rate : int
        Steps of the window, and between its elements.
    padding : str, int or tuple
        As `Conv1D`.
    depth_multiplier : int
        M, the windows of each channel.
    activation : str, optional
    use_bias : bool
    depthwise_initializer, bias_initializer : str or Initializer
    depthwise_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    depthwise_constraint, bias_constraint : str, Constraint or function, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.DepthwiseConv1D(3, depth_multiplier=2).compute_output_shape((None, 8, 3))
    (None, 6, 6)
    """

    traits = Trait.PRODUCT
    rank = 1


class DepthwiseConv2D(_Depthwise):
    """2D convolution of each channel by itself: (N, H, W, C) to (N, H', W', C M). ONNX: Conv with group = C.

        y[n, i, j, c M + m] = activation(bias[c M + m]
                                         + sum_rs x[n, i sh + r dh - top, j sw + s dw - left, c] kernel[r, s, c, m])

    M = 1, as in MobileNet and EfficientNet, has its own kernels. ``Conv2D(C, ..., groups=C)`` is the same layer and
    uses them too.

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
    depthwise_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    depthwise_constraint, bias_constraint : str, Constraint or function, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.DepthwiseConv2D(3, depth_multiplier=2).compute_output_shape((None, 28, 28, 3))
    (None, 26, 26, 6)
    """

    traits = Trait.PRODUCT | Trait.DEPTHWISE2D | Trait.TAKES_BORDER | Trait.CALLS_KERNELS
