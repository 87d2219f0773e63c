"""Pooling to a size that is given, whatever the size of the image."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.geometry.arguments import several
from fastcnn.geometry.pool import adaptive_passes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.pooling import adaptive_average_pool, max_pool


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
    """Average pooling to a given output size, whatever the size of the image: (N, H, W, C) to (N, OH, OW, C).

    Window o of O along a dimension of length L covers floor(o L / O) .. ceil((o + 1) L / O) - 1, as in PyTorch: windows
    of one size side by side where O divides L, else some overlap. ONNX: AveragePool where O divides L.

    Parameters
    ----------
    output_size : int or tuple of int
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.AdaptiveAveragePooling2D((7, 7)).compute_output_shape((None, 28, 28, 3))
    (None, 7, 7, 3)
    """


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """`AdaptiveAveragePooling2D` for signals: (N, L, C) to (N, OL, C).

    Parameters
    ----------
    output_size, data_format : as `AdaptiveAveragePooling2D`

    Examples
    --------
    >>> layers.AdaptiveAveragePooling1D(4).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank = 1


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """`AdaptiveAveragePooling2D` for volumes: (N, D, H, W, C) to (N, OD, OH, OW, C).

    Parameters
    ----------
    output_size, data_format : as `AdaptiveAveragePooling2D`

    Examples
    --------
    >>> layers.AdaptiveAveragePooling3D(4).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """`AdaptiveAveragePooling2D` with maxima in place of means. ONNX: MaxPool where O divides L.

    Parameters
    ----------
    output_size, data_format : as `AdaptiveAveragePooling2D`

    Examples
    --------
    >>> layers.AdaptiveMaxPooling2D((7, 7)).compute_output_shape((None, 28, 28, 3))
    (None, 7, 7, 3)
    """


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """`AdaptiveMaxPooling2D` for signals: (N, L, C) to (N, OL, C).

    Parameters
    ----------
    output_size, data_format : as `AdaptiveAveragePooling2D`

    Examples
    --------
    >>> layers.AdaptiveMaxPooling1D(4).compute_output_shape((None, 8, 3))
    (None, 4, 3)
    """

    rank = 1


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """`AdaptiveMaxPooling2D` for volumes: (N, D, H, W, C) to (N, OD, OH, OW, C).

    Parameters
    ----------
    output_size, data_format : as `AdaptiveAveragePooling2D`

    Examples
    --------
    >>> layers.AdaptiveMaxPooling3D(4).compute_output_shape((None, 8, 8, 8, 3))
    (None, 4, 4, 4, 3)
    """

    rank = 3
