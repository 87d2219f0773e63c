"""Letterbox: an image in the middle of one of another shape, its own shape kept, and the exact way back.

The size and place of the image are whole numbers, computed once; boxes go there and back by them, not by a scale that
was rounded elsewhere::

    +-----------------+      scale = min(height / h, width / w)
    |     border      |      new sides = round(scale h), round(scale w), at least 1
    +-----------------+      x -> x new_w / w + left,  and back
    |   the image     |
    +-----------------+
"""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive
from fastcnn.geometry.boxes import as_boxes


class Letterbox:
    """Where an image of one size lies in one of another, and where boxes and points go.

    Parameters
    ----------
    image_size : (int, int)
        Height and width of the image.
    size : (int, int)
        Those of what it is put into.
    enlarge : bool
        Whether an image that is smaller in both is enlarged.

    Attributes
    ----------
    new_size : (int, int)
        Height and width of the image in its place.
    top, left : int
        The border above and on the left; an odd pixel is below, or on the right.

    Raises
    ------
    ArgumentError
        If a size is not two positive integers.

    Examples
    --------
    >>> box = fc.vision.boxes.Letterbox((480, 640), (320, 320))
    >>> box.new_size, box.top, box.left
    ((240, 320), 40, 0)
    >>> box.invert(box.apply([[10, 20, 30, 40]]))
    array([[10., 20., 30., 40.]], dtype=float32)
    """

    def __init__(self, image_size: tuple[int, int], size: tuple[int, int], enlarge: bool = True) -> None:
        self.image_size, self.size = (_size(given) for given in (image_size, size))
        (h, w), (height, width) = self.image_size, self.size
        if not enlarge and h <= height and w <= width:
            self.new_size = h, w
        elif height * w <= width * h:  # the height decides
            self.new_size = height, min(width, max(1, (2 * w * height + h) // (2 * h)))
        else:
            self.new_size = min(height, max(1, (2 * h * width + w) // (2 * w))), width
        self.top, self.left = (height - self.new_size[0]) // 2, (width - self.new_size[1]) // 2

    def _numbers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        (h, w), (new_h, new_w) = self.image_size, self.new_size
        return np.array([w, h], float), np.array([new_w, new_h], float), np.array([self.left, self.top], float)

    def apply_points(self, points: Any) -> np.ndarray:
        """Return points (..., 2), x and y in pixels of the image, where they come to lie: float64.

        Parameters
        ----------
        points : (..., 2) array
        """
        old, new, corner = self._numbers()
        there: np.ndarray = np.asarray(points, np.float64) * new / old + corner
        return there

    def invert_points(self, points: Any) -> np.ndarray:
        """Return where points (..., 2) come from: float32.

        Parameters
        ----------
        points : (..., 2) array
        """
        old, new, corner = self._numbers()
        back: np.ndarray = ((np.asarray(points, np.float64) - corner) * old / new).astype(np.float32)
        return back

    def apply(self, boxes: Any) -> np.ndarray:
        """Return boxes (..., 4), corners in pixels of the image, where they come to lie.

        Parameters
        ----------
        boxes : (..., 4) array

        Returns
        -------
        (..., 4) float64 array
            So that `invert` finds the same float32 numbers again, whatever the sizes.
        """
        found = as_boxes(boxes, "Letterbox.apply", np.float64)
        return self.apply_points(found.reshape(*found.shape[:-1], 2, 2)).reshape(found.shape)

    def invert(self, boxes: Any) -> np.ndarray:
        """Return boxes (..., 4) in pixels of the image, of boxes where they came to lie: float32, not clipped.

        Parameters
        ----------
        boxes : (..., 4) array
        """
        found = as_boxes(boxes, "Letterbox.invert", np.float64)
        return self.invert_points(found.reshape(*found.shape[:-1], 2, 2)).reshape(found.shape)

    def __repr__(self) -> str:
        return f"Letterbox({self.image_size}, {self.size}): {self.new_size} at ({self.top}, {self.left})"


def _size(given: Any) -> tuple[int, int]:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ArgumentError(f"Letterbox: expected a size to be (height, width), got {given!r}")
    height, width = positive("Letterbox", height=given[0], width=given[1])
    return height, width
