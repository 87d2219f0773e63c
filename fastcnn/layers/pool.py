"""Pooling layers: windows of a feature map become one number each."""

from typing import Any

import numpy as np

from fastcnn import device, geometry
from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image, hashable


class _Pooling2D(Layer):
    """The windows that both kinds of pooling have."""

    def __init__(self, pool_size: int | tuple[int, int] = (2, 2), strides: int | tuple[int, int] | None = None,
                 padding: geometry.Padding = "valid", data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        self.pool_size = geometry.pair(pool_size, f"{self}: pool_size")
        self.strides = self.pool_size if strides is None else geometry.pair(strides, f"{self}: strides")
        self.padding = hashable(padding)

    def _geometry(self, shape: tuple[int, ...]) -> np.ndarray:
        g = geometry.pool2d(shape, self.pool_size, self.strides, self.padding, str(self))
        if g[0]["top"] >= self.pool_size[0] or g[0]["left"] >= self.pool_size[1]:
            raise ArgumentError(f"{self}: expected padding smaller than the window {self.pool_size}, "
                                f"got {self.padding!r}: a window would see no pixel")
        return g

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape)
        g = self._geometry((1, *input_shape[1:]))[0]
        return None, int(g["oh"]), int(g["ow"]), input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return self._pool(x, self._geometry(x.shape))

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        raise NotImplementedError


def max_pool(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return the largest element of each window of a POOL2D, and the backward pass."""
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


def _average(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
    d = device.of(x)
    y = d.empty((x.shape[0], int(g[0]["oh"]), int(g[0]["ow"]), x.shape[3]), x.dtype)
    d.kernels.average_pool2d_forward(y, x, g)
    x_shape, dtype = x.shape, x.dtype

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dtype)
        d.kernels.average_pool2d_backward(dx, dy, g)
        return dx

    return y, backward


class MaxPooling2D(_Pooling2D):
    """The largest number of each window: (N, H, W, C) to (N, H', W', C). ONNX: MaxPool.

    Parameters
    ----------
    pool_size : int or (int, int)
    strides : int or (int, int), optional
        `pool_size` if absent.
    padding : str, int or tuple
        As `Conv2D`; what is padded never wins.
    """

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        return max_pool(x, g)


class AveragePooling2D(_Pooling2D):
    """The mean of each window, of the elements that lie inside the image. ONNX: AveragePool, count_include_pad=0.

    Parameters
    ----------
    pool_size : int or (int, int)
    strides : int or (int, int), optional
        `pool_size` if absent.
    padding : str, int or tuple
        As `Conv2D`.
    """

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        return _average(x, g)


class _GlobalPooling2D(Layer):
    """One window, the whole image."""

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        self.keepdims = keepdims

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape)
        return (None, 1, 1, input_shape[-1]) if self.keepdims else (None, input_shape[-1])

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        g = geometry.pool2d(x.shape, x.shape[1:3], (1, 1), "valid", str(self))
        y, back = self._pool(x, g)
        return y.reshape(x.shape[0], *self.output_shape[1:]), lambda dy: back(dy.reshape(y.shape))

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        raise NotImplementedError


class GlobalMaxPooling2D(_GlobalPooling2D):
    """The largest of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalMaxPool."""

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        return max_pool(x, g)


class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalAveragePool."""

    def _pool(self, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Backward]:
        return _average(x, g)


MaxPool2D, AvgPool2D = MaxPooling2D, AveragePooling2D
