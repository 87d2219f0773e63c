"""How well a picture's boxes or masks are found, and the picture with both drawn: what is there, and what was found."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError
from fastcnn.report.inline_pictures import reduced
from fastcnn.vision.boxes import iou

#: Colours of what is there and of what was found (Okabe and Ito, 2008).
THERE, FOUND = (86, 180, 233), (230, 159, 0)
_SIDE = 320  # pixels that a picture is drawn in, so that lines keep their width
_TINT = 0.45


class FoundPart(NamedTuple):
    """Pictures of a part in which things are found.

    Attributes
    ----------
    errors : (N,) array
        Of each picture, from 0 to 1: 1 - AP of its boxes, say, or 1 - Dice of its mask.
    names : sequence of N str
    draw : function
        The number of a picture -> (H, W, 3) array of uint8, with what is there and what was found.
    whole : int
        How many pictures the part has, where these are drawn from it; 0 where these are all.

    Examples
    --------
    >>> fc.report.FoundPart(np.array([0.5]), ["a.png"], lambda k: np.zeros((8, 8, 3), "uint8")).errors.tolist()
    [0.5]
    """

    errors: NDArray[Any]
    names: Sequence[str]
    draw: Callable[[int], NDArray[np.uint8]]
    whole: int = 0


def box_error(boxes: Any, classes: Any, found_boxes: Any, found_classes: Any, threshold: float = 0.5) -> float:
    """Return 1 - F1 of the boxes found in a picture; 0 where there is none and none was found.

        F1 = 2 right / (there + found)

    A found box is right if one of its class is there that overlaps by the threshold at least and is not taken yet; the
    order is that of the boxes, the surest first.

    Parameters
    ----------
    boxes, found_boxes : (N, 4), (M, 4) arrays
        Corners x1, y1, x2, y2: those that are there, and those that were found.
    classes, found_classes : (N,), (M,) arrays of int
    threshold : float
        Of the intersection over union.

    Examples
    --------
    >>> there = np.array([[0, 0, 10, 10], [20, 20, 30, 30]])
    >>> round(fc.report.box_error(there, [0, 1], there[:1], [0]), 4)
    0.3333
    """
    there, found = (np.asarray(one, np.float32).reshape(-1, 4) for one in (boxes, found_boxes))
    own, told = np.asarray(classes), np.asarray(found_classes)
    if len(own) != len(there) or len(told) != len(found):
        raise ArgumentError(f"box_error: expected a class for each box, got {len(own)} for {len(there)} and "
                            f"{len(told)} for {len(found)}")
    if not len(there) + len(found):
        return 0.0
    overlaps = np.asarray(iou(found, there)) if len(there) and len(found) else np.zeros((len(found), len(there)))
    overlaps = np.where(told[:, None] == own[None, :], overlaps, 0.0)
    right, is_free = 0, np.ones(len(there), bool)
    for row in overlaps:
        best = int(np.where(is_free, row, -1.0).argmax()) if is_free.any() else -1
        if best >= 0 and row[best] >= threshold:
            is_free[best], right = False, right + 1
    return 1 - 2 * right / (len(there) + len(found))


def dice_error(mask: Any, found: Any) -> float:
    """Return 1 - Dice of the classes of a picture's pixels, the mean over those that are there or were found.

        Dice = 2 |there and found| / (|there| + |found|)

    Class 0 is the background and does not count; pixels below 0 are known to nobody.

    Parameters
    ----------
    mask, found : (H, W) arrays of int

    Examples
    --------
    >>> fc.report.dice_error(np.array([[1, 1], [0, 0]]), np.array([[1, 0], [0, 0]])) == 1 - 2 / 3
    True
    """
    there, told = np.asarray(mask), np.asarray(found)
    if there.shape != told.shape or there.ndim != 2:
        raise ArgumentError(f"dice_error: expected two masks (H, W) of one size, got {there.shape} and {told.shape}")
    known = there >= 0
    classes = np.union1d(there[known], told[known])
    scores = [2 * (known & (there == one) & (told == one)).sum() / (
        (known & (there == one)).sum() + (known & (told == one)).sum()) for one in classes[classes > 0]]
    return float(1 - np.mean(scores)) if scores else 0.0


def draw_boxes(picture: Any, boxes: Any, found_boxes: Any) -> NDArray[np.uint8]:
    """Return a picture with the boxes that are there in blue and those that were found in orange.

    Parameters
    ----------
    picture : (H, W, C) array of uint8
    boxes, found_boxes : (N, 4), (M, 4) arrays

    Examples
    --------
    >>> fc.report.draw_boxes(np.zeros((8, 8, 1), "uint8"), [[1, 1, 6, 6]], []).shape
    (8, 8, 3)
    """
    drawn, scale = _small(picture)
    for some, color, line in ((boxes, THERE, 3), (found_boxes, FOUND, 1)):
        for box in np.asarray(some, np.float64).reshape(-1, 4) * scale:
            x1, y1, x2, y2 = (max(0, round(float(value))) for value in box)
            for part in (np.s_[y1:y1 + line, x1:x2], np.s_[max(y2 - line, 0):y2, x1:x2], np.s_[y1:y2, x1:x1 + line],
                         np.s_[y1:y2, max(x2 - line, 0):x2]):
                drawn[part] = color
    return drawn


def draw_masks(picture: Any, mask: Any, found: Any) -> NDArray[np.uint8]:
    """Return a picture, blue where something was missed, orange where it was found wrongly, white where it is right.

    Parameters
    ----------
    picture : (H, W, C) array of uint8
    mask, found : (H, W) arrays of int
        Of each pixel its class; 0 is the background.

    Examples
    --------
    >>> fc.report.draw_masks(np.zeros((8, 8, 1), "uint8"), np.ones((8, 8), int), np.zeros((8, 8), int))[0, 0].tolist()
    [39, 81, 105]
    """
    pixels = _as_colors(picture).astype(np.float32)
    there, told = np.asarray(mask), np.asarray(found)
    for where, color in (((there > 0) & (told != there), THERE), ((told > 0) & (told != there) & (there >= 0), FOUND)):
        pixels[where] = (1 - _TINT) * pixels[where] + _TINT * np.array(color, np.float32)
    right = (there > 0) & (told == there)
    pixels[right] = (1 - _TINT) * pixels[right] + _TINT * 255
    drawn: NDArray[np.uint8] = np.round(pixels).astype(np.uint8)
    return drawn


def _as_colors(picture: Any) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.asarray(picture)
    return np.repeat(pixels[..., :1], 3, -1) if pixels.shape[-1] != 3 else pixels.copy()


def _small(picture: Any) -> tuple[NDArray[np.uint8], float]:
    """Return a picture of at most so many pixels a side, to draw on, and its scale."""
    pixels = _as_colors(picture)
    small = np.array(reduced(pixels, _SIDE))
    return small, small.shape[0] / pixels.shape[0]
