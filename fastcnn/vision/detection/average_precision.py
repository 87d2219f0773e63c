"""Average precision of a YOLO's numbers, in the log of a training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.metrics import MeanAveragePrecision
from fastcnn.vision.detection.best_boxes import LOWEST, best_boxes
from fastcnn.vision.detection.cells import YoloCells


class YoloAveragePrecision(MeanAveragePrecision):
    """`fastcnn.metrics.MeanAveragePrecision` of what a YOLO gives, (N, P, 5 + classes), for `compile` and `fit`.

    The numbers become boxes and are suppressed class by class. That takes some milliseconds an image, in training too:
    `Detector.evaluate` after a training costs nothing in it. Boxes are compared on the pictures as the network sees
    them.

    Parameters
    ----------
    cells : YoloCells
    measure : str
        As of `MeanAveragePrecision`.
    iou_threshold : float
        Of two boxes of one class that overlap by more, the better stays.
    name, dtype : as in `Metric`

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((32, 32), [[16, 16]])
    >>> metric = fc.vision.detection.YoloAveragePrecision(cells)
    >>> numbers = np.full((1, 4, 6), -9, "float32")
    >>> numbers[0, 3] = 0, 0, 0, 0, 9, 9                             # the last cell's prior box itself
    >>> round(metric(np.array([[[16, 16, 32, 32, 0]]], "float32"), numbers), 6)
    1.0
    """

    def __init__(self, cells: Any, measure: str = "AP50", iou_threshold: float = 0.5, name: str | None = None,
                 dtype: Any = None) -> None:
        self.cells = YoloCells(**cells) if isinstance(cells, Mapping) else cells
        if not isinstance(self.cells, YoloCells):
            raise ArgumentError(f"YoloAveragePrecision: expected YoloCells, got {type(cells).__name__}")
        self.iou_threshold = number(iou_threshold, "YoloAveragePrecision", "an iou_threshold from 0 to 1",
                                    lambda n: 0 <= n <= 1)
        super().__init__(measure, name=measure if name is None else name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Parameters
        ----------
        y_true : (N, M, 5 or more) array
            Objects, as `YoloLoss` takes them.
        y_pred : (N, P, 5 + classes) array
        sample_weight : None
        """
        found = []
        for boxes, scores in zip(*map(np.asarray, self.cells.decode(np.asarray(y_pred))), strict=True):
            own, points, kinds = best_boxes(boxes, scores, self.cells.size, LOWEST, self.iou_threshold, 100)
            found.append(np.column_stack([own, kinds, points]))
        super().update_state(np.asarray(y_true)[..., :6], found, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"cells": self.cells.get_config(), "measure": self.measure, "iou_threshold": self.iou_threshold,
                "name": self.name, "dtype": self.dtype}
