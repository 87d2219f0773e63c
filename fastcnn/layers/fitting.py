"""Layers by which a network takes images of any size: a border up to a size that divides, and the way back.

::

    images (N, H, W, C) -> PadToMultiple(16) -> a network that halves four times -> CropLike with the images
"""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import Sides, positive
from fastcnn.geometry.resize import pad3d
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.layers.twins import shape_text
from fastcnn.operations.padding import crop_like, pad

_MODES = ("edge", "zero")


class PadToMultiple(Layer):
    """A border below and on the right, up to rows and columns that are multiples of a number. ONNX: Pad.

    (N, H, W, C) to (N, ceil(H / m) m, ceil(W / m) m, C). The gradient of a pixel is the sum over its copies.

    Parameters
    ----------
    multiple : int
        m: 16 for a network that halves its images four times.
    mode : str
        "edge" (the nearest pixel) or "zero".

    Examples
    --------
    >>> layers.PadToMultiple(16).compute_output_shape((None, 100, 64, 3))
    (None, 112, 64, 3)
    """

    value = 0.0

    def __init__(self, multiple: int, mode: str = "edge", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.multiple,) = positive(str(self), multiple=multiple)
        if mode not in _MODES:
            raise ArgumentError(unknown(f"{self}: mode", mode, _MODES))
        self.mode = mode

    @property
    def border(self) -> Sides:
        """((top, bottom), (left, right)) of the images that it was built for."""
        return self._border(self.input_shape[1:3])

    def _border(self, size: Any) -> Sides:
        return tuple((0, -n % self.multiple) for n in size)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, 2)
        return None, *(n + -n % self.multiple for n in input_shape[1:3]), input_shape[3]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        shape = x.shape[0], *self.output_shape[1:]
        if shape == x.shape:
            return x, lambda dy: dy
        return pad(x, _geometry(x.shape, self._border(x.shape[1:3]), self.mode), shape)


class CropLike(Layer):
    """Of images (N, H, W, C) as many rows and columns as a second input has: (N, H', W', C). ONNX: Slice.

    Rows below and columns on the right are cut off, so that it undoes `PadToMultiple`. The second input says the size
    alone, and has no gradient.

    Examples
    --------
    >>> layers.CropLike().compute_output_shape(((None, 112, 64, 2), (None, 100, 60, 3)))
    (None, 100, 60, 2)
    """

    many_inputs = True

    @property
    def border(self) -> Sides:
        """((top, bottom), (left, right)) that is cut off the images that it was built for."""
        images, like = self.input_shape
        return tuple((0, n - m) for n, m in zip(images[1:3], like[1:3], strict=True))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2 or [len(one) for one in input_shape] != [4, 4] or any(
                n < m for n, m in zip(*(one[1:3] for one in input_shape), strict=True)):
            raise ArgumentError(f"{self}: expected images (N, H, W, C) and others that are not larger, got "
                                f"{shape_text(input_shape)}")
        return None, *input_shape[1][1:3], input_shape[0][3]

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        images, like = self.checked(x)
        shape = images.shape[0], *like.shape[1:3], images.shape[3]
        return crop_like(images, like, _geometry(shape, self.border, "zero"))


def _geometry(shape: Shape, border: Sides, mode: str) -> np.ndarray:
    return pad3d((shape[0], 1, *shape[1:]), ((0, 0), *border), mode)
