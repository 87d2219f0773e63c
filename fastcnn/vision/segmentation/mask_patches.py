"""Pictures with masks as arrays to learn from: patches of one size, with the weights of their pixels."""

from typing import NamedTuple

import numpy as np

from fastcnn.datasets import MaskedImages
from fastcnn.errors import DataError
from fastcnn.vision.segmentation.pixel_targets import pixel_shares
from fastcnn.vision.segmentation.scaling import scaled
from fastcnn.vision.segmentation.weighting import border_weights


class Patches(NamedTuple):
    """What a segmentation learns from.

    Attributes
    ----------
    x : (M, side, side, C) float32 array
        Scaled pictures.
    y : (M, side, side, 3) float32 array of shares, or (M, side, side) int32 array of classes
    weights : (M, side, side) float32 array, or None
        None where all pixels count alike.
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None


def patches(part: MaskedImages, side: int, percentiles: tuple[float, float] | None = (1.0, 99.8), *, w0: float = 0.0,
            sigma: float = 5.0) -> Patches:
    """Return pictures and what is learned of them in squares: they may be of any sizes.

    A picture that is larger than a square becomes several, which overlap where it does not divide; one that is smaller
    gets a border of weight 0. Pixels that nobody knows, below 0 in the mask, weigh nothing either.

    Parameters
    ----------
    part : MaskedImages
        Masks of objects are learned as `pixel_shares`, those of classes as classes.
    side : int
    percentiles : (float, float), optional
        As of `Segmenter`.
    w0, sigma : float
        As of `border_weights`, for masks of objects; with 0 pixels between them weigh no more than others.

    Raises
    ------
    DataError
        If there is no picture, or a mask is of another size than its picture.

    Examples
    --------
    >>> part = fc.datasets.MaskedImages([np.zeros((40, 70, 1), "uint8")], [np.zeros((40, 70), "int32")], ("a.png",),
    ...                                 np.array([[40, 70]]))
    >>> found = fc.vision.segmentation.patches(part, 48)
    >>> found.x.shape, found.y.shape, found.weights.mean().round(3)
    ((2, 48, 48, 1), (2, 48, 48, 3), np.float32(0.833))
    """
    if not len(part):
        raise DataError("patches: expected at least one picture with its mask, got none")
    xs, ys, ws = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    for one in part:
        mask = np.asarray(one.mask)
        if mask.shape != one.image.shape[:2]:
            raise DataError(f"patches: expected masks of the size of their pictures, got {mask.shape} for "
                            f"{one.image.shape[:2]} in {one.file}")
        x = scaled(one.image, percentiles)
        y = pixel_shares(mask) if part.kind == "instances" else np.maximum(mask, 0).astype(np.int32)
        w = border_weights(mask, w0=w0, sigma=sigma) if w0 and part.kind == "instances" else (
            mask >= 0).astype(np.float32)
        for row in _starts(x.shape[0], side):
            for column in _starts(x.shape[1], side):
                for found, whole in ((xs, x), (ys, y), (ws, w)):
                    found.append(_square(whole[row:row + side, column:column + side], side))
    targets, weights = np.stack(ys), np.stack(ws)
    if part.kind == "instances":
        targets[..., 0] += 1 - targets.sum(-1)  # a border is background
    return Patches(np.stack(xs), targets, None if (weights == 1).all() else weights)


def _starts(length: int, side: int) -> list[int]:
    """Return where squares begin, as evenly as can be."""
    count = -(-length // side)
    return [0] if count == 1 else [k * (length - side) // (count - 1) for k in range(count)]


def _square(a: np.ndarray, side: int) -> np.ndarray:
    rows, columns = a.shape[:2]
    if rows == side and columns == side:
        return a
    return np.pad(a, ((0, side - rows), (0, side - columns), *((0, 0),) * (a.ndim - 2)))
