"""What recipes of detectors have in common: parts that are checked, a size, prior boxes, changes of pictures."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.augmentation import Pipeline
from fastcnn.datasets import BoxedImages
from fastcnn.errors import ArgumentError, DataError
from fastcnn.vision import boxes

_LONG_SIDE = 384  # pixels, of the network's pictures where nobody says a size


def check_parts(who: str, train: Any, dev: Any, begin: Any) -> None:
    """Raise an error for pictures from which no detector learns.

    Parameters
    ----------
    who : str
    train : BoxedImages
    dev : BoxedImages or None
    begin : PictureDetector or None
        What is trained on.
    """
    for name, part in (("train", train), ("dev", dev)):
        if part is not None and not isinstance(part, BoxedImages):
            raise ArgumentError(f"{who}: expected BoxedImages as {name}, a part of a data set of boxes, got "
                                f"{type(part).__name__}")
    if begin is not None and begin.classes != train.names:
        raise DataError(f"{who}: expected pictures of the classes that the detector knows, "
                        f"{', '.join(begin.classes)}, got {', '.join(train.names)}")
    if dev is not None and dev.names != train.names:
        raise DataError(f"{who}: expected dev pictures of the classes {', '.join(train.names)}, got "
                        f"{', '.join(dev.names)}")
    if not len(train.boxes):
        raise DataError(f"{who}: expected boxes to learn, got {len(train)} pictures without a single one")


def prior_sides(objects: np.ndarray, count: int, seed: int, what: str) -> tuple[np.ndarray, str]:
    """Return the sides of prior boxes, and a sentence that tells them.

    Parameters
    ----------
    objects : (N, 4) array
        Boxes.
    count : int
        There are no more than boxes of different sides.
    seed : int
    what : str
        What they are called.
    """
    known = np.unique(objects[:, 2:] - objects[:, :2], axis=0)
    sides, mean = boxes.anchor_sides(objects, min(count, len(known)), seed)
    told = ", ".join(f"{width:.0f}x{height:.0f}" for width, height in sides)
    return sides, f"{what} {told}, which cover boxes with a mean IoU of {mean:.3f}"


def fitting_size(sizes: np.ndarray, stride: int) -> tuple[int, int]:
    """Return a size for pictures: the most common of theirs, its long side at most 384, in multiples of a stride.

    Parameters
    ----------
    sizes : (N, 2) array
        Height and width.
    stride : int

    Examples
    --------
    >>> fc.vision.detection.recipe_parts.fitting_size(np.array([[480, 640], [480, 640], [90, 90]]), 16)
    (288, 384)
    """
    each, counts = np.unique(sizes, axis=0, return_counts=True)
    height, width = each[np.argmax(counts)].tolist()
    share = min(1.0, _LONG_SIDE / max(height, width))
    return max(stride, round(height * share / stride) * stride), max(stride, round(width * share / stride) * stride)


def changes(seed: int, flips: str | None = "horizontal_and_vertical") -> Pipeline:
    """Return what pictures with boxes go through on their way into a batch.

    Parameters
    ----------
    seed : int
    flips : str or None
        The mode of `RandomFlip`.
    """
    mirror = [] if flips is None else [layers.RandomFlip(flips)]
    return Pipeline([*mirror, layers.RandomZoom((-0.25, 0.25), fill_mode="constant"),
                     layers.RandomTranslation(0.1, 0.1, fill_mode="constant"), layers.RandomBrightness(0.15),
                     layers.RandomContrast(0.2)], seed=seed)
