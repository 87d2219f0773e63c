"""Explanations as pictures: heat over a picture, signed gradients, and sheets of patches."""

from collections.abc import Sequence

import numpy as np

_SIDE = 192  # pixels that small pictures are enlarged to
_GAP = 4
_FRAME = 230, 159, 0
# From cold to warm, by the share of the largest heat: black-violet, red, orange, light yellow.
_COLORS = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], float)


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """Return any picture (H, W, C) as (H, W, 3) of 8 bits: its least value black, its largest white."""
    low, high = float(picture.min()), float(picture.max())
    shown = (picture - low) / (high - low) if high > low else np.full_like(picture, 0.5)
    if shown.shape[-1] != 3:
        shown = np.repeat(shown.mean(-1, keepdims=True), 3, -1)
    return (shown * 255 + 0.5).astype(np.uint8)


def with_heat(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) of 8 bits under the colours of its heat (H, W); cold parts stay grey."""
    warm = np.maximum(heat, 0)
    share = warm / warm.max() if warm.max() > 0 else warm
    at = share * (len(_COLORS) - 1)
    low = np.minimum(at.astype(int), len(_COLORS) - 2)
    colors = _COLORS[low] + (at - low)[..., None] * (_COLORS[low + 1] - _COLORS[low])
    grey = np.repeat(picture.mean(-1, keepdims=True), 3, -1)
    mixed = grey * (1 - 0.6 * share[..., None]) + colors * 0.6 * share[..., None]
    return (mixed + 0.5).astype(np.uint8)


def signed(gradient: np.ndarray) -> np.ndarray:
    """Return gradients (H, W, C) around middle grey, the outermost hundredth cut off."""
    most = float(np.quantile(np.abs(gradient), 0.99)) or 1.0
    shown = np.clip(gradient / most, -1, 1) / 2 + 0.5
    if shown.shape[-1] != 3:
        shown = np.repeat(shown.mean(-1, keepdims=True), 3, -1)
    return (shown * 255 + 0.5).astype(np.uint8)


def enlarged(picture: np.ndarray) -> np.ndarray:
    """Return a small picture by whole multiples of its pixels, so that a person sees them."""
    factor = max(1, _SIDE // max(picture.shape[:2]))
    return picture.repeat(factor, 0).repeat(factor, 1)


def framed(picture: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Return a small picture of 8 bits enlarged, with a frame around left, top, right and bottom in its pixels."""
    factor = max(1, _SIDE // max(picture.shape[:2]))
    whole = enlarged(picture).copy()
    left, top, right, bottom = (factor * one for one in box)
    line = max(1, max(whole.shape[:2]) // 96)
    inside = whole[top:bottom, left:right]
    seen = inside[line:-line, line:-line].copy()
    inside[...] = _FRAME
    inside[line:-line, line:-line] = seen
    return whole


def side_by_side(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures of 8 bits in a row, on white."""
    height = max(one.shape[0] for one in pictures)
    whole = np.full((height, sum(one.shape[1] + _GAP for one in pictures) - _GAP, 3), 255, np.uint8)
    left = 0
    for one in pictures:
        whole[: one.shape[0], left:left + one.shape[1]] = one
        left += one.shape[1] + _GAP
    return whole


def one_below_the_other(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures of 8 bits in a column, on white."""
    return side_by_side([one.transpose(1, 0, 2) for one in pictures]).transpose(1, 0, 2)


def sheet(pictures: Sequence[np.ndarray], columns: int = 3) -> np.ndarray:
    """Return pictures of 8 bits in rows, on white, each in the middle of its place."""
    height, width = (max(one.shape[axis] for one in pictures) for axis in (0, 1))
    rows = -(-len(pictures) // columns)
    whole = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for k, one in enumerate(pictures):
        top, left = (k // columns) * (height + _GAP), (k % columns) * (width + _GAP)
        top, left = top + (height - one.shape[0]) // 2, left + (width - one.shape[1]) // 2
        whole[top:top + one.shape[0], left:left + one.shape[1]] = one
    return whole
