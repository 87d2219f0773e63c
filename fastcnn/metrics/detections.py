"""Boxes of a batch as metrics take them: rows of numbers, of unequal number an image."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError

#: The columns of objects and of detections; a row whose class is below 0 fills up a batch.
CLASS, KIND, SCORE, AREA = 4, 5, 5, 6


class BoxRows(NamedTuple):
    """The boxes of a batch, one image after the other.

    Attributes
    ----------
    rows : (K, C) float64 array
    images : (K,) int64 array
        Which image of the batch each is on.
    batch : int
        How many images there are.
    """

    rows: np.ndarray
    images: np.ndarray
    batch: int

    @property
    def classes(self) -> np.ndarray:
        """The classes of the boxes."""
        return self.rows[:, CLASS].astype(np.int64)


def rows_of(boxes: Any, columns: Sequence[int], who: str, what: str) -> BoxRows:
    """Return boxes as rows, without those that fill up a batch.

    Parameters
    ----------
    boxes : (B, K, C) array, or sequence of (K, C) arrays
        An image each.
    columns : sequence of int
        How many there may be; the last is how many there are then, missing ones being 0 and a missing area NaN.
    who, what : str
        For errors.

    Raises
    ------
    ArgumentError
        Other shapes; no numbers; a box or class that is not finite.
    """
    expected = f"{who}: expected {what} (B, K, {' or '.join(map(str, columns))}), or such an array for each image"
    if isinstance(boxes, np.ndarray) and boxes.dtype != object:
        if boxes.ndim != 3:
            raise ArgumentError(f"{expected}, got {boxes.shape}")
        images = np.repeat(np.arange(len(boxes)), boxes.shape[1])
        rows, count = boxes.reshape(-1, boxes.shape[2]), len(boxes)
    else:
        each = [np.asarray(one) for one in boxes]
        each = [one if one.size else np.zeros((0, columns[-1])) for one in each]
        for one in each:
            if one.ndim != 2 or one.shape[1] not in columns:
                raise ArgumentError(f"{expected}, got {one.shape}")
        widths = {one.shape[1] for one in each if len(one)}
        if len(widths) > 1:
            raise ArgumentError(f"{expected}, got some of {' and some of '.join(map(str, sorted(widths)))} columns")
        width, count = (*widths, columns[-1])[0], len(each)
        images = np.repeat(np.arange(count), [len(one) for one in each])
        rows = np.concatenate([np.zeros((0, width)), *(one for one in each if len(one))])
    if rows.shape[1] not in columns or rows.dtype.kind not in "buif":
        raise ArgumentError(f"{expected}, got {rows.dtype} with {rows.shape[1]} columns")
    rows = rows.astype(np.float64)
    real = ~(rows[:, CLASS] < 0)
    rows, images = rows[real], images[real]
    if not np.isfinite(rows[:, : CLASS + 1]).all():
        image = int(images[~np.isfinite(rows[:, : CLASS + 1]).all(axis=1)][0])
        raise ArgumentError(f"{who}: expected finite boxes and classes in {what}, got NaN or infinity in image {image} "
                            f"of the batch")
    if (rows[:, CLASS] != rows[:, CLASS].astype(np.int64)).any():
        raise ArgumentError(f"{who}: expected whole numbers of classes in column {CLASS} of {what}, got others")
    missing = columns[-1] - rows.shape[1]
    if missing:
        full = np.zeros((len(rows), columns[-1]))
        full[:, : rows.shape[1]] = rows
        if columns[-1] > AREA:
            full[:, AREA] = np.nan
        rows = full
    return BoxRows(rows, images, count)


def in_groups(objects: BoxRows, detections: BoxRows, most: int) -> "Groups":
    """Return objects and detections sorted by image and class, detections by falling score within them.

    Parameters
    ----------
    objects, detections : BoxRows
        A score that is NaN is the lowest.
    most : int
        Detections of an image and a class beyond so many are left out.
    """
    scores = np.where(np.isnan(detections.rows[:, SCORE]), -np.inf, detections.rows[:, SCORE])
    order = np.lexsort((-scores, detections.classes, detections.images))  # stable
    keys = [rows.images * _KEY + rows.classes for rows in (objects, detections)]
    object_order = np.argsort(keys[0], kind="stable")
    object_keys, found = keys[0][object_order], keys[1][order]
    starts = np.flatnonzero(np.diff(found, prepend=-1))
    lengths = np.diff(np.append(starts, len(found)))
    ranks = np.arange(len(found)) - np.repeat(starts, lengths)
    kept, lengths = order[ranks < most], np.minimum(lengths, most)
    ends = np.cumsum(lengths)
    groups = np.stack([ends - lengths, ends, np.searchsorted(object_keys, found[starts], "left"),
                       np.searchsorted(object_keys, found[starts], "right")], axis=1)
    return Groups(objects.rows[object_order], detections.rows[kept], scores[kept], ranks[ranks < most],
                  np.ascontiguousarray(groups, np.int64))


class Groups(NamedTuple):
    """What `in_groups` returns.

    Attributes
    ----------
    objects, detections : (G, 7) and (D, 6) float64 array
    scores : (D,) float64 array
    ranks : (D,) int64 array
        The place of each detection in its group, from 0.
    groups : (P, 4) int64 array
        Of each group with detections: the first detection and the one behind the last, the same of objects.
    """

    objects: np.ndarray
    detections: np.ndarray
    scores: np.ndarray
    ranks: np.ndarray
    groups: np.ndarray


_KEY = 1 << 32  # more than there are classes
