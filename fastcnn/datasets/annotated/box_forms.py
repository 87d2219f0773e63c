"""The ways in which four numbers tell a box, and which of them a file of numbers seems to mean."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Form = Literal["corners", "sizes", "centres", "shares of corners", "shares of centres"]

_WORDS: dict[Form, str] = {
    "corners": "corners x1, y1, x2, y2 in pixels", "sizes": "left, top, width and height in pixels",
    "centres": "centre, width and height in pixels", "shares of corners": "corners as shares of the picture",
    "shares of centres": "centre, width and height as shares of the picture"}
_SLACK = 0.02  # of a side that a box may stick out and still be meant so
_FEW, _MOST = 0.5, 0.9


def to_corners(values: NDArray[np.float64], sizes: NDArray[np.int64], form: Form) -> NDArray[np.float64]:
    """Return boxes (K, 4) as corners in pixels.

    Parameters
    ----------
    values : (K, 4) array
    sizes : (K, 2) array
        Height and width of each box's picture.
    form : str
    """
    scales = sizes[:, [1, 0, 1, 0]] if form.startswith("shares") else 1.0
    if form.endswith("corners"):
        return values * scales
    start, side = values[:, :2], values[:, 2:]
    if form.endswith("centres"):
        start = start - side / 2
    return np.hstack([start, start + side]) * scales


def mistaken(values: NDArray[np.float64], sizes: NDArray[np.int64], form: Form) -> str | None:
    """Return a question if most boxes are none in this form, and nearly all are in another; None otherwise.

    Parameters
    ----------
    values, sizes, form : as in `to_corners`
    """
    if not len(values) or _possible(values, sizes, form) >= _FEW:
        return _small(values, sizes, form)
    known = [other for other in _WORDS if other != form and (other.startswith("shares") or (values > 1).any())]
    shares: dict[Form, float] = {other: _possible(values, sizes, other) for other in known}
    best = max(shares, key=lambda other: shares[other])
    if shares[best] < _MOST:
        return None
    if form == "shares of centres" and (values > 1).any():
        said = "values above 1"
    else:
        lost = 1 - _possible(values, sizes, form)
        said = "all values below 1" if (values <= 1).all() else f"{lost:.0%} of the boxes with corners that cannot be"
    return f"expected {_WORDS[form]}, got {said}: are these {_WORDS[best]}?"


def _small(values: NDArray[np.float64], sizes: NDArray[np.int64], form: Form) -> str | None:
    """Return the question where boxes in pixels are all within the first one."""
    if not len(values) or form.startswith("shares") or (values > 1).any() or (sizes <= 1).any():
        return None
    return f"expected {_WORDS[form]}, got all values below 1: are these shares?"


def _possible(values: NDArray[np.float64], sizes: NDArray[np.int64], form: Form) -> float:
    """Return which share of boxes have an area and lie within their pictures, but for some slack."""
    corners, limits = to_corners(values, sizes, form), sizes[:, [1, 0]]
    slack = _SLACK * limits
    within = (corners[:, :2] >= -slack).all(axis=1) & (corners[:, 2:] <= limits + slack).all(axis=1)
    return float((within & (corners[:, 2:] > corners[:, :2]).all(axis=1)).mean())


def faults_of(corners: NDArray[np.float64], size: tuple[int, int]) -> list[str | None]:
    """Return what is wrong with boxes (K, 4) of a picture, None for those that are sound.

    Parameters
    ----------
    corners : (K, 4) array
        NaN for those of which something is wrong already.
    size : (int, int)
        Height and width.
    """
    found = list[str | None]()
    height, width = size
    for x1, y1, x2, y2 in corners.tolist():
        said: Callable[[str], str] = lambda what, box=(x1, y1, x2, y2): (  # type: ignore[misc]
            f"{what}: {', '.join(f'{value:g}' for value in box)}")
        if x2 < x1 or y2 < y1:
            found.append(said("has its corners swapped"))
        elif x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            found.append(said(f"lies outside the picture of {width}x{height}"))
        elif x2 == x1 or y2 == y1:
            found.append(said("has no area"))
        elif x1 < 0 or y1 < 0 or x2 > width or y2 > height:
            found.append(said(f"reaches out of the picture of {width}x{height}"))
        else:
            found.append(None)
    return found


def settled(corners: NDArray[np.float64], size: tuple[int, int], form: Form) -> NDArray[np.float64]:
    """Return boxes whose edges are those of the picture where they differ by rounding alone.

    Shares are written with some digits, so that an edge of the picture may come out a little beyond it.
    """
    if not form.startswith("shares"):
        return corners
    limits = np.array([size[1], size[0], size[1], size[0]], np.float64)
    near = np.maximum(0.02, 2e-6 * limits)
    corners = np.where((corners < 0) & (corners > -near), 0.0, corners)
    corners = np.where((corners > limits) & (corners < limits + near), limits, corners)
    corners = np.where(np.abs(corners) < 1e-12 * limits, 0.0, corners)
    settled_: NDArray[np.float64] = np.where(np.abs(corners - limits) < 1e-12 * limits, limits, corners)
    return settled_
