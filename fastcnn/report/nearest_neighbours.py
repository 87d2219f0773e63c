"""Whether a picture's nearest other one shows the same person or character, and the two side by side."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError

_AT_A_TIME = 512  # rows of distances
_GAP = 4  # pixels between two pictures


class NearestPictures(NamedTuple):
    """Pictures by how far they are from being recognized, those that are not at all first.

    Attributes
    ----------
    pictures : (N,) array of int
        Those of somebody of whom there is another picture.
    nearest : (N,) array of int
        The nearest other picture of each.
    is_wrong : (N,) array of bool
        Whether that shows somebody else.
    margins : (N,) array
        The squared distance to the nearest of the same less that to the nearest of somebody else; falling.

    Examples
    --------
    >>> fc.report.nearest_pictures(np.array([[0.0], [0.1], [1.0], [0.3]]), [0, 0, 1, 1]).is_wrong.tolist()
    [True, False, False, False]
    """

    pictures: NDArray[np.int64]
    nearest: NDArray[np.int64]
    is_wrong: NDArray[np.bool_]
    margins: NDArray[np.float64]


def nearest_pictures(embeddings: Any, labels: Any) -> NearestPictures:
    """Return of each picture the nearest other one, the worst first.

    Parameters
    ----------
    embeddings : (N, K) array
    labels : (N,) array
        Who is on each.

    Raises
    ------
    ArgumentError
        If there are not as many labels as embeddings, or they are all of one.

    Examples
    --------
    >>> found = fc.report.nearest_pictures(np.array([[0.0], [0.1], [1.0], [1.2]]), [0, 0, 1, 1])
    >>> found.nearest[np.argsort(found.pictures)].tolist(), found.is_wrong.tolist()
    ([1, 0, 3, 2], [False, False, False, False])
    """
    e, who = np.asarray(embeddings, np.float64), np.asarray(labels)
    if e.ndim != 2 or who.shape != e.shape[:1] or len(np.unique(who)) < 2:
        raise ArgumentError(f"nearest_pictures: expected embeddings (N, K) and N labels of two or more, got {e.shape} "
                            f"and {who.shape}")
    squares = (e * e).sum(axis=1)
    of_same, of_others, nearest = (np.empty(len(e)) for _ in range(3))
    for begin in range(0, len(e), _AT_A_TIME):
        rows = np.arange(begin, min(begin + _AT_A_TIME, len(e)))
        distances = np.maximum(squares[rows, None] + squares - 2 * e[rows] @ e.T, 0)
        distances[np.arange(len(rows)), rows] = np.inf
        same = who[rows, None] == who
        of_same[rows] = np.where(same, distances, np.inf).min(axis=1)
        of_others[rows] = np.where(same, np.inf, distances).min(axis=1)
        nearest[rows] = distances.argmin(axis=1)
    pictures = np.flatnonzero(np.isfinite(of_same))
    margins = of_same[pictures] - of_others[pictures]
    order = np.argsort(-margins, kind="stable")
    pictures, close = pictures[order], nearest.astype(np.int64)[pictures[order]]
    return NearestPictures(pictures, close, who[close] != who[pictures], margins[order])


def side_by_side(first: Any, second: Any) -> NDArray[np.uint8]:
    """Return two pictures (H, W, C) of 8 bits as one, on white.

    Parameters
    ----------
    first, second : (H, W, C) arrays of uint8

    Examples
    --------
    >>> fc.report.side_by_side(np.zeros((8, 8, 1), "uint8"), np.zeros((6, 4, 1), "uint8")).shape
    (8, 16, 3)
    """
    pictures = [np.repeat(np.asarray(one)[..., :1], 3, -1) if np.asarray(one).shape[-1] != 3 else np.asarray(one)
                for one in (first, second)]
    height, left = max(len(one) for one in pictures), pictures[0].shape[1]
    whole = np.full((height, left + _GAP + pictures[1].shape[1], 3), 255, np.uint8)
    whole[: len(pictures[0]), :left] = pictures[0]
    whole[: len(pictures[1]), left + _GAP :] = pictures[1]
    return whole
