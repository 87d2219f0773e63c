"""Boxes and points of pictures, where changes of the pictures take them: of unequal number an image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import DataError
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.patch import Mixture


def moved_rows(each: Sequence[np.ndarray], kind: str, changes: Sequence[Change], least_share: float,
               kept: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
    """Return rows of numbers, (K, C) for each image, whose boxes or points are where the changes take them.

    Boxes are cut off at the border. Those of which less than a share of the area is left are left out.

    Parameters
    ----------
    each : sequence of (K, C) arrays
    kind : {"boxes", "points", "numbers"}
        As that of `RaggedRows`.
    changes : sequence of Change
    least_share : float
    kept : sequence of (K,) arrays, optional
        Which share of the area of each box is left already.

    Raises
    ------
    DataError
        Changes that mix images, whose boxes or points would be those of both.
    """
    if kind == "numbers" or (not changes and kept is None):
        return list(each)
    if any(isinstance(change, Mixture) for change in changes):
        raise DataError(f"Pipeline: expected no mixing of images where there are {kind}, which would be those of both; "
                        f"leave MixUp and CutMix out")
    if kind == "points":
        places = [rows[:, :2].astype(np.float64) for rows in each]
        for change in changes:
            places = change.points(places)
        return [_with(rows, some) for rows, some in zip(each, places, strict=True)]
    boxes = [rows[:, :4].astype(np.float64) for rows in each]
    shares: list[Any] = [1.0] * len(boxes) if kept is None else list(kept)
    for change in changes:
        shares = [share * left for share, left in zip(shares, change.shares_left(boxes), strict=True)]
        boxes = change.boxes(boxes)
    moved = []
    for rows, some, share in zip(each, boxes, shares, strict=True):
        exact = some.astype(np.float32)
        stays = (share >= least_share) & (exact[:, 2:] > exact[:, :2]).all(axis=1)
        moved.append(_with(rows[stays], some[stays]))
    return moved


def _with(rows: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return rows with other numbers in the first columns."""
    found = rows.copy()
    found[:, : first.shape[1]] = first
    return found
