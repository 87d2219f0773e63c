"""Convolution layers."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from fastcnn import constraints, geometry
from fastcnn.errors import ArgumentError
from fastcnn.geometry import dimensions
from fastcnn.geometry.arguments import padding_argument, positive, several
from fastcnn.layers.activation import function
from fastcnn.layers.base import Backward, Call, Layer, Shape, elements
from fastcnn.operations.convolution import convolution, predict_convolution, repeated
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait

_AXES = ("L", "H, W", "D, H, W")
_SHAPES = 64  # of input whose geometries a layer remembers
#: By rank.
_GEOMETRIES: tuple[Callable[..., np.ndarray], ...] = (dimensions.conv1d, geometry.conv2d, dimensions.conv3d)


class Convolution(Layer):
    """What convolutions have in common; `rank` is the number of dimensions that the window moves in.

    Parameters
    ----------
    filters, kernel_size, strides, padding, data_format, dilation_rate, groups
        As `Conv2D`.
    activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer
        As `Conv2D`.
    activity_regularizer, kernel_constraint, bias_constraint
        As `Conv2D`.
    """

    rank: ClassVar[int] = 2
    causal: ClassVar[bool] = True  # whether "causal" is a padding in one dimension
    trains_short = predicts_short = True

    def __init__(self, filters: int, kernel_size: int | tuple[int, ...], strides: int | tuple[int, ...] = 1,
                 padding: geometry.Padding = "valid", data_format: str | None = None,
                 dilation_rate: int | tuple[int, ...] = 1, groups: int = 1, activation: str | None = None,
                 use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
                 kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
                 kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.require_channels_last(data_format)
        self.filters, self.groups = positive(self, filters=filters, groups=groups)
        if self.filters % self.groups:
            raise ArgumentError(f"{self}: expected groups to divide the {filters} filters, got groups={groups}")
        self.kernel_size: Any = several(kernel_size, self.rank, f"{self}: kernel_size")
        self.strides: Any = several(strides, self.rank, f"{self}: strides")
        self.dilation_rate: Any = several(dilation_rate, self.rank, f"{self}: dilation_rate")
        self.padding: Any = padding_argument(padding, self.rank, self, causal=self.causal and self.rank == 1)
        self.activation = function(activation, self)
        self.use_bias = use_bias
        self._geometries: dict[Any, np.ndarray] = {}
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = map(constraints.get, (kernel_constraint, bias_constraint))

    def geometry(self, shape: tuple[int, ...], padding: Any = None, who: str = "convolution") -> np.ndarray:
        """Return the geometry of the convolution of an input.

        Parameters
        ----------
        shape : tuple of int
            Of the input, the batch with it.
        padding : tuple, optional
            In place of the layer's own.
        who : str
            For the message, if the window does not fit: the input of a layer that is built does.
        """
        key = shape, self.padding if padding is None else padding
        found = self._geometries.get(key)
        if found is None:
            if len(self._geometries) >= _SHAPES:
                self._geometries.clear()
            found = self._geometries[key] = self._new_geometry(*key, who)
        return found

    def _new_geometry(self, shape: tuple[int, ...], padding: Any, who: str) -> np.ndarray:
        make = _GEOMETRIES[self.rank - 1]
        filters, groups = self._outputs(shape[-1])
        return make(shape, filters, self.kernel_size, self.strides, padding, self.dilation_rate, groups, who)

    def _outputs(self, channels: int) -> tuple[int, int]:
        """Return how many channels come out, and in how many groups."""
        return self.filters, self.groups

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        size = input_shape[1:-1]
        sides = dimensions.padding_of(self.padding, size, self.kernel_size, self.strides, self.dilation_rate, str(self))
        self.geometry((1, *input_shape[1:]), who=str(self))  # complains of what does not fit
        return None, *map(geometry.output_length, size, self.kernel_size, self.strides, self.dilation_rate,
                          *zip(*sides, strict=True)), self._outputs(input_shape[-1])[0]

    def create_weights(self, input_shape: Shape) -> None:
        self._make_weights((*self.kernel_size, input_shape[-1] // self.groups, self.filters))

    def _make_weights(self, kernel_shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight("kernel", kernel_shape, self.kernel_initializer,
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias = self.add_weight("bias", (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None

    def multiply_adds(self) -> int:
        return elements(self.output_shape) * (self.kernel.size // self.filters)

    def over_kernel(self, numbers: np.ndarray) -> np.ndarray:
        """Return a number for each output in the shape that multiplies the kernel.

        Parameters
        ----------
        numbers : (outputs,) array
        """
        return numbers

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return self.forward_with(x, call, self.activation)

    def forward_with(self, x: np.ndarray, call: Call, activation: Any) -> tuple[np.ndarray, Backward]:
        """As `forward`, with another activation."""
        x = self.checked(x)
        return convolution(x, self.kernel, self.bias, activation, self.geometry(x.shape),
                           (x.shape[0], *self.output_shape[1:]), self.trainable, call.wants_dx)

    def predict(self, x: np.ndarray) -> np.ndarray:
        if self.built:
            y = repeated(x, self.kernel, self.bias, self.activation, (self.padding, self.input_shape))
            if y is not None:
                return y
        x = self.checked(x)
        return self.predict_with(x, self.kernel, self.bias, self.activation)

    def predict_with(self, x: np.ndarray, kernel: Parameter, bias: Parameter | None, activation: Any,
                     residual: np.ndarray | None = None, padding: Any = None) -> np.ndarray:
        """As `predict`, with other parameters, activation and padding, of an input that is checked.

        Parameters
        ----------
        x : array
        kernel, bias : Parameter
            Of the layer's shapes.
        activation : Function, optional
        residual : array, optional
            Lies as the output does; added before the activation.
        padding : tuple, optional
            In place of the layer's own, for an input that another layer would have padded.
        """
        return predict_convolution(x, kernel, bias, activation, self.geometry(x.shape, padding),
                                   (x.shape[0], *self.output_shape[1:]), residual,
                                   (self.padding if padding is None else padding, self.input_shape))


class Conv1D(Convolution):
    """1D convolution: (N, L, C) to (N, L', filters). ONNX: Conv.

        y[n, i, k] = activation(bias[k] + sum_rc x[n, i s + r d - before, c] kernel[r, c, k])

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size : int
        Length of the window.
    strides, dilation_rate : int
        Steps of the window, and between its elements.
    padding : str, int or tuple
        "valid", "same", "causal" (zeros before alone, so that no output looks ahead), p or (before, after) zeros.
    groups : int
        The number of independent groups that input and output channels are split into.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    kernel_constraint, bias_constraint : str, Constraint or function, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Conv1D(16, 3, padding="same").compute_output_shape((None, 8, 3))
    (None, 8, 16)
    """

    traits = Trait.PRODUCT
    rank = 1


class Conv2D(Convolution):
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
        The number of independent groups that input and output channels are split into.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    kernel_constraint, bias_constraint : str, Constraint or function, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Conv2D(16, 3).compute_output_shape((None, 28, 28, 3))
    (None, 26, 26, 16)
    """

    traits = Trait.PRODUCT | Trait.CONV2D | Trait.TAKES_RESIDUAL | Trait.TAKES_BORDER | Trait.CALLS_KERNELS


class Conv3D(Convolution):
    """3D convolution: (N, D, H, W, C) to (N, D', H', W', filters). ONNX: Conv.

        y[n, o, i, j, k] = activation(bias[k] + sum_trsc x[n, o sd + t dd - front, i sh + r dh - top,
                                                           j sw + s dw - left, c] kernel[t, r, s, c, k])

    Parameters
    ----------
    filters : int
        Output channels K.
    kernel_size : int or (int, int, int)
        Slices, rows and columns of the window.
    strides, dilation_rate : int or (int, int, int)
        Steps of the window, and between its elements.
    padding : str, int or tuple
        "valid", "same", or zeros on each side: p, (slices, rows, columns) or ((front, back), (top, bottom),
        (left, right)).
    groups : int
        The number of independent groups that input and output channels are split into.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or Initializer
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
    kernel_constraint, bias_constraint : str, Constraint or function, optional
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Conv3D(16, 3, strides=2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 3, 3, 3, 16)
    """

    traits = Trait.PRODUCT
    rank = 3


def check_image(layer: Layer, shape: Shape, rank: int = 2) -> None:
    if len(shape) != rank + 2:
        grey = "; grey images need a channel: x[..., None]" if rank == 2 else ""
        raise ArgumentError(f"{layer}: expected input (N, {_AXES[rank - 1]}, C), got {len(shape)} dimensions, "
                            f"{shape}{grey}")
