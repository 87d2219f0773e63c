"""A trained Mask R-CNN that marks objects: a detector with masks, and how its pictures are stretched."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import saving
from fastcnn.datasets import MaskedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import number
from fastcnn.models import Model
from fastcnn.vision.detection.letterboxing import picture_of
from fastcnn.vision.rcnn.region_detector import RegionDetector
from fastcnn.vision.segmentation.scaling import checked_percentiles, limits, scaled
from fastcnn.vision.segmentation.scores import Scores
from fastcnn.vision.segmentation.segmented import Segmentation
from fastcnn.vision.settings_in_files import settings_in

_KEY = "region_segmenter"  # of what a file tells of it


class RegionSegmenter:
    """A detector with masks, with the verbs of `fastcnn.vision.segmentation.Segmenter`: from pictures to objects.

    Parameters
    ----------
    detector : RegionDetector
        Of a `mask_rcnn`. Its network sees stretched pictures.
    percentiles : (float, float), optional
        Of a picture's values: these become 0 and 255, so that dark pictures and bright ones are alike. None leaves
        pictures as they are.
    threshold : float
        How likely a pixel of a mask has to be.

    Raises
    ------
    ArgumentError
        A detector without masks, percentiles that do not rise.

    Examples
    --------
    >>> grid = fc.vision.rcnn.AnchorGrid((64, 64), [[16, 16]])
    >>> model = fc.vision.rcnn.mask_rcnn(grid, classes=1, filters=4, regions=8, hidden=16, mask_side=14)
    >>> detector = fc.vision.rcnn.RegionDetector(model, ("cat",), score_threshold=0.9)
    >>> len(fc.vision.rcnn.RegionSegmenter(detector).segment(np.zeros((100, 80, 3), "uint8")))
    0
    """

    def __init__(self, detector: RegionDetector, *, percentiles: tuple[float, float] | None = (1.0, 99.8),
                 threshold: float = 0.5) -> None:
        if not isinstance(detector, RegionDetector) or not detector.has_masks:
            raise ArgumentError(f"RegionSegmenter: expected a RegionDetector of a mask_rcnn, got {detector}")
        self.detector = detector
        self.percentiles = checked_percentiles(percentiles, "RegionSegmenter")
        self.threshold = number(threshold, "RegionSegmenter", "a threshold from 0 to 1", lambda n: 0 <= n <= 1)

    @property
    def model(self) -> Model:
        """The network."""
        return self.detector.model

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.detector.classes

    def segment(self, image: Any) -> Any:
        """Return the objects of a picture, or of each of a list of pictures of any sizes.

        Parameters
        ----------
        image : (H, W, C) or (H, W) uint8 array, path, or list of them

        Returns
        -------
        Segmentation, or list of Segmentation
        """
        several = isinstance(image, (list, tuple))
        found = self._segmented(image if several else [image])
        return found if several else found[0]

    def evaluate(self, part: MaskedImages, batch_size: int = 8) -> dict[str, float]:
        """Return how well objects are marked: as `fastcnn.vision.segmentation.Segmenter.evaluate`.

        Parameters
        ----------
        part : MaskedImages
        batch_size : int

        Raises
        ------
        DataError
            If there is no picture.
        """
        if not len(part):
            raise DataError("RegionSegmenter.evaluate: expected at least one picture, got none")
        scores = Scores(part.kind, len(self.classes))
        for begin in range(0, len(part), batch_size):
            some = part.take(range(begin, min(begin + batch_size, len(part))))
            for one, found in zip(some, self._segmented(list(some.images)), strict=True):
                scores.count(one.mask, found, one.file)
        return scores.results()

    def prediction_model(self, size: tuple[int, int]) -> Model:
        """Return the network, for an ONNX file: from stretched pictures to proposals, regions and masks.

        Parameters
        ----------
        size : (int, int)
            Height and width of its pictures; there is one alone.

        Raises
        ------
        ArgumentError
            If it is another.
        """
        if tuple(size) != self.detector.size:
            raise ArgumentError(f"RegionSegmenter.prediction_model: expected {self.detector.size}, the size that the "
                                f"network sees, got {tuple(size)}")
        return self.model

    def save(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the network with all that belongs to the segmenter into one file.

        Parameters
        ----------
        path : path
            With the ending ``.safetensors`` or another that `fastcnn.saving.save_model` knows.
        overwrite : bool
        """
        told = {"detector": self.detector.get_config(), "threshold": self.threshold,
                "percentiles": None if self.percentiles is None else list(self.percentiles)}
        saving.save_model(self.model, path, metadata={_KEY: told}, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "RegionSegmenter":
        """Return a segmenter that `save` wrote.

        Parameters
        ----------
        path : path

        Raises
        ------
        DataError
            If the file is something else.
        """
        told = settings_in(path, _KEY, cls)
        settings = dict(told.pop("detector"))
        detector = RegionDetector(saving.load_model(path, compile=False), settings.pop("classes"), **settings)
        return cls(detector, **told)

    def _segmented(self, pictures: Sequence[Any]) -> list[Segmentation]:
        channels = int(self.model.input_shapes[0][-1])
        whole = [stretched(picture_of(one, channels, "segment"), self.percentiles) for one in pictures]
        return [one.segmentation(self.threshold) for one in self.detector.detect(whole)]

    def __repr__(self) -> str:
        return f"RegionSegmenter({self.detector})"


def stretched(picture: np.ndarray, percentiles: tuple[float, float] | None) -> np.ndarray:
    """Return a picture of 8 bits whose values at two percentiles are 0 and 255.

    Parameters
    ----------
    picture : (H, W, C) uint8 array
    percentiles : (float, float), optional
        None leaves it as it is.
    """
    if percentiles is None:
        return picture
    return np.clip(255 * scaled(picture, limits(picture, percentiles)), 0, 255).astype(np.uint8)
