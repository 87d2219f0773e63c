"""Pooling of whole images, and pooling to a size that is given."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.geometry.arguments import several
from fastcnn.geometry.pool import adaptive_passes, passes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.pooling import adaptive_average_pool, average_pool, l2_pool, max_pool


class _GlobalPooling(Layer):
    """One window, the whole image; `rank` is the number of dimensions that it has."""

    rank = 2
    least = False
    divisor = geometry.COUNT_IMAGE
    operation: Callable[..., tuple[np.ndarray, Backward]]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        self.keepdims = keepdims

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        return None, *((1,) * self.rank if self.keepdims else ()), input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        rows, columns, channels = math.prod(x.shape[1:-2]), *x.shape[-2:]
        steps = passes((x.shape[0], rows, columns, channels), (rows, columns), (rows, columns), least=self.least,
                       divisor=self.divisor)
        return self.operation(x, steps, (x.shape[0], *self.output_shape[1:]))


class _GlobalMaxPooling(_GlobalPooling):
    operation = staticmethod(max_pool)


class _GlobalAveragePooling(_GlobalPooling):
    operation = staticmethod(average_pool)


class _GlobalL2Pooling(_GlobalPooling):
    divisor = geometry.SUM

    operation = staticmethod(l2_pool)


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The largest of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalMaxPool."""


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """As `GlobalMaxPooling2D`, of signals (N, L, C). ONNX: GlobalMaxPool."""

    rank = 1


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """As `GlobalMaxPooling2D`, of volumes (N, D, H, W, C). ONNX: GlobalMaxPool."""

    rank = 3


class GlobalMinPooling2D(_GlobalMaxPooling):
    """The smallest of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: ReduceMin."""

    least = True


class GlobalMinPooling1D(_GlobalMaxPooling):
    """As `GlobalMinPooling2D`, of signals (N, L, C). ONNX: ReduceMin."""

    rank, least = 1, True


class GlobalMinPooling3D(_GlobalMaxPooling):
    """As `GlobalMinPooling2D`, of volumes (N, D, H, W, C). ONNX: ReduceMin."""

    rank, least = 3, True


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalAveragePool."""


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """As `GlobalAveragePooling2D`, of signals (N, L, C). ONNX: GlobalAveragePool."""

    rank = 1


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """As `GlobalAveragePooling2D`, of volumes (N, D, H, W, C). ONNX: GlobalAveragePool."""

    rank = 3


class GlobalL2Pooling2D(_GlobalL2Pooling):
    """The norm of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalLpPool, p = 2."""


class GlobalL2Pooling1D(_GlobalL2Pooling):
    """As `GlobalL2Pooling2D`, of signals (N, L, C). ONNX: GlobalLpPool, p = 2."""

    rank = 1


class GlobalL2Pooling3D(_GlobalL2Pooling):
    """As `GlobalL2Pooling2D`, of volumes (N, D, H, W, C). ONNX: GlobalLpPool, p = 2."""

    rank = 3


class _AdaptivePooling(Layer):
    """Windows of whatever size makes `output_size` of them; `rank` is the number of dimensions that they have."""

    rank = 2
    operation: Callable[..., tuple[np.ndarray, Backward]]

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)
        self.output_size = several(output_size, self.rank, f"{self}: output_size")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        return None, *self.output_size, input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        steps = adaptive_passes(x.shape, self.output_size)
        return self.operation(x, steps, (x.shape[0], *self.output_shape[1:]))


class _AdaptiveMaxPooling(_AdaptivePooling):
    operation = staticmethod(max_pool)


class _AdaptiveAveragePooling(_AdaptivePooling):
    operation = staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The means of `output_size` windows that cover the image, whatever its size: (N, H, W, C) to (N, OH, OW, C).

    Window o of O along a dimension of length L covers floor(o L / O) .. ceil((o + 1) L / O) - 1, as in PyTorch: windows
    of one size side by side where O divides L, else some overlap. ONNX: AveragePool where O divides L.

    Parameters
    ----------
    output_size : int or tuple of int
    data_format : str, optional
        "channels_last".
    """


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """As `AdaptiveAveragePooling2D`, of signals: (N, L, C) to (N, OL, C)."""

    rank = 1


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """As `AdaptiveAveragePooling2D`, of volumes: (N, D, H, W, C) to (N, OD, OH, OW, C)."""

    rank = 3


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """As `AdaptiveAveragePooling2D`, the largest numbers in place of the means. ONNX: MaxPool where O divides L."""


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """As `AdaptiveMaxPooling2D`, of signals: (N, L, C) to (N, OL, C)."""

    rank = 1


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """As `AdaptiveMaxPooling2D`, of volumes: (N, D, H, W, C) to (N, OD, OH, OW, C)."""

    rank = 3


GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
