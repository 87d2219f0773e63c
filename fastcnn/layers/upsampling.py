"""Layers that make images larger by whole factors."""

from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import several
from fastcnn.geometry.interpolation import CUBIC, LINEAR, interpolation_taps
from fastcnn.geometry.pool import passes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.resize import repeat_pixels, resize
from fastcnn.traits import Trait

_HOW = {"bilinear": LINEAR, "bicubic": CUBIC}


class _UpSampling(Layer):
    """Each pixel repeated."""

    rank = 2

    def _take(self, size: Any) -> tuple[int, ...]:
        return several(size, self.rank, f"{self}: size")

    size: tuple[int, ...]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        return None, *(n * k for n, k in zip(input_shape[1:-1], self.size, strict=True)), input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        shape = x.shape[0], *self.output_shape[1:]
        return repeat_pixels(x, passes(shape, self.size, self.size, divisor=geometry.SUM), shape)


class UpSampling1D(_UpSampling):
    """Each step repeated: (N, L, C) to (N, size L, C). ONNX: Resize, nearest.

    Parameters
    ----------
    size : int

    Examples
    --------
    >>> layers.UpSampling1D(2).compute_output_shape((None, 8, 3))
    (None, 16, 3)
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
        "channels_last", the only order that is offered.
    interpolation : str
        "nearest" repeats pixels. "bilinear" mixes the four, "bicubic" the sixteen about a pixel's centre, which lies at
        ((i + 1/2) / size - 1/2) (ONNX's half_pixel); a pixel outside is the border's. Cubic convolution has a = -3/4,
        as ONNX, PyTorch and Keras on PyTorch have it (elsewhere Keras has -1/2). Other sizes
        and other rules: `Resize`.

    Examples
    --------
    >>> layers.UpSampling2D(2).compute_output_shape((None, 28, 28, 3))
    (None, 56, 56, 3)
    """

    traits = Trait.CALLS_KERNELS

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
        return resize(x, [interpolation_taps(n, n * k, float(k), how, x.dtype.name)
                          for n, k in zip(x.shape[1:3], self.size, strict=True)])


class UpSampling3D(_UpSampling):
    """Each voxel repeated: (N, D, H, W, C) to (N, size[0] D, size[1] H, size[2] W, C). ONNX: Resize, nearest.

    Parameters
    ----------
    size : int or (int, int, int)
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.UpSampling3D(2).compute_output_shape((None, 8, 8, 8, 3))
    (None, 16, 16, 16, 3)
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        self.size = self._take(size)
