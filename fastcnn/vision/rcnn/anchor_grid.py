"""The anchors of a region proposal network, and what its numbers mean at them."""

from typing import Any

import numpy as np

from fastcnn import ops
from fastcnn.errors import ArgumentError
from fastcnn.geometry.anchors import grid_anchors
from fastcnn.geometry.arguments import positive
from fastcnn.vision.boxes.anchoring import SCALES

_SCALES = np.array(SCALES)
_LONGEST = float(np.log(1000 / 16))  # as `fastcnn.vision.boxes.decode` has it: no box is infinite


class AnchorGrid:
    """Boxes of a few sizes about the middle of each cell of a feature map: the places where proposals begin.

    A region proposal network gives 5 numbers for each of A anchors, row by row, cell by cell: the offsets of a box from
    the anchor, as `fastcnn.vision.boxes.encode` has them, and its objectness::

        x = ax + aw t_x / 10        w = aw exp(t_w / 5)        and y and h as well        score = sigmoid(t_4)

    Parameters
    ----------
    size : (int, int)
        Height and width of the images, in pixels; multiples of the stride.
    sides : (K, 2) array
        Width and height of the anchors of a cell, as `fastcnn.vision.boxes.anchor_sides` finds them.
    stride : int
        Pixels a cell.

    Attributes
    ----------
    boxes : (A, 4) float32 array
        The anchors, corners in pixels; some reach over the border.

    Raises
    ------
    ArgumentError
        A size that is no multiple, sides that are none.

    Examples
    --------
    >>> grid = fc.vision.rcnn.AnchorGrid((64, 96), [[10, 10], [30, 40]], stride=16)
    >>> len(grid), grid.boxes[0].tolist()
    (48, [3.0, 3.0, 13.0, 13.0])

    References
    ----------
    Ren, He, Girshick, Sun: Faster R-CNN, 2015, section 3.1.
    """

    def __init__(self, size: tuple[int, int], sides: Any, stride: int = 8) -> None:
        if not isinstance(size, (tuple, list)) or len(size) != 2:
            raise ArgumentError(f"AnchorGrid: expected a size (height, width), got {size!r}")
        height, width, self.stride = positive("AnchorGrid", height=size[0], width=size[1], stride=stride)
        self.size = height, width
        if height % self.stride or width % self.stride:
            raise ArgumentError(f"AnchorGrid: expected a size of multiples of {self.stride}, got {self.size}")
        try:
            self.sides = np.asarray(sides, np.float32)
        except (TypeError, ValueError):
            self.sides = np.empty(0, np.float32)
        if self.sides.ndim != 2 or self.sides.shape[1] != 2 or not len(self.sides) or not (
                (self.sides > 0) & np.isfinite(self.sides)).all():
            raise ArgumentError(f"AnchorGrid: expected sides (K, 2), width and height above 0, got {sides!r}")
        self.grid = height // self.stride, width // self.stride
        self.boxes = grid_anchors(self.grid, self.stride, self.sides.astype(np.float64))
        corners = self.boxes.astype(np.float64)
        self._sides = corners[:, 2:] - corners[:, :2]
        self._middles = corners[:, :2] + self._sides / 2

    def __len__(self) -> int:
        return len(self.boxes)

    def decode(self, x: Any) -> tuple[Any, Any]:
        """Return boxes (N, A, 4), cut off at the border of the image, and their scores (N, A, 1).

        Of a symbolic tensor they are symbolic.

        Parameters
        ----------
        x : (N, A, 5) array or tensor

        Raises
        ------
        ArgumentError
            If they are the numbers of another grid.
        """
        if len(x.shape) != 3 or tuple(x.shape[1:]) != (len(self), 5):
            raise ArgumentError(f"AnchorGrid.decode: expected (N, {len(self)}, 5), got {tuple(x.shape)}")
        kind = np.dtype(str(x.dtype))
        sides, middles = self._sides.astype(kind), self._middles.astype(kind)
        centers = x[..., :2] * (self._sides / _SCALES[:2]).astype(kind) + middles
        halves = ops.exp(ops.minimum(x[..., 2:4] / kind.type(SCALES[2]), _LONGEST)) * (sides / 2)
        border = np.array(self.size[::-1], kind)
        corners = [ops.minimum(ops.maximum(at, kind.type(0)), border) for at in (centers - halves, centers + halves)]
        return ops.concatenate(corners, axis=-1), ops.sigmoid(x[..., 4:5])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as JSON can hold them."""
        return {"size": list(self.size), "sides": self.sides.tolist(), "stride": self.stride}

    def __repr__(self) -> str:
        return f"AnchorGrid({self.size}, {len(self.sides)} sides, stride={self.stride}): {len(self)} anchors"
