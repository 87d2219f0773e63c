"""Pooling of whole images: one number for each channel."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.geometry.pool import PoolingPass, passes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.pooling import average_pool, l2_pool, max_pool
from fastcnn.traits import Trait


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
        return self.operation(x, self.passes_of(x.shape), (x.shape[0], *self.output_shape[1:]))

    def passes_of(self, shape: tuple[int, ...]) -> tuple[PoolingPass, ...]:
        """Return what is pooled one after the other, for an input of a shape."""
        rows, columns, channels = math.prod(shape[1:-2]), *shape[-2:]
        return passes((shape[0], rows, columns, channels), (rows, columns), (rows, columns), least=self.least,
                      divisor=self.divisor)


class _GlobalMaxPooling(_GlobalPooling):
    operation = staticmethod(max_pool)


class _GlobalAveragePooling(_GlobalPooling):
    operation = staticmethod(average_pool)


class _GlobalL2Pooling(_GlobalPooling):
    divisor = geometry.SUM

    operation = staticmethod(l2_pool)


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The largest of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalMaxPool.

    Parameters
    ----------
    data_format : str, optional
        "channels_last", the only order that is offered.
    keepdims : bool
        Whether the dimensions of the image stay, with size 1.

    Examples
    --------
    >>> layers.GlobalMaxPooling2D(keepdims=True).compute_output_shape((None, 28, 28, 3))
    (None, 1, 1, 3)
    """

    traits = Trait.GLOBAL_MAX_POOL2D


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """`GlobalMaxPooling2D` for signals: (N, L, C) to (N, C). ONNX: GlobalMaxPool.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalMaxPooling1D().compute_output_shape((None, 8, 3))
    (None, 3)
    """

    rank = 1


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """`GlobalMaxPooling2D` for volumes: (N, D, H, W, C) to (N, C). ONNX: GlobalMaxPool.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalMaxPooling3D().compute_output_shape((None, 8, 8, 8, 3))
    (None, 3)
    """

    rank = 3


class GlobalMinPooling2D(_GlobalMaxPooling):
    """The smallest of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: ReduceMin.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalMinPooling2D(keepdims=True).compute_output_shape((None, 28, 28, 3))
    (None, 1, 1, 3)
    """

    least = True


class GlobalMinPooling1D(_GlobalMaxPooling):
    """`GlobalMinPooling2D` for signals: (N, L, C) to (N, C). ONNX: ReduceMin.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalMinPooling1D().compute_output_shape((None, 8, 3))
    (None, 3)
    """

    rank, least = 1, True


class GlobalMinPooling3D(_GlobalMaxPooling):
    """`GlobalMinPooling2D` for volumes: (N, D, H, W, C) to (N, C). ONNX: ReduceMin.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalMinPooling3D().compute_output_shape((None, 8, 8, 8, 3))
    (None, 3)
    """

    rank, least = 3, True


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalAveragePool.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalAveragePooling2D(keepdims=True).compute_output_shape((None, 28, 28, 3))
    (None, 1, 1, 3)
    """

    traits = Trait.GLOBAL_AVERAGE_POOL2D | Trait.CALLS_KERNELS


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """`GlobalAveragePooling2D` for signals: (N, L, C) to (N, C). ONNX: GlobalAveragePool.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalAveragePooling1D().compute_output_shape((None, 8, 3))
    (None, 3)
    """

    rank = 1


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """`GlobalAveragePooling2D` for volumes: (N, D, H, W, C) to (N, C). ONNX: GlobalAveragePool.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalAveragePooling3D().compute_output_shape((None, 8, 8, 8, 3))
    (None, 3)
    """

    rank = 3


class GlobalL2Pooling2D(_GlobalL2Pooling):
    """The norm of each channel: (N, H, W, C) to (N, C), or (N, 1, 1, C) if `keepdims`. ONNX: GlobalLpPool, p = 2.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalL2Pooling2D(keepdims=True).compute_output_shape((None, 28, 28, 3))
    (None, 1, 1, 3)
    """


class GlobalL2Pooling1D(_GlobalL2Pooling):
    """`GlobalL2Pooling2D` for signals: (N, L, C) to (N, C). ONNX: GlobalLpPool, p = 2.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalL2Pooling1D().compute_output_shape((None, 8, 3))
    (None, 3)
    """

    rank = 1


class GlobalL2Pooling3D(_GlobalL2Pooling):
    """`GlobalL2Pooling2D` for volumes: (N, D, H, W, C) to (N, C). ONNX: GlobalLpPool, p = 2.

    Parameters
    ----------
    data_format, keepdims : as `GlobalMaxPooling2D`

    Examples
    --------
    >>> layers.GlobalL2Pooling3D().compute_output_shape((None, 8, 8, 8, 3))
    (None, 3)
    """

    rank = 3


GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
