"""A trained network with all that makes boxes on pictures of its numbers."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import layers, saving
from fastcnn.datasets import BoxedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import number, positive
from fastcnn.layers.base import names
from fastcnn.metrics import MeanAveragePrecision
from fastcnn.metrics.precision_curves import OperatingPoint
from fastcnn.models import Model
from fastcnn.vision.detection.best_boxes import LOWEST, best_boxes
from fastcnn.vision.detection.cells import YoloCells
from fastcnn.vision.detection.detections import Detections
from fastcnn.vision.detection.letterboxing import fitted, picture_of
from fastcnn.vision.detection.reparameterizing import reparameterized

_KEY = "detector"  # of what a file tells of it


class Detector:
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
                 iou_threshold: float = 0.5, max_detections: int = 100) -> None:
        self.model, self.cells, self.classes = model, cells, tuple(classes)
        wanted = (None, len(cells), 5 + len(self.classes))
        if len(model.output_shapes) != 1 or tuple(model.output_shape) != wanted:
            raise ArgumentError(f"Detector: expected a model with outputs {wanted} for {cells} and "
                                f"{len(self.classes)} classes, got {model.output_shape}")
        if tuple(model.input_shape[1:3]) != cells.size:
            raise ArgumentError(f"Detector: expected a model of images {cells.size}, got {model.input_shape}")
        self.score_threshold, self.iou_threshold = (
            number(value, "Detector", f"a {what} from 0 to 1", lambda n: 0 <= n <= 1)
            for value, what in ((score_threshold, "score_threshold"), (iou_threshold, "iou_threshold")))
        (self.max_detections,) = positive("Detector", max_detections=max_detections)

    def detect(self, image: Any) -> Any:
        """Return what is found on a picture, or on each of a list of pictures of any sizes.

        A picture is put into the middle of the network's size, its shape kept, and the boxes are brought back.

        Parameters
        ----------
        image : (H, W, C) uint8 array, path, or list of them

        Returns
        -------
        Detections, or list of Detections
        """
        several = isinstance(image, (list, tuple))
        found = self._found(image if several else [image], self.score_threshold)
        return found if several else found[0]

    def evaluate(self, part: BoxedImages, batch_size: int = 16) -> dict[str, float]:
        """Return average precisions on pictures with boxes: COCO's twelve numbers and ``AP50`` of each class by name.

        All boxes with a score above 0.001 count, whatever `score_threshold` is.

        Parameters
        ----------
        part : BoxedImages
            Of the same classes.
        batch_size : int

        Raises
        ------
        DataError
            If it has other classes.
        """
        metric = self._compared(part, batch_size, "Detector.evaluate")
        return metric.results() | {self.classes[k]: value for k, value in metric.by_class().items()}

    def choose_threshold(self, part: BoxedImages, batch_size: int = 16) -> OperatingPoint:
        """Choose `score_threshold`: that of the largest F1 at IoU 0.5, of all classes together. `save` keeps it.

        Parameters
        ----------
        part : BoxedImages
            Pictures for decisions, which are neither trained on nor tested with.
        batch_size : int

        Returns
        -------
        OperatingPoint
            The threshold, and F1, precision and recall with it.

        Raises
        ------
        DataError
            If it has other classes or no objects, or nothing is found.
        """
        chosen = self._compared(part, batch_size, "Detector.choose_threshold").best_threshold()
        self.score_threshold = chosen.threshold
        return chosen

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
        found = self.cells.decode(model.outputs[0])
        if not suppress:
            return Model(model.inputs, list(found), name="detector")
        best = layers.NonMaxSuppression(self.max_detections, self.iou_threshold, self.score_threshold)(list(found))
        return Model(model.inputs, best, name="detector")

    def folded(self) -> "Detector":
        """Return the same detector for predictions alone, faster where the network has parallel branches.

        As `reparameterized` says: it has layers of its own, with the weights of now.
        """
        return Detector(reparameterized(self.model), self.cells, self.classes, score_threshold=self.score_threshold,
                        iou_threshold=self.iou_threshold, max_detections=self.max_detections)

    def save(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the network with all that belongs to the detector into one file.

        Parameters
        ----------
        path : path
            With the ending ``.safetensors`` or another that `fastcnn.saving.save_model` knows.
        overwrite : bool
        """
        told = {"cells": self.cells.get_config(), "classes": list(self.classes),
                "score_threshold": self.score_threshold, "iou_threshold": self.iou_threshold,
                "max_detections": self.max_detections}
        saving.save_model(self.model, path, metadata={_KEY: told}, overwrite=overwrite)

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
        told = saving.load_metadata(path).get(_KEY)
        if not isinstance(told, dict):
            raise DataError(f"Detector.load: expected a file that Detector.save wrote, got {os.fspath(path)}, a model "
                            f"without a detector's settings")
        told = dict(told)
        cells = YoloCells(**told.pop("cells"))
        return cls(saving.load_model(path, compile=False), cells, told.pop("classes"), **told)

    def _compared(self, part: BoxedImages, batch_size: int, who: str) -> MeanAveragePrecision:
        """Return the metric that has counted all that is found on some pictures, down to the lowest scores."""
        if tuple(part.names) != self.classes:
            raise DataError(f"{who}: expected boxes of the classes {', '.join(self.classes)}, got "
                            f"{', '.join(part.names)}")
        (batch_size,) = positive(who, batch_size=batch_size)
        metric, rows = MeanAveragePrecision("AP50"), part.targets()
        for begin in range(0, len(part), batch_size):
            some = range(begin, min(begin + batch_size, len(part)))
            found = self._found([part.images[k] for k in some], LOWEST)
            metric.update_state([rows[k] for k in some], [one.rows() for one in found])
        return metric

    def _found(self, pictures: Sequence[Any], lowest: float) -> list[Detections]:
        channels = int(self.model.input_shape[-1])
        whole = [picture_of(one, channels, "detect") for one in pictures]
        if not whole:
            return []
        placed = [fitted(one, self.cells.size) for one in whole]
        x = np.stack([one for one, _ in placed])
        numbers = np.asarray(self.model.predict(x, batch_size=min(16, len(x)), verbose=0))
        if not np.isfinite(numbers).all():
            raise DataError(f"{self.model}: expected finite outputs, got NaN or infinity; was the training sound?")
        boxes, scores = (np.asarray(one) for one in self.cells.decode(numbers))
        return [Detections(*best_boxes(place.invert(own), points, place.image_size, lowest, self.iou_threshold,
                                       self.max_detections), self.classes)
                for (_, place), own, points in zip(placed, boxes, scores, strict=True)]

    def __repr__(self) -> str:
        return f"Detector({self.model}, {', '.join(self.classes)})"


def detect(detector: Any, image: Any, *, score_threshold: float | None = None) -> Any:
    """Return what a detector, or one that was saved, finds on a picture or on each of a list.

    Parameters
    ----------
    detector : Detector or path
        Of what `Detector.save` wrote.
    image : (H, W, C) uint8 array, path, or list of them
    score_threshold : float, optional
        In place of the detector's own.

    Returns
    -------
    Detections, or list of Detections

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 64), [[16, 16]])
    >>> model = fc.vision.detection.yolo(cells, classes=1, filters=4)
    >>> detector = fc.vision.detection.Detector(model, cells, ("cat",))
    >>> len(fc.vision.detect(detector, np.zeros((100, 80, 3), "uint8")))
    0
    """
    if not isinstance(detector, Detector):
        detector = Detector.load(detector)
    if score_threshold is None:
        return detector.detect(image)
    changed = Detector(detector.model, detector.cells, detector.classes, score_threshold=score_threshold,
                       iou_threshold=detector.iou_threshold, max_detections=detector.max_detections)
    return changed.detect(image)
