"""Pictures of any size as a detector takes them: in the middle of one size, their own shape kept."""

import os
from typing import Any

import numpy as np

from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.datasets import BoxedImages
from fastcnn.errors import ArgumentError
from fastcnn.geometry.letterbox import Letterbox
from fastcnn.ops import image as images

_BORDER = 114  # grey, as in YOLO v5


def letterboxed(part: BoxedImages, size: tuple[int, int]) -> tuple[np.ndarray, RaggedRows]:
    """Return the pictures of a data set in one size, uint8 (N, H, W, C), and their boxes there, as `fit` takes them.

    Parameters
    ----------
    part : BoxedImages
        ``fc.datasets.load("bccd").train``, say.
    size : (int, int)
        Height and width.

    Returns
    -------
    (N, H, W, C) uint8 array
    fastcnn.data.RaggedRows
        Rows x1, y1, x2, y2, class, kind.

    Raises
    ------
    ArgumentError
        If there is no picture, or their channels differ.

    Examples
    --------
    >>> pictures = fc.datasets.BoxedImages([np.zeros((40, 80, 3), "uint8")], [[10, 10, 30, 30]], [0, 1], [0],
    ...                                    names=("cat",), files=("a.png",), sizes=[[40, 80]])
    >>> x, rows = fc.vision.detection.letterboxed(pictures, (64, 64))
    >>> x.shape, rows[0].tolist()
    ((1, 64, 64, 3), [[8.0, 24.0, 24.0, 40.0, 0.0, 0.0]])
    """
    if not isinstance(part, BoxedImages):
        raise ArgumentError(f"letterboxed: expected BoxedImages, a part of a data set of boxes, got "
                            f"{type(part).__name__}")
    if not len(part):
        raise ArgumentError("letterboxed: expected at least one picture, got none")
    rows = part.targets()
    moved = rows.rows.copy()
    first = fitted(part.images[0], size)[0]
    x = np.empty((len(part), *first.shape), np.uint8)
    for k in range(len(part)):
        one, place = fitted(part.images[k], size)
        if one.shape != first.shape:
            raise ArgumentError(f"letterboxed: expected pictures of {first.shape[2]} channels, got {one.shape[2]} in "
                                f"{part.files[k]}")
        x[k] = one
        some = part.slice_of(k)
        moved[some, :4] = place.apply(moved[some, :4])
    return x, RaggedRows(moved, rows.offsets, "boxes")


def fitted(picture: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, Letterbox]:
    """Return a picture of 8 bits in the middle of one of another size, and where it lies.

    Parameters
    ----------
    picture : (h, w, C) uint8 array
    size : (int, int)
    """
    place = Letterbox((picture.shape[0], picture.shape[1]), size)
    whole = np.full((*place.size, picture.shape[2]), _BORDER, np.uint8)
    inside = picture
    if place.new_size != place.image_size:
        small = np.asarray(images.resize(picture.astype(np.float32)[None], place.new_size, antialias=True))[0]
        inside = np.clip(small + 0.5, 0, 255).astype(np.uint8)
    whole[place.top : place.top + place.new_size[0], place.left : place.left + place.new_size[1]] = inside
    return whole, place


def picture_of(given: Any, channels: int, who: str) -> np.ndarray:
    """Return a picture (h, w, channels) of 8 bits of a file or an array of 8 bits.

    Raises
    ------
    ArgumentError
        If an array is no such picture.
    DataError
        If a file is none.
    """
    if isinstance(given, (str, os.PathLike)):
        from fastcnn.datasets.rgb import read_rgb

        given = read_rgb(given)
        given = given if channels == 3 else given.mean(-1, keepdims=True).astype(np.uint8)
    picture = np.asarray(given)
    picture = picture[..., None] if picture.ndim == 2 else picture
    if picture.ndim != 3 or picture.dtype != np.uint8 or picture.shape[2] not in (1, channels) or not picture.size:
        raise ArgumentError(f"{who}: expected a picture (H, W, {channels}) of uint8, 0 to 255, or a file's path, got "
                            f"{picture.dtype} {picture.shape}")
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], channels)))
