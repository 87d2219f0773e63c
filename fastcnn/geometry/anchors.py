"""Anchors: boxes that a network begins with, and where they come from.

Of a data set, by k-means on the sides of its boxes with the distance 1 - IoU, in which two boxes lie on one another's
corner (Redmon and Farhadi, "YOLO9000", 2017, section 2); of a grid, one of each size and shape about the middle of each
cell (Ren et al., "Faster R-CNN", 2015, section 3.1).
"""

from collections.abc import Sequence

import numpy as np

from fastcnn.errors import ArgumentError

_STARTS, _ROUNDS = 10, 300


def side_overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the IoU of boxes by their sides alone, (A, 2) and (B, 2), as if corners lay on one another: (A, B)."""
    common = np.minimum(a[:, None], b[None]).prod(-1)
    overlaps: np.ndarray = common / (a.prod(-1)[:, None] + b.prod(-1)[None] - common)
    return overlaps


def kmeans_anchors(sides: np.ndarray, count: int, seed: int = 0) -> tuple[np.ndarray, float]:
    """Return the sides of `count` anchors, the smallest area first, and the mean IoU of a box with its best anchor.

    The same seed gives the same anchors. The first is drawn, each next one is drawn by the distance to those there are
    (Arthur and Vassilvitskii, "k-means++", 2007); a group becomes the mean of its sides until nothing changes. The best
    of ten starts is returned.

    Parameters
    ----------
    sides : (N, 2) array
        Width and height of each box of the data.
    count : int
    seed : int

    Raises
    ------
    ArgumentError
        If a side is not a positive number, or fewer different boxes are there than anchors.
    """
    sides = np.asarray(sides, np.float64)
    if sides.ndim != 2 or sides.shape[1] != 2 or not ((sides > 0) & np.isfinite(sides)).all():
        raise ArgumentError(f"anchors: expected widths and heights (N, 2) above 0, got {sides.shape}; leave out boxes "
                            f"without area")
    kinds = len(np.unique(sides, axis=0))
    if not 1 <= count <= kinds:
        raise ArgumentError(f"anchors: expected 1 to {kinds} anchors, as many as there are different boxes, "
                            f"got {count}")
    draw = np.random.default_rng(seed)
    found = [_grouped(sides, count, draw) for _ in range(_STARTS)]
    means = [float(side_overlaps(sides, anchors).max(1).mean()) for anchors in found]
    anchors = found[means.index(max(means))]
    anchors = anchors[np.lexsort((anchors[:, 0], anchors.prod(1)))]
    return anchors.astype(np.float32), max(means)


def _grouped(sides: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Return the anchors that one start leads to."""
    anchors = sides[draw.integers(len(sides))][None]
    while len(anchors) < count:
        far = 1 - side_overlaps(sides, anchors).max(1)
        far = np.where(far > 1e-12, far, 0)
        anchors = np.concatenate([anchors, sides[draw.choice(len(sides), p=far / far.sum())][None]])
    group = np.full(len(sides), -1)
    for _ in range(_ROUNDS):
        nearest = side_overlaps(sides, anchors).argmax(1)
        if (nearest == group).all():
            break
        group = nearest
        members = np.bincount(group, minlength=count)
        sums = np.stack([np.bincount(group, sides[:, k], count) for k in range(2)], 1)
        anchors = np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], anchors)
    found: np.ndarray = anchors
    return found


def grid_anchors(grid: tuple[int, int], stride: float, sides: np.ndarray) -> np.ndarray:
    """Return anchors about the middle of each cell, row by row: (rows * columns * A, 4) corners.

    Parameters
    ----------
    grid : (int, int)
        Rows and columns.
    stride : float
        Pixels a cell.
    sides : (A, 2) array
        Width and height of each anchor.
    """
    rows, columns = grid
    sides = np.asarray(sides, np.float64)
    y, x = np.meshgrid(*((np.arange(n) + 0.5) * stride for n in (rows, columns)), indexing="ij")
    middles = np.stack([x, y], -1)[:, :, None]
    return np.concatenate([middles - sides / 2, middles + sides / 2], -1).reshape(-1, 4).astype(np.float32)


def shaped_sides(sizes: Sequence[float], ratios: Sequence[float] = (0.5, 1.0, 2.0)) -> np.ndarray:
    """Return the sides of anchors of each size (the root of the area) and each ratio of height to width: (A, 2)."""
    return np.array([(size / ratio ** 0.5, size * ratio ** 0.5) for size in sizes for ratio in ratios])
