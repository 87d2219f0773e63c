"""Embeddings of pictures, and how far they are from one another."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import positive
from fastcnn.models import Model
from fastcnn.ops import image as images
from fastcnn.vision.detection.letterboxing import picture_of

_TOGETHER = 256  # pictures that are resized at once


def squared_distances(a: Any, b: Any) -> np.ndarray:
    """Return the squared distances (N, M) of embeddings (N, C) and (M, C), in float64.

        |a - b|^2, the difference first, so that equal ones have the distance 0

    Parameters
    ----------
    a, b : array

    Examples
    --------
    >>> fc.vision.identity.squared_distances([[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]])
    array([[25.,  0.]])
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ArgumentError(f"squared_distances: expected embeddings (N, C) and (M, C), got {a.shape} and {b.shape}")
    return np.stack([((one - b) ** 2).sum(1) for one in a]) if len(a) else np.zeros((0, len(b)))


def named_right(queries: np.ndarray, examples: np.ndarray, answers: np.ndarray) -> float:
    """Return the share of embeddings (Q, C) whose nearest of some examples (K, C) is the right one."""
    return float((squared_distances(queries, examples).argmin(1) == answers).mean())


def require_embeddings(model: Any, who: str) -> None:
    """Raise unless a model gives embeddings.

    Raises
    ------
    ArgumentError
    """
    if not isinstance(model, Model) or len(model.output_shapes) != 1 or len(model.output_shape) != 2:
        got = f"{model} with output {model.output_shape}" if isinstance(model, Model) else repr(model)
        raise ArgumentError(f"{who}: expected a model from pictures to embeddings (N, C), got {got}")


def embedded(model: Model, pictures: Any) -> np.ndarray:
    """Return what a model makes of pictures that are as it takes them, in float64.

    Parameters
    ----------
    model : Model
    pictures : (N, H, W, C) or (H, W, C) array

    Raises
    ------
    DataError
        If they are not finite.
    """
    x = np.asarray(pictures)
    x = x[None] if x.ndim == 3 else x
    embeddings = np.asarray(model.predict(x, verbose=0), np.float64)
    if not np.isfinite(embeddings).all():
        raise DataError(f"{model}: expected finite embeddings, got NaN or infinity; train it with a lower rate")
    return embeddings


def in_one_size(pictures: Any, shape: Sequence[Any], who: str) -> np.ndarray:
    """Return pictures of any sizes in one, uint8: the middle of each, as wide for its height, made smaller or larger.

    Parameters
    ----------
    pictures : (N, H, W, C) or (H, W, C) uint8 array, path, or sequence of arrays (H, W, C) and paths
    shape : (int, int, int)
        Height, width and channels.
    who : str
        For errors.

    Returns
    -------
    (N, *shape) array
    """
    height, width, channels = positive(who, height=shape[0], width=shape[1], channels=shape[2])
    if isinstance(pictures, np.ndarray) and pictures.ndim == 4 and pictures.dtype == np.uint8 and (
            pictures.shape[3] == channels and pictures.size):
        some = [_resized(pictures[k : k + _TOGETHER], (height, width)) for k in range(0, len(pictures), _TOGETHER)]
        return np.concatenate(some)
    several = isinstance(pictures, Sequence) and not isinstance(pictures, str)
    given = pictures if several or (isinstance(pictures, np.ndarray) and pictures.ndim == 4) else [pictures]
    x = np.empty((len(given), height, width, channels), np.uint8)
    for k in range(len(given)):
        x[k] = _resized(picture_of(given[k], channels, who)[None], (height, width))[0]
    return x


def _resized(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the middle of pictures (N, H, W, C) of one size in another."""
    height, width = x.shape[1:3]
    if (height, width) == size:
        return x
    # The largest part of the other form: in integers, at least one pixel.
    rows = min(height, max(1, width * size[0] // size[1]))
    columns = min(width, max(1, height * size[1] // size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = x[:, top : top + rows, left : left + columns].astype(np.float32)
    return np.clip(np.asarray(images.resize(middle, size, antialias=True)) + 0.5, 0, 255).astype(np.uint8)
