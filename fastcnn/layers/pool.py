"""Pooling layers: windows of a feature map become one number each."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import device, geometry
from fastcnn.geometry.arguments import padding_argument, several
from fastcnn.geometry.pool import Pass, output_lengths, passes
from fastcnn.kernels.codes import L2_PRODUCT, L2_QUOTIENT, L2_ROOT
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image

Pool = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Backward]]


def max_pool(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return the largest element of each window of a POOL2D (the smallest if `least`), and the backward pass."""
    d = device.of(x)
    shape = (x.shape[0], int(g[0]["oh"]), int(g[0]["ow"]), x.shape[3])
    y, argmax = d.empty(shape, x.dtype), d.empty(shape, d.kernels.max_pool2d_index_type(g))
    d.kernels.max_pool2d_forward(y, argmax, x, g)
    x_shape, dtype = x.shape, x.dtype

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dtype)
        d.kernels.max_pool2d_backward(dx, dy, argmax, g)
        return dx

    return y, backward


def average_pool(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return the mean of each window of a POOL2D (or what its `divisor` says), and the backward pass."""
    d = device.of(x)
    y = d.empty((x.shape[0], int(g[0]["oh"]), int(g[0]["ow"]), x.shape[3]), x.dtype)
    d.kernels.average_pool2d_forward(y, x, g)
    x_shape, dtype = x.shape, x.dtype

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dtype)
        d.kernels.average_pool2d_backward(dx, dy, g)
        return dx

    return y, backward


def l2_pool(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return the root of the sum of squares of each window of a POOL2D with `divisor` SUM, and the backward pass."""
    d = device.of(x)
    squares = d.empty(x.shape, x.dtype)
    _l2_step(squares, x, x, L2_PRODUCT)
    y, sums_backward = average_pool(squares, g)
    _l2_step(y, y, y, L2_ROOT)

    def backward(dy: np.ndarray) -> np.ndarray:
        quotient = d.empty(y.shape, y.dtype)
        _l2_step(quotient, dy, y, L2_QUOTIENT)
        dx = sums_backward(quotient)
        _l2_step(dx, dx, x, L2_PRODUCT)
        return dx

    return y, backward


def _l2_step(out: np.ndarray, a: np.ndarray, b: np.ndarray, step: int) -> None:
    device.of(out).kernels.l2_step(out.reshape(-1), a.reshape(-1), b.reshape(-1), step)


def through(x: np.ndarray, steps: Sequence[Pass], pool: Pool, shape: tuple[int, ...]) -> tuple[np.ndarray, Backward]:
    """Return a pooling of several passes, its output of `shape`, and the backward pass."""
    backs, y = [], x
    for step in steps:
        y, back = pool(y.reshape(step.shape), step.geometry)
        backs.append(back)

    def backward(dy: np.ndarray) -> np.ndarray:
        for step, back in zip(reversed(steps), reversed(backs), strict=True):
            dy = back(dy.reshape(step.out))
        return dy.reshape(x.shape)

    return y.reshape(shape), backward


class _Pooling(Layer):
    """The windows that all kinds of pooling have; `rank` is the number of dimensions that they have."""

    rank = 2
    least = False
    divisor = geometry.COUNT_IMAGE
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
        g = self._passes((1, *self.input_shape[1:]))
        border = any(int(step.geometry[0][side]) for step in g for side in ("top", "bottom", "left", "right"))
        return (self.strides == self.pool_size and not border and not self.ceil_mode
                and self.dilation_rate == (1,) * self.rank)

    def _passes(self, shape: tuple[int, ...]) -> tuple[Pass, ...]:
        return passes(shape, self.pool_size, self.strides, self.padding, str(self), dilation=self.dilation_rate,
                      ceil_mode=self.ceil_mode, least=self.least, divisor=self.divisor)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        lengths = output_lengths(input_shape[1:-1], self.pool_size, self.strides, self.padding, self.dilation_rate,
                                 self.ceil_mode, str(self))
        return None, *lengths, input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return through(x, self._passes(x.shape), self._pool, (x.shape[0], *self.output_shape[1:]))

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        raise NotImplementedError


class _MaxPooling(_Pooling):
    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        return max_pool(x, g)


class _AveragePooling(_Pooling):
    def __init__(self, pool_size: Any = 2, strides: Any = None, padding: Any = "valid", data_format: str | None = None,
                 name: str | None = None, *, dilation_rate: Any = 1, ceil_mode: bool = False,
                 count_include_pad: bool = False, **kwargs: Any) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, dilation_rate=dilation_rate,
                         ceil_mode=ceil_mode, **kwargs)
        self.count_include_pad = bool(count_include_pad)
        self.divisor = geometry.COUNT_PADDED if count_include_pad else geometry.COUNT_IMAGE

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        return average_pool(x, g)


class _L2Pooling(_Pooling):
    divisor = geometry.SUM

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        return l2_pool(x, g)


class MaxPooling2D(_MaxPooling):
    """The largest number of each window: (N, H, W, C) to (N, H', W', C). ONNX: MaxPool.

    Of several largest the first, in the order of memory, gets the gradient; a NaN wins.

    Parameters
    ----------
    pool_size : int or tuple of int
        One for each dimension of the window.
    strides : int or tuple of int, optional
        `pool_size` if absent.
    padding : str, int or tuple
        "valid", "same", or the border's width: on all sides, for each dimension, or a pair (before, after) for each.
        What is padded never wins.
    data_format : str, optional
        "channels_last".
    name : str, optional
    dilation_rate : int or tuple of int
        Steps between the window's elements; as `ceil_mode`, for models that come from elsewhere.
    ceil_mode : bool
        Whether windows may hang over the end, if they begin in the image or in the border before it.
    """


class MaxPooling1D(_MaxPooling):
    """As `MaxPooling2D`, of signals: (N, L, C) to (N, L', C). ONNX: MaxPool."""

    rank = 1


class MaxPooling3D(_MaxPooling):
    """As `MaxPooling2D`, of volumes: (N, D, H, W, C) to (N, D', H', W', C). ONNX: MaxPool."""

    rank = 3


class MinPooling2D(_MaxPooling):
    """The smallest number of each window: (N, H, W, C) to (N, H', W', C), -MaxPooling2D(-x), and arguments as there.

    What is padded never wins. ONNX: Neg, MaxPool, Neg.
    """

    least = True


class MinPooling1D(_MaxPooling):
    """As `MinPooling2D`, of signals: (N, L, C) to (N, L', C)."""

    rank, least = 1, True


class MinPooling3D(_MaxPooling):
    """As `MinPooling2D`, of volumes: (N, D, H, W, C) to (N, D', H', W', C)."""

    rank, least = 3, True


class AveragePooling2D(_AveragePooling):
    """The mean of each window, of the elements that lie inside the image. ONNX: AveragePool.

    Parameters
    ----------
    pool_size, strides, padding, data_format, name, dilation_rate, ceil_mode : as `MaxPooling2D`
    count_include_pad : bool
        Whether the border's elements count as zeros (but never what hangs over the border).
    """


class AveragePooling1D(_AveragePooling):
    """As `AveragePooling2D`, of signals: (N, L, C) to (N, L', C). ONNX: AveragePool."""

    rank = 1


class AveragePooling3D(_AveragePooling):
    """As `AveragePooling2D`, of volumes: (N, D, H, W, C) to (N, D', H', W', C). ONNX: AveragePool."""

    rank = 3


class L2Pooling2D(_L2Pooling):
    """The root of the sum of squares of each window: (N, H, W, C) to (N, H', W', C). ONNX: LpPool, p = 2.

        y = sqrt(sum x^2),  dx = x dy / y, and 0 where y is 0

    The sum, not the mean: windows at an edge, with fewer elements in the image, give less. Arguments as `MaxPooling2D`.
    """


class L2Pooling1D(_L2Pooling):
    """As `L2Pooling2D`, of signals: (N, L, C) to (N, L', C). ONNX: LpPool, p = 2."""

    rank = 1


class L2Pooling3D(_L2Pooling):
    """As `L2Pooling2D`, of volumes: (N, D, H, W, C) to (N, D', H', W', C). ONNX: LpPool, p = 2."""

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D


def places(layer: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a max pooling's output, and where in its image (row-major, without channels) each number came from.

    ONNX's Indices are ((n C + c) P + place) of images with P pixels. A window that lies in the border altogether has
    place 0.

    Parameters
    ----------
    layer : MaxPooling1D, MaxPooling2D, MaxPooling3D
    x : array
    """
    x, found = layer.checked(x), None
    y, d = x, device.of(x)
    for step in layer._passes(x.shape):
        y, image = d.empty(step.out, x.dtype), y.reshape(step.shape)
        argmax = d.empty(step.out, d.kernels.max_pool2d_index_type(step.geometry))
        d.kernels.max_pool2d_forward(y, argmax, image, step.geometry)
        here = _in_image(argmax, step.geometry[0])
        if found is not None:  # of the depth: planes of pixels, each with the place that it had in its plane
            pixels = found.reshape(step.shape)
            here = here * math.prod(x.shape[2:4]) + np.take_along_axis(pixels, here, axis=1)
        found = here
    shape = (x.shape[0], *layer.output_shape[1:])
    return y.reshape(shape), np.asarray(found).reshape(shape)


def _in_image(argmax: np.ndarray, g: Any) -> np.ndarray:
    position = argmax.astype(np.int64)
    nothing = position == np.iinfo(argmax.dtype).max if argmax.dtype == np.uint8 else position < 0
    rows = np.arange(g["oh"])[:, None, None] * g["sh"] + position // g["kw"] * g["dh"] - g["top"]
    columns = np.arange(g["ow"])[:, None] * g["sw"] + position % g["kw"] * g["dw"] - g["left"]
    return np.where(nothing, 0, rows * g["w"] + columns)
