"""Layers that make images larger by whole factors."""

from typing import Any

import numpy as np

from fastcnn import device, geometry
from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import several
from fastcnn.geometry.interpolation import CUBIC, LINEAR, interpolation_taps
from fastcnn.geometry.pool import Pass, passes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.layers.resize import resize

_HOW = {"bilinear": LINEAR, "bicubic": CUBIC}


class _UpSampling(Layer):
    """Each pixel repeated: the gradient of a sum over windows side by side, whose gradient is that sum."""

    rank = 2

    def _take(self, size: Any) -> tuple[int, ...]:
        return several(size, self.rank, f"{self}: size")

    size: tuple[int, ...]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        return None, *(n * k for n, k in zip(input_shape[1:-1], self.size, strict=True)), input_shape[-1]

    def _passes(self, n: int) -> tuple[Pass, ...]:
        return passes((n, *self.output_shape[1:]), self.size, self.size, "valid", str(self), divisor=geometry.SUM)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        d, x_shape, steps, y = device.of(x), x.shape, self._passes(x.shape[0]), x
        for step in reversed(steps):  # the smallest first: of a volume its depth, then its planes
            larger = d.empty(step.shape, x.dtype)
            d.kernels.average_pool2d_backward(larger, y.reshape(step.out), step.geometry)
            y = larger

        def backward(dy: np.ndarray) -> np.ndarray:
            for step in steps:
                dx = d.empty(step.out, dy.dtype)
                d.kernels.average_pool2d_forward(dx, dy.reshape(step.shape), step.geometry)
                dy = dx
            return dy.reshape(x_shape)

        return y.reshape(x_shape[0], *self.output_shape[1:]), backward


class UpSampling1D(_UpSampling):
    """Each step repeated: (N, L, C) to (N, size L, C). ONNX: Resize, nearest.

    Parameters
    ----------
    size : int
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = self._take(size)


class UpSampling2D(_UpSampling):
    """Images enlarged: (N, H, W, C) to (N, size[0] H, size[1] W, C). ONNX: Resize.

    Parameters
    ----------
    size : int or (int, int)
    data_format : str, optional
        "channels_last".
    interpolation : str
        "nearest" repeats pixels. "bilinear" mixes the four, "bicubic" the sixteen about a pixel's centre, which lies at
        ((i + 1/2) / size - 1/2) (ONNX's half_pixel); a pixel outside is the border's. Cubic convolution has a = -3/4,
        as ONNX, PyTorch and Keras on PyTorch have it (elsewhere Keras has -1/2). Other sizes
        and other rules: `Resize`.
    """

    def __init__(self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest",
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        self.size = self._take(size)
        known = ("nearest", *_HOW)
        if interpolation not in known:
            raise ArgumentError(unknown(f"{self}: interpolation", interpolation, known))
        self.interpolation = interpolation

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        if self.interpolation == "nearest":
            return super().forward(x, call)
        x, how = self.checked(x), _HOW[self.interpolation]
        rows, columns = (interpolation_taps(n, n * k, float(k), how, x.dtype.name)
                         for n, k in zip(x.shape[1:3], self.size, strict=True))
        return resize(x, rows, columns)


class UpSampling3D(_UpSampling):
    """Each voxel repeated: (N, D, H, W, C) to (N, size[0] D, size[1] H, size[2] W, C). ONNX: Resize, nearest.

    Parameters
    ----------
    size : int or (int, int, int)
    data_format : str, optional
        "channels_last".
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        self.size = self._take(size)
