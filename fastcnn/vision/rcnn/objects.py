"""The objects of an image, from targets as users give them: rows of boxes, or maps of instances."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.errors import DataError


class Objects(NamedTuple):
    """The objects of one image.

    Attributes
    ----------
    boxes : (M, 4) float array
    classes : (M,) int64 array
    crowds : (K, 4) float array
        Boxes of crowds, of which nothing is learned.
    numbers : (M,) int64 array
        Those of the map of instances that they come from; 0 of rows.
    """

    boxes: NDArray[Any]
    classes: NDArray[np.int64]
    crowds: NDArray[Any]
    numbers: NDArray[np.int64]


def objects_of(target: NDArray[Any], dtype: Any) -> Objects:
    """Return the objects of one image.

    Parameters
    ----------
    target : (M, 5 or more) array, or (H, W) or (H, W, 2) array of int
        Rows x1, y1, x2, y2, class [, kind], of a class below 0 to fill up, of kind 1 for a crowd; or a map: 0 for
        background, else the number of an instance, and its class in a second channel.
    dtype : dtype
    """
    if is_rows(target):
        real = target[target[:, 4] >= 0]
        crowd = real[:, 5] == 1 if real.shape[1] > 5 else np.zeros(len(real), bool)
        own = real[~crowd]
        own = own[(own[:, 2:4] > own[:, :2]).all(1)]
        return Objects(own[:, :4].astype(dtype), own[:, 4].astype(np.int64), real[crowd, :4].astype(dtype),
                       np.zeros(len(own), np.int64))
    instances = target if target.ndim == 2 else target[..., 0]
    rows, columns = np.nonzero(instances > 0)
    of = instances[rows, columns].astype(np.int64)
    order = np.argsort(of, kind="stable")
    numbers, begins = np.unique(of[order], return_index=True)
    if not len(numbers):
        return Objects(np.zeros((0, 4), dtype), np.zeros(0, np.int64), np.zeros((0, 4), dtype), numbers)
    rows, columns = rows[order], columns[order]
    boxes = np.stack([np.minimum.reduceat(columns, begins), np.minimum.reduceat(rows, begins),
                      np.maximum.reduceat(columns, begins) + 1, np.maximum.reduceat(rows, begins) + 1], 1)
    classes = np.zeros(len(numbers), np.int64) if target.ndim == 2 else target[rows[begins], columns[begins], 1].astype(
        np.int64)
    return Objects(boxes.astype(dtype), classes, np.zeros((0, 4), dtype), numbers)


def is_rows(target: NDArray[Any]) -> bool:
    """Return whether the target of an image is rows of boxes; else it is a map of instances."""
    return target.ndim == 2 and target.dtype.kind == "f"


def check_objects(y_true: Any, classes: int | None, who: str) -> None:
    """Raise DataError for objects that nothing can be learned of.

    Parameters
    ----------
    y_true : (N, M, 5 or more) array or RaggedRows of boxes, or (N, H, W) or (N, H, W, 2) array of int
    classes : int, optional
        How many there are; None if they do not matter.
    who : str
    """
    if getattr(y_true, "dtype", np.dtype("f4")).kind in "iu":
        if y_true.ndim not in (3, 4) or (y_true.ndim == 4 and y_true.shape[3] != 2):
            raise DataError(f"{who}: expected maps of instances (N, H, W), or (N, H, W, 2) with their classes, got "
                            f"{y_true.shape}")
        if classes is not None and y_true.ndim == 4 and y_true[..., 1].max(initial=0) >= classes:
            raise DataError(f"{who}: expected classes below {classes}, got {int(y_true[..., 1].max())}")
        return
    if y_true.ndim != 3 or y_true.shape[2] < 5:
        raise DataError(f"{who}: expected rows x1, y1, x2, y2, class of each image, (N, M, 5) or fc.data.RaggedRows, "
                        f"or maps of instances (N, H, W) of int, got {y_true.shape}")
    # Of ragged rows nothing is padded: one crowded image would make all of them long.
    rows = y_true.rows if isinstance(y_true, RaggedRows) else np.asarray(y_true).reshape(-1, y_true.shape[2])
    rows = rows[~(rows[:, 4] < 0)]
    if not np.isfinite(rows).all():
        raise DataError(f"{who}: expected finite boxes and classes, got NaN or infinity among them")
    if classes is not None and len(rows) and not (rows[:, 4] < classes).all():
        raise DataError(f"{who}: expected classes below {classes}, got {rows[:, 4].max():g}")
    if len(rows) and (rows[:, 2:4] <= rows[:, :2]).any():
        raise DataError(f"{who}: expected boxes with an area, corners x1, y1, x2, y2, got one without")
