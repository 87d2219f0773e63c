"""A trained YOLO with all that makes boxes on pictures of its numbers."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import layers, saving
from fastcnn.errors import ArgumentError, unknown
from fastcnn.layers.base import names
from fastcnn.models import Model
from fastcnn.vision.detection.best_boxes import best_boxes
from fastcnn.vision.detection.cells import YoloCells
from fastcnn.vision.detection.detections import Detections
from fastcnn.vision.detection.mirrored_views import FLIPS, mean_of_views
from fastcnn.vision.detection.picture_detector import PictureDetector, check_sizes
from fastcnn.vision.detection.reparameterizing import reparameterized


class Detector(PictureDetector):
    """A network, its cells and the names of its classes: from pictures of any size to boxes on them.

    Parameters
    ----------
    model : Model
        From images (N, H, W, C), 0 to 255, to (N, P, 5 + classes), as `yolo` makes it.
    cells : YoloCells
    classes : sequence of str
        Their names.
    score_threshold : float
        Boxes whose score is not above it are none.
    iou_threshold : float
        Of two boxes of one class that overlap by more, the better stays.
    max_detections : int
        Boxes of a class on a picture, at most.
    flips : {None, "horizontal", "vertical", "horizontal_and_vertical"}
        Also look at mirror images of each picture, and take the mean at each place: test-time augmentation. It takes
        two, two and four times as long, and finds more where mirror images are as likely as the pictures.

    Raises
    ------
    ArgumentError
        If they do not belong together.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 64), [[16, 16]])
    >>> model = fc.vision.detection.yolo(cells, classes=2, filters=4)
    >>> detector = fc.vision.detection.Detector(model, cells, ("cat", "dog"))
    >>> len(detector.detect(np.zeros((100, 80, 3), "uint8")))  # it has learned nothing
    0
    """

    def __init__(self, model: Model, cells: YoloCells, classes: Sequence[str], *, score_threshold: float = 0.25,
                 iou_threshold: float = 0.5, max_detections: int = 100, flips: str | None = None) -> None:
        super().__init__(model, classes, score_threshold, iou_threshold, max_detections)
        if flips not in FLIPS:
            raise ArgumentError(unknown("Detector: flips", flips, [one for one in FLIPS if one]))
        self.cells, self.flips = cells, flips
        wanted = (None, len(cells), 5 + len(self.classes))
        if len(model.output_shapes) != 1 or tuple(model.output_shape) != wanted:
            raise ArgumentError(f"Detector: expected a model with outputs {wanted} for {cells} and "
                                f"{len(self.classes)} classes, got {model.output_shape}")
        check_sizes(model, cells.size, "Detector")

    def prediction_model(self, suppress: bool = False) -> Model:
        """Return a model from images of the network's size to boxes: what goes into an ONNX file for others.

        It has layers of its own: normalizations and parallel branches are folded, as `reparameterized` does.

        Parameters
        ----------
        suppress : bool
            Whether the last step is `fastcnn.layers.NonMaxSuppression` with the thresholds of the detector.

        Returns
        -------
        Model
            To boxes (N, P, 4) and scores (N, P, classes), or to rows x1, y1, x2, y2, score, class (N, most, 6).
        """
        model = reparameterized(self.model)
        names.reserve(layer.name for layer in model.layers)
        inputs = [layers.Input(one.shape[1:], dtype=one.dtype, name=one.name) for one in model.inputs]
        found = mean_of_views(model, inputs[0], self.cells, self.flips)
        if not suppress:
            return Model(inputs, list(found), name="detector")
        best = layers.NonMaxSuppression(self.max_detections, self.iou_threshold, self.score_threshold)(list(found))
        return Model(inputs, best, name="detector")

    def folded(self) -> "Detector":
        """Return the same detector for predictions alone, faster where the network has parallel branches.

        As `reparameterized` says: it has layers of its own, with the weights of now.
        """
        settings = self.get_config() | {"cells": self.cells}
        return Detector(reparameterized(self.model), **settings)

    def get_config(self) -> dict[str, Any]:
        """Return the cells and the other settings."""
        return {"cells": self.cells.get_config()} | super().get_config() | {"flips": self.flips}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Detector":
        """Return a detector that `save` wrote.

        Parameters
        ----------
        path : path

        Raises
        ------
        DataError
            If the file is a model alone.
        """
        told = cls._told(path)
        cells = YoloCells(**told.pop("cells"))
        return cls(saving.load_model(path, compile=False), cells, told.pop("classes"), **told)

    def _found(self, pictures: Sequence[Any], lowest: float) -> list[Detections]:
        if not pictures:
            return []
        x, places = self._placed(pictures)
        boxes, scores = map(np.asarray, mean_of_views(self._numbers, x, self.cells, self.flips))
        return [Detections(*best_boxes(place.invert(own), points, place.image_size, lowest, self.iou_threshold,
                                       self.max_detections), self.classes)
                for place, own, points in zip(places, boxes, scores, strict=True)]

    def _numbers(self, images: Any) -> np.ndarray:
        """Return what the network gives for images of its size."""
        return self._finite(self.model.predict(np.ascontiguousarray(images), batch_size=min(16, len(images)),
                                               verbose=0))
