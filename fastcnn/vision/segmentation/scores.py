"""How well pictures are marked: pixels by class, and objects."""

from typing import Any

import numpy as np

from fastcnn.errors import DataError
from fastcnn.metrics import DiceScore, InstanceAP, PanopticQuality
from fastcnn.metrics import IoU as ClassIoU
from fastcnn.vision.segmentation.segmented import Segmentation


class Scores:
    """What is counted of pictures with masks.

    Parameters
    ----------
    kind : {"instances", "classes"}
        What the masks tell.
    classes : int
        Background left out.
    """

    def __init__(self, kind: str, classes: int) -> None:
        self._of_objects, self._classes = kind == "instances", 1 if kind == "instances" else classes
        count = self._classes + 1
        some = list(range(1, count))
        self._pixels = {"Dice": DiceScore(count, some), "IoU": ClassIoU(count, some)}
        self._objects = {"AP": InstanceAP(), "AP50": InstanceAP(0.5), "AP70": InstanceAP(0.7), "PQ": PanopticQuality()}

    def count(self, mask: np.ndarray, found: Segmentation, file: str) -> None:
        """Count a picture.

        Parameters
        ----------
        mask : (H, W) array of int
        found : Segmentation
        file : str
            For the error.

        Raises
        ------
        DataError
            A class that is not known.
        """
        if not self._of_objects and mask.max(initial=0) > self._classes:
            raise DataError(f"Segmenter.evaluate: expected classes up to {self._classes}, got {mask.max()} in {file}")
        known = mask >= 0
        labels = (mask > 0).astype(np.int64) if self._of_objects else mask
        called = (found.classes > 0).astype(np.int64) if self._of_objects else found.classes
        self._pixels["IoU"].update_state(labels[known], called[known])
        # of more than two classes it takes a number for each
        self._pixels["Dice"].update_state(labels[known], called[known] if self._classes == 1 else np.eye(
            self._classes + 1)[called[known]])
        if self._of_objects:
            for one in self._objects.values():
                one.update_state(mask[None], found.objects[None])

    def results(self) -> dict[str, Any]:
        """Return each score by name."""
        every = self._pixels | (self._objects if self._of_objects else {})
        return {name: float(metric.result()) for name, metric in every.items()}
