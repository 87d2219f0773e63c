"""Transposed convolution: the gradient of a convolution with respect to its input, as a layer."""

from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.geometry import dimensions
from fastcnn.geometry.arguments import several
from fastcnn.layers.base import Backward, Call, Shape, elements
from fastcnn.layers.conv import Convolution, check_image
from fastcnn.operations.convolution_transpose import convolution_transpose, predict_convolution_transpose
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait


class ConvolutionTranspose(Convolution):
    """What transposed convolutions have in common, as `Convolution`.

    Parameters
    ----------
    filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation
        As `Conv2DTranspose`.
    use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer
        As `Conv2DTranspose`.
    activity_regularizer, kernel_constraint, bias_constraint, groups
        As `Conv2DTranspose`.
    """

    causal = trains_short = predicts_short = False

    def __init__(self, filters: int, kernel_size: int | tuple[int, ...], strides: int | tuple[int, ...] = 1,
                 padding: geometry.Padding = "valid", output_padding: int | tuple[int, ...] | None = None,
                 data_format: str | None = None, dilation_rate: int | tuple[int, ...] = 1,
                 activation: str | None = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
                 bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
                 activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None, *,
                 groups: int = 1, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation,
                         use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                         activity_regularizer, kernel_constraint, bias_constraint, **kwargs)
        self.output_padding = None if output_padding is None else several(
            output_padding, self.rank, f"{self}: output_padding", lowest=0)

    def _new_geometry(self, shape: tuple[int, ...], padding: Any, who: str) -> np.ndarray:
        """Return that of the convolution from the output to the input."""
        return dimensions.conv_transpose(shape, self.filters, self.kernel_size, self.strides, padding,
                                         self.output_padding, self.dilation_rate, self.groups, who=who)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        sizes = dimensions.transposed_lengths(input_shape[1:-1], self.kernel_size, self.strides, self.padding,
                                              self.output_padding, self.dilation_rate, str(self))[0]
        self.geometry((1, *input_shape[1:]), who=str(self))  # complains of groups that do not fit
        return None, *sizes, self.filters

    def create_weights(self, input_shape: Shape) -> None:
        self._make_weights((*self.kernel_size, self.filters // self.groups, input_shape[-1]))

    def multiply_adds(self) -> int:
        channels: int = self.input_shape[-1]
        return elements(self.input_shape) * (self.kernel.size // channels)

    def over_kernel(self, numbers: np.ndarray) -> np.ndarray:
        return np.repeat(numbers.reshape(self.groups, -1).T, self.kernel.shape[-1] // self.groups, axis=1)

    def forward_with(self, x: np.ndarray, call: Call, activation: Any) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return convolution_transpose(x, self.kernel, self.bias, activation, self.geometry(x.shape),
                                     (x.shape[0], *self.output_shape[1:]), self.trainable, call.wants_dx)

    def predict_with(self, x: np.ndarray, kernel: Parameter, bias: Parameter | None, activation: Any,
                     residual: np.ndarray | None = None, padding: Any = None) -> np.ndarray:
        """As `Conv2D.predict_with`, without a residual."""
        assert residual is None, "no kernel adds one here"
        return predict_convolution_transpose(x, kernel, bias, activation, self.geometry(x.shape, padding),
                                             (x.shape[0], *self.output_shape[1:]))


class Conv1DTranspose(ConvolutionTranspose):
    """1D transposed convolution: (N, L, C) to (N, L', filters). ONNX: ConvTranspose.

        y[n, p, k] = activation(bias[k] + sum x[n, i, c] kernel[r, k, c] over i, r, c with i s + r d - before = p)

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size, strides, dilation_rate : int
        As `Conv2DTranspose`, for one dimension.
    padding : str, int or tuple
        As `Conv2DTranspose`.
    output_padding : int, optional
        As `Conv2DTranspose`.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    kernel_constraint, bias_constraint : str, Constraint or function, optional
    groups : int
        As `Conv2DTranspose`.
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Conv1DTranspose(16, 3, strides=2).compute_output_shape((None, 8, 3))
    (None, 17, 16)
    """

    traits = Trait.PRODUCT
    rank = 1


class Conv2DTranspose(ConvolutionTranspose):
    """2D transposed convolution: (N, H, W, C) to (N, H', W', filters). ONNX: ConvTranspose.

        y[n, p, q, k] = activation(bias[k] + sum x[n, i, j, c] kernel[r, s, k, c]
                                   over i, j, r, s, c with i sh + r dh - top = p and j sw + s dw - left = q)

    Each input pixel adds to a window of the output (Zeiler et al., "Deconvolutional networks", 2010). The
    kernel is (KH, KW, filters // groups, C), as in Keras.

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size : int or (int, int)
        Rows and columns of the window.
    strides, dilation_rate : int or (int, int)
        Steps of the window on the output, and between its elements.
    padding : str, int or tuple
        "valid"; "same", with an output of the input's size times the strides; or rows and columns that are cut off the
        output on each side: p, (rows, columns) or ((top, bottom), (left, right)).
    output_padding : int or (int, int), optional
        Extra rows and columns at the end of the output, fewer than the strides. None takes as many as "valid" and
        "same" imply, and none with explicit padding.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    kernel_constraint, bias_constraint : str, Constraint or function, optional
    groups : int
        The number of independent groups that input and output channels are split into (Keras has none).
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Conv2DTranspose(16, 3, strides=2).compute_output_shape((None, 28, 28, 3))
    (None, 57, 57, 16)
    """

    traits = Trait.PRODUCT | Trait.CALLS_KERNELS


class Conv3DTranspose(ConvolutionTranspose):
    """3D transposed convolution: (N, D, H, W, C) to (N, D', H', W', filters). ONNX: ConvTranspose.

    `Conv2DTranspose` with one more dimension. The kernel is (KD, KH, KW, filters // groups, C).

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size, strides, dilation_rate : int or (int, int, int)
        As `Conv2DTranspose`, for slices, rows and columns.
    padding : str, int or tuple
        As `Conv2DTranspose`.
    output_padding : int or (int, int, int), optional
        As `Conv2DTranspose`.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    kernel_constraint, bias_constraint : str, Constraint or function, optional
    groups : int
        As `Conv2DTranspose`.
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Conv3DTranspose(16, 3, strides=2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 17, 17, 17, 16)
    """

    traits = Trait.PRODUCT
    rank = 3

    def __init__(self, filters: int, kernel_size: int | tuple[int, ...], strides: int | tuple[int, ...] = 1,
                 padding: geometry.Padding = "valid", data_format: str | None = None,
                 output_padding: int | tuple[int, ...] | None = None, dilation_rate: int | tuple[int, ...] = 1,
                 activation: str | None = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
                 bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
                 activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None, *,
                 groups: int = 1, **kwargs: Any) -> None:
        # Keras has data_format and output_padding in the other order here.
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate,
                         activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
                         bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, groups=groups,
                         **kwargs)
