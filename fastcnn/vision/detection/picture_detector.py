"""What detectors have in common: pictures of any size in, boxes on them out, and how good these are."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import saving
from fastcnn.datasets import BoxedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import number, positive
from fastcnn.geometry.letterbox import Letterbox
from fastcnn.metrics import MeanAveragePrecision
from fastcnn.metrics.precision_curves import OperatingPoint
from fastcnn.models import Model
from fastcnn.vision.detection.best_boxes import LOWEST
from fastcnn.vision.detection.detections import Detections
from fastcnn.vision.detection.letterboxing import fitted, picture_of
from fastcnn.vision.settings_in_files import settings_in


class PictureDetector:
    """The base of detectors: a network, the names of its classes, and when a box is one.

    A detector of your own has ``_found(pictures, lowest)``, which returns `Detections` for each of some pictures.

    Parameters
    ----------
    model : Model
        Its first input is images (N, H, W, C), 0 to 255.
    classes : sequence of str
        Their names.
    score_threshold : float
        Boxes whose score is not above it are none.
    iou_threshold : float
        Of two boxes of one class that overlap by more, the better stays.
    max_detections : int
        Boxes of a class on a picture, at most.
    """

    #: What a file tells of it stands under this key.
    key = "detector"

    def __init__(self, model: Model, classes: Sequence[str], score_threshold: float, iou_threshold: float,
                 max_detections: int) -> None:
        self.model, self.classes = model, tuple(classes)
        who = type(self).__name__
        self.score_threshold, self.iou_threshold = (
            number(value, who, f"a {what} from 0 to 1", lambda n: 0 <= n <= 1)
            for value, what in ((score_threshold, "score_threshold"), (iou_threshold, "iou_threshold")))
        (self.max_detections,) = positive(who, max_detections=max_detections)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures that the network sees."""
        shape = self.model.input_shapes[0]
        return int(shape[1]), int(shape[2])

    def detect(self, image: Any, *, score_threshold: float | None = None) -> Any:
        """Return what is found on a picture, or on each of a list of pictures of any sizes.

        A picture is put into the middle of the network's size, its shape kept, and the boxes are brought back.

        Parameters
        ----------
        image : (H, W, C) uint8 array, path, or list of them
        score_threshold : float, optional
            In place of the detector's own.

        Returns
        -------
        Detections, or list of Detections
        """
        lowest = self.score_threshold if score_threshold is None else number(
            score_threshold, "detect", "a score_threshold from 0 to 1", lambda n: 0 <= n <= 1)
        several = isinstance(image, (list, tuple))
        found = self._found(image if several else [image], lowest)
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
        metric = self._compared(part, batch_size, f"{type(self).__name__}.evaluate")
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
        chosen = self._compared(part, batch_size, f"{type(self).__name__}.choose_threshold").best_threshold()
        self.score_threshold = chosen.threshold
        return chosen

    def save(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the network with all that belongs to the detector into one file.

        Parameters
        ----------
        path : path
            With the ending ``.safetensors`` or another that `fastcnn.saving.save_model` knows.
        overwrite : bool
        """
        saving.save_model(self.model, path, metadata={self.key: self.get_config()}, overwrite=overwrite)

    def get_config(self) -> dict[str, Any]:
        """Return what belongs to the detector besides its network, as JSON can hold it."""
        return {"classes": list(self.classes), "score_threshold": self.score_threshold,
                "iou_threshold": self.iou_threshold, "max_detections": self.max_detections}

    @classmethod
    def _told(cls, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Return what a file tells of a detector of this kind."""
        return settings_in(path, cls.key, cls)

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
        raise NotImplementedError

    def _placed(self, pictures: Sequence[Any]) -> tuple[np.ndarray, list[Letterbox]]:
        """Return pictures in the network's size, and where they lie there."""
        channels = int(self.model.input_shapes[0][-1])
        placed = [fitted(picture_of(one, channels, "detect"), self.size) for one in pictures]
        return np.stack([one for one, _ in placed]), [place for _, place in placed]

    def _finite(self, numbers: Any) -> np.ndarray:
        found = np.asarray(numbers)
        if not np.isfinite(found).all():
            raise DataError(f"{self.model}: expected finite outputs, got NaN or infinity; was the training sound?")
        return found

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model}, {', '.join(self.classes)})"


def check_sizes(model: Model, size: tuple[int, int], who: str) -> None:
    """Raise ArgumentError if a network takes images of another size."""
    if tuple(model.input_shapes[0][1:3]) != tuple(size):
        raise ArgumentError(f"{who}: expected a model of images {size}, got {model.input_shape}")
