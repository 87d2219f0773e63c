"""Detection with whatever detector there is, in memory or in a file."""

from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.vision import trained
from fastcnn.vision.detection.picture_detector import PictureDetector


def detect(detector: Any, image: Any, *, score_threshold: float | None = None) -> Any:
    """Return what a detector, or one that was saved, finds on a picture or on each of a list.

    Parameters
    ----------
    detector : Detector, RegionDetector or path
        Of what their `save` wrote.
    image : (H, W, C) uint8 array, path, or list of them
    score_threshold : float, optional
        In place of the detector's own.

    Returns
    -------
    Detections, or list of Detections

    Raises
    ------
    ArgumentError
        If the file is of something else.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 64), [[16, 16]])
    >>> model = fc.vision.detection.yolo(cells, classes=1, filters=4)
    >>> detector = fc.vision.detection.Detector(model, cells, ("cat",))
    >>> len(fc.vision.detect(detector, np.zeros((100, 80, 3), "uint8")))
    0
    """
    found = detector if isinstance(detector, PictureDetector) else trained.load(detector)
    if not isinstance(found, PictureDetector):
        raise ArgumentError(f"vision.detect: expected a detector or the file of one, got {type(found).__name__}")
    return found.detect(image, score_threshold=score_threshold)
