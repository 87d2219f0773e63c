"""Separable convolution: depthwise, then of single pixels."""

import math
from typing import Any, NamedTuple

import numpy as np

from fastcnn import geometry
from fastcnn.geometry.arguments import positive
from fastcnn.layers.base import Backward, Call, Shape, elements
from fastcnn.layers.conv import Convolution
from fastcnn.layers.product import convolve, convolve_backward, convolve_only
from fastcnn.parameters import Parameter


class _Part(NamedTuple):
    """One of the two convolutions, as `product` sees a layer."""

    kernel: Parameter
    bias: Parameter | None
    activation: Any
    dtype: np.dtype
    trainable: bool
    input_shape: Any
    padding: Any


class _Separable(Convolution):
    """What separable convolutions of one and two dimensions have in common."""

    def __init__(self, filters: int, kernel_size: int | tuple[int, ...], strides: int | tuple[int, ...] = 1,
                 padding: geometry.Padding = "valid", data_format: str | None = None,
                 dilation_rate: int | tuple[int, ...] = 1, depth_multiplier: int = 1, activation: str | None = None,
                 use_bias: bool = True, depthwise_initializer: Any = "glorot_uniform",
                 pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
                 depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None,
                 activity_regularizer: Any = None, depthwise_constraint: Any = None, pointwise_constraint: Any = None,
                 bias_constraint: Any = None, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
                         pointwise_initializer, bias_initializer, pointwise_regularizer, bias_regularizer,
                         activity_regularizer, None, bias_constraint, **kwargs)
        self.refuse(depthwise_constraint=(depthwise_constraint, None),
                    pointwise_constraint=(pointwise_constraint, None))
        (self.depth_multiplier,) = positive(self, depth_multiplier=depth_multiplier)
        self.depthwise_initializer, self.depthwise_regularizer = depthwise_initializer, depthwise_regularizer

    def _outputs(self, channels: int) -> tuple[int, int]:
        """Of the depthwise one, as the geometry is."""
        return channels * self.depth_multiplier, channels

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return *super().compute_output_shape(input_shape)[:-1], self.filters

    def create_weights(self, input_shape: Shape) -> None:
        c, m = input_shape[-1], self.depth_multiplier
        self.depthwise_kernel = self.add_weight("depthwise_kernel", (*self.kernel_size, c, m),
                                                self.depthwise_initializer, regularizer=self.depthwise_regularizer)
        # `kernel`, where others look for the weights that make the outputs
        self.kernel = self.add_weight("pointwise_kernel", (*(1,) * self.rank, c * m, self.filters),
                                      self.kernel_initializer, regularizer=self.kernel_regularizer)
        self.bias = self.add_weight("bias", (self.filters,), self.bias_initializer,
                                    regularizer=self.bias_regularizer) if self.use_bias else None

    @property
    def pointwise_kernel(self) -> Parameter:
        return self.kernel

    def multiply_adds(self) -> int:
        return elements(self.output_shape) // self.filters * (self.depthwise_kernel.size + self.kernel.size)

    def _parts(self, shape: tuple[int, ...]) -> tuple[_Part, _Part, np.ndarray, np.ndarray, tuple[int, ...]]:
        """Return the two convolutions, their geometries for an input, and the shape between them."""
        depthwise = _Part(self.depthwise_kernel, None, None, self.dtype, self.trainable, self.input_shape, self.padding)
        pointwise = _Part(self.kernel, self.bias, self.activation, self.dtype, self.trainable, None, "valid")
        between = (shape[0], *self.output_shape[1:-1], shape[-1] * self.depth_multiplier)
        pixels = geometry.dense(math.prod(between[:-1]), between[-1], self.filters)
        return depthwise, pointwise, self._geometry(shape), pixels, between

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        depthwise, pointwise, windows, pixels, between = self._parts(x.shape)
        z, _ = convolve(depthwise, x, between, windows)
        y, activation_backward = convolve(pointwise, z, (x.shape[0], *self.output_shape[1:]), pixels)

        def backward(dy: np.ndarray) -> np.ndarray | None:
            dz = convolve_backward(pointwise, z, activation_backward(dy), pixels, True)
            assert dz is not None
            return convolve_backward(depthwise, x, dz, windows, call.wants_dx)

        return y, backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        depthwise, pointwise, windows, pixels, between = self._parts(x.shape)
        z = convolve_only(depthwise, x, between, windows)
        return convolve_only(pointwise, z, (x.shape[0], *self.output_shape[1:]), pixels)


class SeparableConv1D(_Separable):
    """1D depthwise convolution, then a convolution of single positions: (N, L, C) to (N, L', filters).

    As `SeparableConv2D`, in one dimension.

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size, strides, dilation_rate : int
        As `SeparableConv2D`, of one dimension.
    padding : str, int or tuple
        As `Conv1D`.
    depth_multiplier : int
        M, the depthwise windows of each channel.
    activation : str, optional
    use_bias : bool
    depthwise_initializer, pointwise_initializer, bias_initializer : str or Initializer
    depthwise_regularizer, pointwise_regularizer, bias_regularizer : str or Regularizer, optional
    activity_regularizer : str or Regularizer, optional
    depthwise_constraint, pointwise_constraint, bias_constraint : None
        Not offered.
    """

    rank = 1


class SeparableConv2D(_Separable):
    """2D depthwise convolution, then one of single pixels: (N, H, W, C) to (N, H', W', filters). ONNX: two of Conv.

        z = depthwise convolution of x, (N, H', W', C M), without a bias
        y[n, i, j, k] = activation(bias[k] + sum_c z[n, i, j, c] pointwise_kernel[0, 0, c, k])

    Chollet, "Xception: deep learning with depthwise separable convolutions", 2017.

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size : int or (int, int)
        Rows and columns of the depthwise window.
    strides, dilation_rate : int or (int, int)
        Steps of that window, and between its elements.
    padding : str, int or tuple
        As `Conv2D`.
    depth_multiplier : int
        M, the depthwise windows of each channel.
    activation : str, optional
    use_bias : bool
    depthwise_initializer, pointwise_initializer, bias_initializer : str or Initializer
    depthwise_regularizer, pointwise_regularizer, bias_regularizer : str or Regularizer, optional
    activity_regularizer : str or Regularizer, optional
    depthwise_constraint, pointwise_constraint, bias_constraint : None
        Not offered.
    """
