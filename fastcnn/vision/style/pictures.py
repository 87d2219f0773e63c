"""Pictures as style transfer takes them: (H, W, 3) from 0 to 1, of a size that the network sees to its border."""

import os
from typing import Any

import numpy as np

from fastcnn.datasets.rgb import read_rgb
from fastcnn.errors import ArgumentError
from fastcnn.models.network import Network
from fastcnn.ops import image as images
from fastcnn.vision.seen_by_units import receptive_fields

_FURTHEST = 64  # rows that may be missing to the next size that fits


def as_picture(given: Any, who: str) -> np.ndarray:
    """Return (H, W, 3) float32 from 0 to 1 of a file, or of an array of 8 bits or from 0 to 1.

    Raises
    ------
    ArgumentError
        If an array is no picture.
    DataError
        If a file is none.
    """
    if isinstance(given, (str, os.PathLike)):
        return read_rgb(given).astype(np.float32) / 255
    array = np.asarray(given)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3) or min(array.shape) < 1 or array.dtype.kind not in "uf":
        raise ArgumentError(f"{who}: expected a picture (H, W, 3) of uint8 or of floats from 0 to 1, got "
                            f"{array.dtype} of shape {array.shape}")
    if array.dtype.kind == "u":
        array = array.astype(np.float32) / np.iinfo(array.dtype).max
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):  # NaN too
        raise ArgumentError(f"{who}: expected floats from 0 to 1, got {low:g} to {high:g}; divide 8 bits by 255")
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)), np.float32)


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a picture in another size, by a cubic that looks at all pixels where it becomes smaller."""
    if picture.shape[:2] == (height, width):
        return picture
    return np.clip(np.asarray(images.resize(picture[None], (height, width), "bicubic", antialias=True))[0], 0, 1)


def of_longest_side(picture: np.ndarray, size: int) -> tuple[int, int]:
    """Return height and width of a picture whose longer side becomes `size`."""
    height, width = picture.shape[:2]
    return max(1, round(height * size / max(height, width))), max(1, round(width * size / max(height, width)))


def missing_rows(model: Network, layers: list[str], height: int, width: int) -> tuple[int, int]:
    """Return how many rows and columns a picture lacks so that the layers see all of it.

    Windows without padding that step by two and more may leave out what is last. Nothing would draw there.
    """
    lacking = [0, 0]
    for axis in (0, 1):
        length = (height, width)[axis]
        while lacking[axis] < _FURTHEST:
            size = [height, width]
            size[axis] += lacking[axis]
            there = model.for_shape((None, *size, 3))
            if all(int(receptive_fields(there, name)[axis][1].max()) >= length for name in layers):
                break
            lacking[axis] += 1
        else:
            lacking[axis] = 0  # a network that cuts off its border by design
    return lacking[0], lacking[1]


def bordered(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return a picture with its last rows and columns mirrored beyond its end."""
    return np.pad(picture, ((0, rows), (0, columns), (0, 0)), "symmetric") if rows or columns else picture
