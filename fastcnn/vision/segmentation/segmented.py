"""What a network marked on a picture, and the picture with it drawn."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcnn.vision.detection.detections import COLORS


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The class of each pixel of a picture, and the objects that the pixels make.

    Parameters
    ----------
    classes : (H, W) int32 array
        0 is background, k is the class ``names[k - 1]``.
    probabilities : (H, W, K) float32 array
        The network's outputs: background, the classes, and rims where it has them.
    objects : (H, W) int32 array
        0 is background, each object has a number of its own from 1 on.
    names : tuple of str
        Of the classes but background.

    Examples
    --------
    >>> marked = np.array([[0, 1, 1, 0, 1]], "int32")
    >>> found = fc.vision.segmentation.Segmentation(marked, np.eye(2, dtype="float32")[marked],
    ...                                             np.array([[0, 1, 1, 0, 2]], "int32"), ("nucleus",))
    >>> len(found), found.areas().tolist(), found.labels()
    (2, [2, 1], ['nucleus', 'nucleus'])
    """

    classes: np.ndarray
    probabilities: np.ndarray
    objects: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.objects.max(initial=0))

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the mask of each object, (H, W) of bool."""
        return (self.objects == number for number in range(1, len(self) + 1))

    def areas(self) -> np.ndarray:
        """Return how many pixels each object has, (objects,) int64."""
        return np.bincount(self.objects.reshape(-1), minlength=len(self) + 1)[1:]

    def kinds(self) -> np.ndarray:
        """Return the class of most pixels of each object, (objects,) int64, from 1 on."""
        inside = (self.objects > 0) & (self.classes > 0)
        counts = np.zeros((len(self) + 1, len(self.names) + 1), np.int64)
        np.add.at(counts, (self.objects[inside], self.classes[inside]), 1)
        return counts[1:, 1:].argmax(1) + 1

    def labels(self) -> list[str]:
        """Return the name of each object's class."""
        return [self.names[kind - 1] for kind in self.kinds().tolist()]

    def draw(self, picture: Any, path: str | os.PathLike[str] | None = None, opacity: float = 0.35) -> np.ndarray:
        """Return the picture with each object tinted and outlined, and write it to a file where one is named.

        Parameters
        ----------
        picture : (H, W, C) uint8 array or path
            Of the size of what was marked.
        path : path, optional
            Its ending says the format. Needs Pillow.
        opacity : float
            Of the tint, 0 to 1.

        Returns
        -------
        (H, W, 3) uint8 array
        """
        from fastcnn.datasets.rgb import write_picture
        from fastcnn.errors import ArgumentError
        from fastcnn.vision.detection.letterboxing import picture_of

        drawn = picture_of(picture, 3, "Segmentation.draw").astype(np.float64)
        if drawn.shape[:2] != self.objects.shape:
            raise ArgumentError(f"Segmentation.draw: expected a picture of {self.objects.shape} pixels, as was marked, "
                                f"got {drawn.shape[:2]}")
        colors = np.array(COLORS, np.float64)[(self.objects - 1) % len(COLORS)]
        share = np.where(self.objects > 0, np.where(_edges(self.objects), 1.0, opacity), 0.0)[..., None]
        whole = np.clip((1 - share) * drawn + share * colors + 0.5, 0, 255).astype(np.uint8)
        if path is not None:
            write_picture(path, whole)
        return whole


def _edges(objects: np.ndarray) -> np.ndarray:
    """Return the pixels with a neighbour of another number."""
    around = np.pad(objects, 1, mode="edge")
    return np.logical_or.reduce([around[1 + i:around.shape[0] - 1 + i, 1 + j:around.shape[1] - 1 + j] != objects
                                 for i, j in ((-1, 0), (1, 0), (0, -1), (0, 1))])
