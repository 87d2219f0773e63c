"""What was trained to see, read from its file, whichever task it is for."""

import importlib
import os
from typing import Any

from fastcnn import saving
from fastcnn.errors import ArgumentError

#: By the key of a file's metadata: the task, and the class that reads the file.
_KINDS = {
    "detector": ("detection", "fastcnn.vision.detection", "Detector"),
    "region_detector": ("detection", "fastcnn.vision.rcnn", "RegionDetector"),
    "region_segmenter": ("segmentation", "fastcnn.vision.rcnn", "RegionSegmenter"),
    "segmenter": ("segmentation", "fastcnn.vision.segmentation", "Segmenter"),
    "recognizer": ("identity", "fastcnn.vision.identity", "Recognizer"),
}


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """Return the task of what a file holds, "detection" say; None for a model alone.

    Parameters
    ----------
    path : path

    Raises
    ------
    ModelFileError
        If it is no file of a model.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 64), [[16, 16]])
    >>> model = fc.vision.detection.yolo(cells, classes=1, filters=4)
    >>> fc.vision.detection.Detector(model, cells, ("cat",)).save("cats.safetensors")
    >>> fc.vision.kind_of("cats.safetensors")
    'detection'
    """
    key = _key_of(path)
    return None if key is None else _KINDS[key][0]


def load(path: str | os.PathLike[str]) -> Any:
    """Return what was trained to see, a detector say, from the file that its ``save`` or a run wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    Detector, Segmenter or Recognizer

    Raises
    ------
    ArgumentError
        If the file is a model alone, whose numbers nobody can read.
    ModelFileError
        If it is no file of a model.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((64, 64), [[16, 16]])
    >>> model = fc.vision.detection.yolo(cells, classes=1, filters=4)
    >>> fc.vision.detection.Detector(model, cells, ("cat",)).save("cats.safetensors")
    >>> fc.vision.load("cats.safetensors").classes
    ('cat',)
    """
    key = _key_of(path)
    if key is None:
        raise ArgumentError(f"vision.load: expected what a run of boxes, masks or persons has saved, got "
                            f"{os.fspath(path)}, a model alone; saving.load_model reads it")
    _, module, name = _KINDS[key]
    return getattr(importlib.import_module(module), name).load(path)


def _key_of(path: str | os.PathLike[str]) -> str | None:
    known = saving.load_metadata(path)
    return next((key for key in _KINDS if isinstance(known.get(key), dict)), None)
