"""Regions that boxes point at, cut out of a feature map and brought to one size."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer, number, several
from fastcnn.geometry.regions import regions
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.regions import roi_align, roi_pool


class _Regions(Layer):
    """A layer of [feature map, boxes]."""

    many_inputs = True
    operation: Callable[..., Any]

    def __init__(self, output_size: Any, spatial_scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = several(output_size, 2, f"{self}: output_size")
        self.spatial_scale = number(spatial_scale, self, "a positive number for spatial_scale", lambda n: n > 0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2 or len(input_shape[0]) != 4 or len(input_shape[1]) != 3 or input_shape[1][2] != 4:
            raise ArgumentError(f"{self}: expected two inputs, a feature map (N, H, W, C) and boxes (N, regions, 4), "
                                f"got {' and '.join(map(str, input_shape))}")
        return None, input_shape[1][1], *self.output_size, input_shape[0][3]

    def _geometry(self, x: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        return regions(x.shape, boxes.shape[1], self.output_size, self.spatial_scale)

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        features, boxes = self.checked(x)
        y: np.ndarray
        y, backward = type(self).operation(features, boxes, self._geometry(features, boxes))
        return y, backward


class RoIAlign(_Regions):
    """Regions of a feature map, of one size: (N, H, W, C) and boxes (N, R, 4) to (N, R, PH, PW, C). ONNX: RoiAlign.

    A box is cut into parts; a part is the mean of the map at some points, interpolated between pixels. So nothing is
    rounded, and a box may have any place and size. Boxes are corners x1, y1, x2, y2; they get no gradient. A box that
    is not finite gives zeros; so does one without area.

    Parameters
    ----------
    output_size : int or (int, int)
        Height and width of a region.
    spatial_scale : float
        Pixels of the map in a unit of the boxes: 1/16 for boxes in pixels of an image that the network made 16 times
        smaller.
    sampling_ratio : int
        Points of a part along each side; 0 takes about one a pixel.
    aligned : bool
        Whether whole numbers are edges of pixels, as boxes of `fastcnn` have it. False is the first version of the
        operation, half a pixel beside, in which no side is shorter than a pixel; old ONNX files have it.

    References
    ----------
    He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017, section 3.

    Examples
    --------
    >>> layers.RoIAlign(7, 1 / 16).compute_output_shape(((None, 50, 68, 256), (None, 300, 4)))
    (None, 300, 7, 7, 256)
    """

    operation = staticmethod(roi_align)

    def __init__(self, output_size: Any, spatial_scale: float = 1.0, sampling_ratio: int = 0, aligned: bool = True,
                 **kwargs: Any) -> None:
        super().__init__(output_size, spatial_scale, **kwargs)
        if not is_integer(sampling_ratio) or sampling_ratio < 0:
            raise ArgumentError(f"{self}: expected sampling_ratio to be a number of points, or 0 for one a pixel, got "
                                f"{sampling_ratio!r}")
        self.sampling_ratio, self.aligned = int(sampling_ratio), bool(aligned)

    def _geometry(self, x: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        return regions(x.shape, boxes.shape[1], self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)


class RoIPooling(_Regions):
    """The largest numbers of regions: (N, H, W, C) and boxes (N, R, 4) to (N, R, PH, PW, C). ONNX: MaxRoiPool.

    A box is rounded to pixels, of which both ends belong to it, and cut into parts, which may share pixels; `RoIAlign`
    rounds nothing. A part without pixels is 0. Boxes are corners x1, y1, x2, y2; they get no gradient.

    Parameters
    ----------
    output_size : int or (int, int)
        Height and width of a region.
    spatial_scale : float
        As of `RoIAlign`.

    References
    ----------
    Girshick: Fast R-CNN, ICCV 2015, section 2.1.

    Examples
    --------
    >>> x = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    >>> boxes = np.array([[[0, 0, 3, 3]]], "float32")
    >>> layers.RoIPooling(2).predict((x, boxes)).reshape(2, 2)
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """

    operation = staticmethod(roi_pool)
