"""What a YOLO learns from boxes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.geometry.arguments import number
from fastcnn.geometry.regions import CELLS
from fastcnn.kernels import region_codes as codes
from fastcnn.losses import Loss
from fastcnn.losses.finite_parts import require_finite
from fastcnn.vision.detection.cells import YoloCells

_OVERLAPS = {"iou": codes.IOU, "giou": codes.GIOU, "diou": codes.DIOU, "ciou": codes.CIOU}


class YoloParts(NamedTuple):
    """The three losses of a YOLO, means over a batch, before their gains.

    Attributes
    ----------
    box, objectness, classes : float
    """

    box: float
    objectness: float
    classes: float


class YoloLoss(Loss):
    """Boxes by their overlap, objectness and classes by cross-entropy, for the grids of a YOLO.

    The targets are rows x1, y1, x2, y2, class [, kind] of each image, (N, M, 5 or more), as
    `fastcnn.datasets.BoxedImages.targets` makes them: a class below 0 fills up a batch, kind 1 is a crowd, of which
    nothing is learned. The outputs are those of `yolo`, (N, P, 5 + classes). An object belongs to each prior box whose
    sides are within a factor `ratio` of its own, and always to the most alike; there to the cell of its centre, and
    with the form "v5" to the two next to it as well. With `own` the places that have an object::

        box_gain         mean over own of 1 - overlap
      + objectness_gain  mean over all places of the cross-entropy with the IoU of own ones, 0 of others
      + class_gain       mean over own of the sum over classes of their cross-entropies

    Each image counts alike; one without objects has the second alone.

    Parameters
    ----------
    cells : YoloCells
    box_gain, objectness_gain, class_gain : float
    ratio : float
        At least 1; with 1 an object belongs to the most alike prior alone.
    iou_objectness : bool
        Whether objectness shall be the IoU of the box with its object, a constant for the gradient; else it shall be 1.
    overlap : {"giou", "iou", "diou", "ciou"}
        How boxes are compared, as `fastcnn.vision.boxes` does.
    ignore_threshold : float
        A place without an object whose box overlaps one by more all the same learns nothing, in place of background:
        0.5 to 0.7 in YOLOv3. With 1 all learn.
    name : str
    reduction : str
        "sum_over_batch_size": the mean over images. Nothing else is offered.
    dtype : as in `Loss`

    References
    ----------
    Redmon, Farhadi: YOLOv3, 2018, section 2.1; Rezatofighi et al.: Generalized intersection over union, 2019; Zheng et
    al.: Distance-IoU loss, 2020.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((32, 32), [[16, 16]])
    >>> loss = fc.vision.detection.YoloLoss(cells, objectness_gain=1.0)
    >>> nothing = np.full((1, 1, 5), -1.0, "float32")
    >>> round(loss(nothing, np.zeros((1, 4, 6), "float32")), 4)  # log 2
    0.6931
    """

    def __init__(self, cells: Any, *, box_gain: float = 1.0, objectness_gain: float = 10.0, class_gain: float = 0.25,
                 ratio: float = 2.0, iou_objectness: bool = True, overlap: str = "giou",
                 ignore_threshold: float = 1.0, name: str = "yolo", reduction: str = "sum_over_batch_size",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        if reduction != "sum_over_batch_size":
            raise ArgumentError(f"YoloLoss: expected reduction 'sum_over_batch_size', got {reduction!r}")
        self.cells = YoloCells(**cells) if isinstance(cells, Mapping) else cells
        if not isinstance(self.cells, YoloCells):
            raise ArgumentError(f"YoloLoss: expected YoloCells, got {type(cells).__name__}")
        self.box_gain, self.objectness_gain, self.class_gain = (
            number(gain, "YoloLoss", f"a {what} of at least 0", lambda n: n >= 0) for gain, what in (
                (box_gain, "box_gain"), (objectness_gain, "objectness_gain"), (class_gain, "class_gain")))
        self.ratio = number(ratio, "YoloLoss", "a ratio of at least 1", lambda n: n >= 1)
        self.iou_objectness = bool(iou_objectness)
        if overlap not in _OVERLAPS:
            raise ArgumentError(unknown("YoloLoss: overlap", overlap, _OVERLAPS))
        self.overlap = overlap
        self.ignore_threshold = number(ignore_threshold, "YoloLoss", "an ignore_threshold from 0 to 1",
                                       lambda n: 0 <= n <= 1)
        self._grids = np.array([(*grid, self.cells.code, _OVERLAPS[overlap], self.ratio, self.ignore_threshold)
                                for grid in self.cells.grids.tolist()], CELLS)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"cells": self.cells.get_config()}

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True,
                sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
        parts, dx = self._ran(y_true, y_pred, sample_weight, wants_gradient)
        require_finite(self.name, ("boxes", "objectness", "classes"), parts[:3])
        return parts[3:].reshape(len(y_pred)), dx

    def parts(self, y_true: Any, y_pred: Any) -> YoloParts:
        """Return the losses of box, objectness and class alone: which of them does not fall, say.

        Parameters
        ----------
        y_true : (N, M, 5 or more) array
        y_pred : (N, P, 5 + classes) array
        """
        x = np.ascontiguousarray(y_pred, np.float64 if np.asarray(y_pred).dtype == np.float64 else np.float32)
        parts, _ = self._ran(np.asarray(y_true), x, None, False)
        return YoloParts(*map(float, parts[:3].mean(1, dtype=np.float64)))

    def _ran(self, y_true: Any, x: np.ndarray, sample_weight: Any, wants_gradient: bool
             ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the three losses of each image and their sum, (4, N), and the gradient."""
        cells, kind = self.cells, x.dtype
        if x.ndim != 3 or x.shape[1] != len(cells) or x.shape[2] < 6:
            raise ArgumentError(f"{self.name}: expected outputs (N, {len(cells)}, 5 + classes) for {cells}, got "
                                f"{x.shape}; fc.vision.detection.yolo makes such a model")
        d, n = device.of(x), len(x)
        targets = np.ascontiguousarray(self._targets(device.get(y_true), n), kind)
        gains = np.empty((n, 4), kind)
        gains[:, :3] = np.multiply.outer(self._weights(sample_weight, n) / max(n, 1),
                                         (self.box_gain, self.objectness_gain, self.class_gain))
        gains[:, 3] = self.iou_objectness
        parts, dx = d.empty((4, n), kind), d.empty(x.shape if wants_gradient else (0, *x.shape[1:]), kind)
        d.kernels.cell_loss(parts, dx, d.empty((2, *x.shape[:2]), kind), x, d.put(targets),
                            d.constant(cells.of_type(kind)), d.put(gains), self._grids)
        return parts, dx if wants_gradient else None

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        given = self._targets(y_true, len(y_true))
        # Of ragged rows nothing is padded: one crowded image would make all of them long.
        rows = given.rows if isinstance(given, RaggedRows) else np.asarray(given).reshape(-1, given.shape[2])
        rows = rows[~(rows[:, 4] < 0)]
        if not np.isfinite(rows).all():
            raise DataError(f"{self.name}: expected finite boxes and classes, got NaN or infinity among them")
        if len(rows) and not (rows[:, 4] < outputs - 5).all():
            raise DataError(f"{self.name}: expected classes below {outputs - 5} for {outputs} outputs a place, got "
                            f"{rows[:, 4].max():g}")
        if len(rows) and (rows[:, 2:4] <= rows[:, :2]).any():
            raise DataError(f"{self.name}: expected boxes with an area, corners x1, y1, x2, y2, got one without")

    def _targets(self, y_true: Any, n: int) -> Any:
        if y_true.ndim != 3 or len(y_true) != n or y_true.shape[2] < 5:
            raise DataError(f"{self.name}: expected rows x1, y1, x2, y2, class of each of {n} images, (N, M, 5) or "
                            f"fc.data.RaggedRows, got {y_true.shape}")
        return y_true

    def _weights(self, given: Any, n: int) -> np.ndarray:
        if given is None:
            return np.ones(n)
        weights = np.asarray(device.get(given), np.float64)
        if weights.shape != (n,):
            raise ArgumentError(f"{self.name}: expected a sample_weight for each image, ({n},), got {weights.shape}")
        return weights
