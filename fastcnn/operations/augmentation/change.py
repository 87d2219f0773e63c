"""What a change of pictures is: what it does to images, to masks of their pixels, to boxes and to labels."""

from typing import Any

import numpy as np

from fastcnn.geometry.warp import Size
from fastcnn.operations import Backward


class Change:
    """Something drawn for each image of a batch. By itself it changes the images alone."""

    def size_after(self, size: Size) -> Size:
        """Return height and width of the changed images, for those before."""
        return size

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Return the images (N, H, W, C) changed, and dy -> dx."""
        raise NotImplementedError

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """Return masks (N, H, W, C) that say what pixels are."""
        return masks

    def boxes(self, boxes: list[Any]) -> list[Any]:
        """Return boxes as (left, top, right, bottom) in pixels, a (K, 4) array for each image."""
        return boxes

    def shares_left(self, boxes: list[Any]) -> list[Any]:
        """Return which share of the area of each box is still on its image after the change, (K,) for each image."""
        return [np.ones(len(some)) for some in boxes]

    def points(self, points: list[Any]) -> list[Any]:
        """Return points as (x, y) in pixels, a (K, 2) array for each image; they may come to lie outside of it."""
        return points

    def labels(self, labels: np.ndarray) -> np.ndarray:
        """Return labels: (N, ...) numbers, of which mixed images have mixtures."""
        return labels
