"""The grids of a YOLO: cells, their prior boxes, and what the network's numbers mean in them."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import ops
from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import positive
from fastcnn.kernels import region_codes as codes

_FORMS = {"v3": codes.EXPONENTIAL, "v5": codes.SQUARED_SIGMOID}


class YoloCells:
    """One to several grids of cells over an image, and the prior boxes (anchors) of each.

    A *place* is one prior in one cell: a network gives 5 + classes numbers for each of P places, grid by grid, row by
    row, cell by cell. With s the sigmoid, the box of a place with the prior pw x ph is, by `form`::

        v3    x = (column + s(t_x)) stride               w = pw exp(t_w)            and y and h as well
        v5    x = (column + 2 s(t_x) - 1/2) stride       w = pw (2 s(t_w))^2

    Parameters
    ----------
    size : (int, int)
        Height and width of the images, in pixels; multiples of each stride.
    anchors : (A, 2) array, or one for each stride
        Width and height of the priors, as `fastcnn.vision.boxes.anchor_sides` finds them. One array is dealt out: the
        smallest areas to the smallest stride.
    strides : sequence of int
        Pixels a cell of each grid, rising.
    form : {"v5", "v3"}

    Attributes
    ----------
    grids : (S, 3) int64 array
        Rows, columns and priors of each grid.
    places : (P, 5) float32 array
        Column, row, stride, and width and height of the prior of each place.

    Raises
    ------
    ArgumentError
        Sizes that are no multiples, anchors without area, or fewer than strides.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 96), [[10, 10], [30, 40]], strides=(16, 32))
    >>> len(cells), cells.grids.tolist()
    (30, [[4, 6, 1], [2, 3, 1]])

    References
    ----------
    Redmon, Farhadi: YOLO9000, 2017, section 2; YOLOv3, 2018, section 2.1. The form of YOLO v5 is that of its code.
    """

    def __init__(self, size: tuple[int, int], anchors: Any, strides: Sequence[int] = (16,), form: str = "v5") -> None:
        if not isinstance(size, (tuple, list)) or len(size) != 2:
            raise ArgumentError(f"YoloCells: expected a size (height, width), got {size!r}")
        height, width = positive("YoloCells", height=size[0], width=size[1])
        self.size = height, width
        several = isinstance(strides, Sequence) and not isinstance(strides, str)
        self.strides = tuple(positive("YoloCells", **{f"stride_{k}": one for k, one in enumerate(strides)})
                             ) if several else ()
        if not self.strides or list(self.strides) != sorted(set(self.strides)):
            raise ArgumentError(f"YoloCells: expected strides that rise, got {strides!r}")
        if any(side % stride for side in self.size for stride in self.strides):
            raise ArgumentError(f"YoloCells: expected a size of multiples of {', '.join(map(str, self.strides))}, got "
                                f"{self.size}")
        if form not in _FORMS:
            raise ArgumentError(unknown("YoloCells: form", form, _FORMS))
        self.form, self.code = form, _FORMS[form]
        self.anchors = _dealt(anchors, len(self.strides))
        self.grids = np.array([(height // stride, width // stride, len(own))
                               for stride, own in zip(self.strides, self.anchors)], np.int64)
        self.places = np.array([(column, row, stride, *side) for stride, own in zip(self.strides, self.anchors)
                                for row, column, side in itertools.product(range(height // stride),
                                                                           range(width // stride), own)], np.float32)
        self._wide = self.places.astype(np.float64)

    def __len__(self) -> int:
        return len(self.places)

    def of_type(self, dtype: Any) -> np.ndarray:
        """Return `places` in float32 or float64.

        Parameters
        ----------
        dtype : dtype
        """
        return self._wide if np.dtype(dtype) == np.float64 else self.places

    def decode(self, x: Any) -> tuple[Any, Any]:
        """Return the boxes and scores that a network's numbers are: (N, P, 4) corners, and (N, P, classes).

        The score of a class is sigmoid(objectness) sigmoid(class). Of a symbolic tensor they are symbolic.

        Parameters
        ----------
        x : (N, P, 5 + classes) array or tensor

        Raises
        ------
        ArgumentError
            If they are the numbers of other grids.
        """
        if len(x.shape) != 3 or x.shape[1] != len(self) or x.shape[2] < 6:
            raise ArgumentError(f"YoloCells.decode: expected (N, {len(self)}, 5 + classes), got {tuple(x.shape)}")
        cells = self.of_type(str(x.dtype))
        corner, stride, prior = cells[:, :2], cells[:, 2:3], cells[:, 3:]
        shares = ops.sigmoid(x)
        if self.code == codes.SQUARED_SIGMOID:
            middles = (2 * shares[..., :2] + (corner - cells.dtype.type(0.5))) * stride
            twice = 2 * shares[..., 2:4]
            sides = twice * twice * prior
        else:
            middles = (shares[..., :2] + corner) * stride
            sides = ops.exp(ops.minimum(x[..., 2:4], float(np.log(1000 / 16)))) * prior
        boxes = ops.concatenate([middles - sides / 2, middles + sides / 2], axis=-1)
        return boxes, shares[..., 4:5] * shares[..., 5:]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as JSON can hold them."""
        return {"size": list(self.size), "anchors": [own.tolist() for own in self.anchors],
                "strides": list(self.strides), "form": self.form}

    def __repr__(self) -> str:
        return f"YoloCells({self.size}, strides={self.strides}, form={self.form!r}): {len(self)} places"


def _dealt(anchors: Any, count: int) -> list[np.ndarray]:
    """Return the anchors of each grid, (A, 2) float32."""
    if not isinstance(anchors, Sequence | np.ndarray) or isinstance(anchors, str) or not len(anchors):
        raise ArgumentError(f"YoloCells: expected anchors (A, 2), width and height above 0, got {anchors!r}")
    if np.ndim(anchors[0]) < 2:
        whole = _sides(anchors)
        whole = whole[np.argsort(whole.prod(1), kind="stable")]
        if len(whole) < count:
            raise ArgumentError(f"YoloCells: expected at least an anchor for each of {count} strides, got {len(whole)}")
        return np.array_split(whole, count)
    if len(anchors) != count:
        raise ArgumentError(f"YoloCells: expected anchors for each of {count} strides, got those of {len(anchors)}")
    return [_sides(own) for own in anchors]


def _sides(anchors: Any) -> np.ndarray:
    try:
        sides = np.asarray(anchors, np.float32)
    except (TypeError, ValueError):
        raise ArgumentError(f"YoloCells: expected anchors (A, 2), numbers, got {anchors!r}") from None
    if sides.ndim != 2 or sides.shape[1] != 2 or not len(sides) or not ((sides > 0) & np.isfinite(sides)).all():
        raise ArgumentError(f"YoloCells: expected anchors (A, 2), width and height above 0, got {sides.shape}")
    return sides
