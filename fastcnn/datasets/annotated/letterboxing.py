"""Pictures of any sizes brought to one, whole and in their own shape, with their boxes, and the way back."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.data.ahead import ahead
from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.datasets._fitting import resized
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integer
from fastcnn.geometry.letterbox import Letterbox

GREY = 114  # of a border: that of published detectors, near the middle of photographs


class Letterboxed(NamedTuple):
    """Pictures of one size.

    Attributes
    ----------
    images : (N, height, width, C) uint8 array
    targets : RaggedRows
        Rows x1, y1, x2, y2, class, kind of each, in pixels of these images.
    letterboxes : tuple of Letterbox
        `invert` of each leads boxes back to the picture.
    """

    images: NDArray[np.uint8]
    targets: RaggedRows
    letterboxes: tuple[Letterbox, ...]


def put_into(image: NDArray[np.uint8], letterbox: Letterbox, fill: int = GREY) -> NDArray[np.uint8]:
    """Return an image (H, W, C) resized, in the middle of one of another size.

    Parameters
    ----------
    image : (H, W, C) uint8 array
    letterbox : Letterbox
        Made for its size.
    fill : int
        The value of the border.

    Raises
    ------
    ArgumentError
        An image of another size than the letterbox's.
    """
    if image.shape[:2] != letterbox.image_size:
        raise ArgumentError(f"put_into: expected an image of {letterbox.image_size}, got {image.shape[:2]}")
    whole = np.full((*letterbox.size, image.shape[2]), fill, np.uint8)
    (height, width), top, left = letterbox.new_size, letterbox.top, letterbox.left
    whole[top : top + height, left : left + width] = resized(image, height, width, [])
    return whole


def letterboxed(part: Any, size: tuple[int, int], fill: int = GREY, enlarge: bool = True) -> Letterboxed:
    """Return the pictures of a `BoxedImages` in one size: see `BoxedImages.letterboxed`."""
    fill = integer(fill, "letterboxed", "fill")
    boxes = [Letterbox((int(height), int(width)), size, enlarge) for height, width in part.sizes]
    images = np.empty((len(part), *(boxes[0].size if boxes else size), _channels(part)), np.uint8)
    pixels = ahead(lambda row: put_into(part.images[row], boxes[row], fill), range(len(part)))
    for row, one in enumerate(pixels):
        images[row] = one
    targets = part.targets()
    rows = targets.rows.copy()
    for row, box in enumerate(boxes):
        some = part.slice_of(row)
        rows[some, :4] = box.apply(rows[some, :4])
    return Letterboxed(images, RaggedRows(rows, targets.offsets, "boxes"), tuple(boxes))


def _channels(part: Any) -> int:
    known = getattr(part.images, "channels", None)
    return int(known if known is not None else part.images[0].shape[2] if len(part) else 3)
