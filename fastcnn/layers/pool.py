"""Pooling layers: windows of a feature map become one number each."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.geometry.arguments import padding_argument, several
from fastcnn.geometry.pool import PoolingPass, output_lengths, passes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.pooling import average_pool, l2_pool, max_pool
from fastcnn.traits import Trait


class _Pooling(Layer):
    """The windows that all kinds of pooling have; `rank` is the number of dimensions that they have."""

    rank = 2
    least = False
    divisor = geometry.COUNT_IMAGE
    operation: Callable[..., tuple[np.ndarray, Backward]]
    pool_size: Any
    strides: Any

    def __init__(self, pool_size: Any = 2, strides: Any = None, padding: Any = "valid", data_format: str | None = None,
                 name: str | None = None, *, dilation_rate: Any = 1, ceil_mode: bool = False, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.require_channels_last(data_format)
        self.pool_size = several(pool_size, self.rank, f"{self}: pool_size")
        self.strides = self.pool_size if strides is None else several(strides, self.rank, f"{self}: strides")
        self.dilation_rate = several(dilation_rate, self.rank, f"{self}: dilation_rate")
        self.padding: Any = padding_argument(padding, self.rank, self)
        self.ceil_mode = bool(ceil_mode)

    @property
    def whole(self) -> bool:
        """Whether windows lie side by side and in the image: no overlap, no gap, no border, none that hangs over."""
        g = self.passes_of((1, *self.input_shape[1:]))
        border = any(int(step.geometry[0][side]) for step in g for side in ("top", "bottom", "left", "right"))
        return (self.strides == self.pool_size and not border and not self.ceil_mode
                and self.dilation_rate == (1,) * self.rank)

    def passes_of(self, shape: tuple[int, ...]) -> tuple[PoolingPass, ...]:
        """Return what is pooled one after the other, for an input of a shape."""
        return passes(shape, self.pool_size, self.strides, self.padding, dilation=self.dilation_rate,
                      ceil_mode=self.ceil_mode, least=self.least, divisor=self.divisor)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        lengths = output_lengths(input_shape[1:-1], self.pool_size, self.strides, self.padding, self.dilation_rate,
                                 self.ceil_mode, str(self))
        return None, *lengths, input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return self.operation(x, self.passes_of(x.shape), (x.shape[0], *self.output_shape[1:]))


class _MaxPooling(_Pooling):
    operation, trains_short, predicts_short = staticmethod(max_pool), True, True


class _AveragePooling(_Pooling):
    operation = staticmethod(average_pool)

    def __init__(self, pool_size: Any = 2, strides: Any = None, padding: Any = "valid", data_format: str | None = None,
                 name: str | None = None, *, dilation_rate: Any = 1, ceil_mode: bool = False,
                 count_include_pad: bool = False, **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, dilation_rate=dilation_rate,
                         ceil_mode=ceil_mode, **kwargs)
        self.count_include_pad = bool(count_include_pad)
        self.divisor = geometry.COUNT_PADDED if count_include_pad else geometry.COUNT_IMAGE


class _L2Pooling(_Pooling):
    divisor = geometry.SUM

    operation = staticmethod(l2_pool)


class MaxPooling2D(_MaxPooling):
    """The largest number of each window: (N, H, W, C) to (N, H', W', C). ONNX: MaxPool.

    If several numbers are the largest, the first one gets the gradient. NaN counts as the largest.

    Parameters
    ----------
    pool_size : int or tuple of int
        One for each dimension of the window.
    strides : int or tuple of int, optional
        The default is `pool_size`.
    padding : str, int or tuple
        "valid", "same", or the border's width: on all sides, for each dimension, or a pair (before, after) for each.
        Padding is never the largest.
    data_format : str, optional
        "channels_last", the only order that is offered.
    name : str, optional
    dilation_rate : int or tuple of int
        Steps between the window's elements. Keras has neither this nor `ceil_mode`; other libraries do.
    ceil_mode : bool
        Whether a last window may reach beyond the end, if it begins in the image or in the padding before it.

    Examples
    --------
    >>> layers.MaxPooling2D(3, strides=2).compute_output_shape((None, 28, 28, 3))
    (None, 13, 13, 3)
    """

    traits = Trait.MAX_POOL2D | Trait.TAKES_BORDER | Trait.CALLS_KERNELS


class MaxPooling1D(_MaxPooling):
    """`MaxPooling2D` for signals: (N, L, C) to (N, L', C). ONNX: MaxPool.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.MaxPooling1D(2).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank = 1


class MaxPooling3D(_MaxPooling):
    """`MaxPooling2D` for volumes: (N, D, H, W, C) to (N, D', H', W', C). ONNX: MaxPool.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.MaxPooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3


class MinPooling2D(_MaxPooling):
    """The smallest number of each window: (N, H, W, C) to (N, H', W', C), -MaxPooling2D(-x).

    Padding is never the smallest. ONNX: Neg, MaxPool, Neg.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.MinPooling2D(3, strides=2).compute_output_shape((None, 28, 28, 3))
    (None, 13, 13, 3)
    """

    least = True


class MinPooling1D(_MaxPooling):
    """`MinPooling2D` for signals: (N, L, C) to (N, L', C).

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.MinPooling1D(2).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank, least = 1, True


class MinPooling3D(_MaxPooling):
    """`MinPooling2D` for volumes: (N, D, H, W, C) to (N, D', H', W', C).

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.MinPooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    rank, least = 3, True


class AveragePooling2D(_AveragePooling):
    """The mean of each window. By default, only elements inside the image count. ONNX: AveragePool.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`
    count_include_pad : bool
        Whether the padding counts, as zeros. What `ceil_mode` adds beyond it never does.

    Examples
    --------
    >>> layers.AveragePooling2D(3, strides=2).compute_output_shape((None, 28, 28, 3))
    (None, 13, 13, 3)
    """

    traits = Trait.AVERAGE_POOL2D | Trait.CALLS_KERNELS


class AveragePooling1D(_AveragePooling):
    """`AveragePooling2D` for signals: (N, L, C) to (N, L', C). ONNX: AveragePool.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode, count_include_pad : as `AveragePooling2D`

    Examples
    --------
    >>> layers.AveragePooling1D(2).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank = 1


class AveragePooling3D(_AveragePooling):
    """`AveragePooling2D` for volumes: (N, D, H, W, C) to (N, D', H', W', C). ONNX: AveragePool.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode, count_include_pad : as `AveragePooling2D`

    Examples
    --------
    >>> layers.AveragePooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3


class L2Pooling2D(_L2Pooling):
    """The root of the sum of squares of each window: (N, H, W, C) to (N, H', W', C). ONNX: LpPool, p = 2.

        y = sqrt(sum x^2),  dx = x dy / y, and 0 where y is 0

    It is a sum, not a mean: a window at the edge, with fewer elements inside the image, gives less.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.L2Pooling2D(3, strides=2).compute_output_shape((None, 28, 28, 3))
    (None, 13, 13, 3)
    """


class L2Pooling1D(_L2Pooling):
    """`L2Pooling2D` for signals: (N, L, C) to (N, L', C). ONNX: LpPool, p = 2.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.L2Pooling1D(2).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank = 1


class L2Pooling3D(_L2Pooling):
    """`L2Pooling2D` for volumes: (N, D, H, W, C) to (N, D', H', W', C). ONNX: LpPool, p = 2.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`

    Examples
    --------
    >>> layers.L2Pooling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
