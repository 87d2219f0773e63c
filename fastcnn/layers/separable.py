"""Separable convolution: depthwise, then of single pixels."""

import math
from typing import Any

import numpy as np

from fastcnn import constraints, geometry
from fastcnn.geometry.arguments import positive
from fastcnn.layers.base import Backward, Call, Shape, elements
from fastcnn.layers.conv import Convolution
from fastcnn.operations.bfloat16 import round_in_place, rounded
from fastcnn.operations.convolution import convolution, predict_convolution
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait


class _Separable(Convolution):
    """What separable convolutions of one and two dimensions have in common."""

    trains_short = predicts_short = False

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
                         activity_regularizer, pointwise_constraint, bias_constraint, **kwargs)
        (self.depth_multiplier,) = positive(self, depth_multiplier=depth_multiplier)
        self.depthwise_initializer, self.depthwise_regularizer = depthwise_initializer, depthwise_regularizer
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def _outputs(self, channels: int) -> tuple[int, int]:
        """Of the depthwise one, as the geometry is."""
        return channels * self.depth_multiplier, channels

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return *super().compute_output_shape(input_shape)[:-1], self.filters

    def create_weights(self, input_shape: Shape) -> None:
        c, m = input_shape[-1], self.depth_multiplier
        self.depthwise_kernel = self.add_weight("depthwise_kernel", (*self.kernel_size, c, m),
                                                self.depthwise_initializer, regularizer=self.depthwise_regularizer,
                                                constraint=self.depthwise_constraint)
        # `kernel`, where others look for the weights that make the outputs
        self.kernel = self.add_weight("pointwise_kernel", (*(1,) * self.rank, c * m, self.filters),
                                      self.kernel_initializer, regularizer=self.kernel_regularizer,
                                      constraint=self.kernel_constraint)
        self.bias = self.add_weight("bias", (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None

    @property
    def pointwise_kernel(self) -> Parameter:
        """The weights of the 1x1 convolution, by Keras's name."""
        return self.kernel

    def multiply_adds(self) -> int:
        return elements(self.output_shape) // self.filters * (self.depthwise_kernel.size + self.kernel.size)

    def _between(self, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return the geometry of the second convolution for an input, and the shape between the two."""
        between = (shape[0], *self.output_shape[1:-1], shape[-1] * self.depth_multiplier)
        return geometry.dense(math.prod(between[:-1]), between[-1], self.filters), between

    def forward_with(self, x: np.ndarray, call: Call, activation: Any) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        pixels, between = self._between(x.shape)
        z, through_depthwise = convolution(x, self.depthwise_kernel, None, None, self.geometry(x.shape), between,
                                           self.trainable, call.wants_dx)
        if self.rounds:  # what lies between the two is stored as what lies between layers
            round_in_place(z)
        y, through_pointwise = convolution(z, self.kernel, self.bias, activation, pixels,
                                           (x.shape[0], *self.output_shape[1:]), self.trainable)
        if self.rounds:
            return y, lambda dy: through_depthwise(rounded(through_pointwise(dy)))
        return y, lambda dy: through_depthwise(through_pointwise(dy))

    def predict_with(self, x: np.ndarray, kernel: Parameter, bias: Parameter | None, activation: Any,
                     residual: np.ndarray | None = None, padding: Any = None) -> np.ndarray:
        """As `Conv2D.predict_with`; `kernel` and `bias` are those of the second convolution."""
        pixels, between = self._between(x.shape)
        z = predict_convolution(x, self.depthwise_kernel, None, None, self.geometry(x.shape, padding), between)
        if self.rounds:
            round_in_place(z)
        return predict_convolution(z, kernel, bias, activation, pixels, (x.shape[0], *self.output_shape[1:]), residual)


class SeparableConv1D(_Separable):
    """1D depthwise convolution, then a convolution of single positions: (N, L, C) to (N, L', filters).

    `SeparableConv2D` in one dimension.

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
    depthwise_constraint, pointwise_constraint, bias_constraint : str, Constraint or function, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.SeparableConv1D(16, 3).compute_output_shape((None, 8, 3))
    (None, 6, 16)
    """

    traits = Trait.PRODUCT
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
    depthwise_constraint, pointwise_constraint, bias_constraint : str, Constraint or function, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.SeparableConv2D(16, 3).compute_output_shape((None, 28, 28, 3))
    (None, 26, 26, 16)
    """

    traits = Trait.PRODUCT
