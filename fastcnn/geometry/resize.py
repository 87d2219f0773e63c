"""Shape arithmetic of padding and of resizing: borders by mode, and which pixels an output is a mixture of.

Along one dimension a resized output is ``y[o] = sum_t weight[o, t] x[first[o] + t]``, t in 0..count[o] - 1: a band of a
matrix. Its gradient is the transposed band, which is another such table; so one kernel makes both. The weights of
interpolations stand in `fastcnn.geometry.interpolation`.
"""

import functools
from typing import NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError, unknown

#: How a border is filled: zeros, the nearest pixel, the image mirrored about its edge pixels (which are not repeated),
#: the image over again. By name, in the order of their codes.
PAD_MODES = ("zero", "edge", "reflect", "wrap")
PAD_ZERO, PAD_EDGE, PAD_REFLECT, PAD_WRAP = range(4)

#: A batch of n volumes d x h x w x c in one of od x oh x ow, with `front`, `top`, `left` before it (negative: cut off);
#: `value` is what a border has that is no copy, zero as a rule.
PAD3D = np.dtype([(name, np.int64) for name in ("n", "d", "h", "w", "c", "od", "oh", "ow", "front", "top", "left",
                                                "mode")] + [("value", np.float64)])


@functools.lru_cache(maxsize=1024)
def pad3d(shape: tuple[int, int, int, int, int], padding: tuple[tuple[int, int], ...], mode: str = "zero",
          who: str = "pad3d", value: float = 0.0) -> np.ndarray:
    """Return the geometry of a border around `shape` (N, D, H, W, C).

    Parameters
    ----------
    shape : (int, int, int, int, int)
    padding : ((front, back), (top, bottom), (left, right))
        Negative numbers cut off.
    mode : str
        One of PAD_MODES.
    who : str
        The layer, for the error.
    value : float
        What a border has in place of zeros, in mode "zero".

    Raises
    ------
    ArgumentError
        If nothing is left, or a mirrored border is as wide as the image.
    """
    if mode not in PAD_MODES:
        raise ArgumentError(unknown(f"{who}: mode", mode, PAD_MODES))
    sizes = shape[1:4]
    out = [length + before + after for length, (before, after) in zip(sizes, padding, strict=True)]
    if min(out) < 1:
        raise ArgumentError(f"{who}: expected something to be left of {sizes}, got padding {padding}")
    for length, sides in zip(sizes, padding, strict=True):
        if mode == "reflect" and max(sides) >= length:
            raise ArgumentError(f"{who}: expected a mirrored border smaller than the image, got {sides} beside "
                                f'{length} pixels; use mode="edge" or a smaller border')
    return np.array([(*shape, *out, *(before for before, _ in padding), PAD_MODES.index(mode), value)], PAD3D)


class Taps(NamedTuple):
    """Which pixels each output is a mixture of, along one dimension.

    Attributes
    ----------
    places : (outputs, 2) int64 array
        The first pixel and how many there are.
    weights : (outputs, most) array
    """

    places: np.ndarray
    weights: np.ndarray


def banded(outputs: int, length: int, at: np.ndarray, of: np.ndarray, weights: np.ndarray,
           dtype: str) -> tuple[Taps, Taps]:
    """Return the taps of a sum of weights times pixels, and those of its gradient.

    Parameters
    ----------
    outputs, length : int
    at, of, weights : (terms,) arrays
        The output, the pixel and the weight of each term; terms of one output and pixel are added.
    dtype : str
    """
    some = weights != 0
    at, of, weights = at[some], of[some], weights[some]
    return _band(outputs, at, of, weights, dtype), _band(length, of, at, weights, dtype)


def _band(count: int, at: np.ndarray, of: np.ndarray, weights: np.ndarray, dtype: str) -> Taps:
    """Return `count` rows, each from the first to the last pixel that has a weight in it."""
    first, end = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    np.minimum.at(first, at, of)
    np.maximum.at(end, at, of + 1)
    first = np.minimum(first, end)
    band = np.zeros((count, max(1, (end - first).max(initial=0))))
    np.add.at(band, (at, of - first[at]), weights)
    return Taps(np.stack([first, end - first], axis=1), np.ascontiguousarray(band, dtype))


def adaptive_windows(length: int, outputs: int) -> list[tuple[int, int]]:
    """Return where the window of each output of an adaptive pooling begins and has ended, in pixels."""
    return [(o * length // outputs, -(-(o + 1) * length // outputs)) for o in range(outputs)]


@functools.lru_cache(maxsize=256)
def adaptive_taps(length: int, outputs: int, dtype: str) -> tuple[Taps, Taps]:
    """Return the taps of the mean over the windows of an adaptive pooling, and those of its gradient."""
    windows = adaptive_windows(length, outputs)
    sizes = np.array([end - begin for begin, end in windows])
    of = np.concatenate([np.arange(begin, end) for begin, end in windows])
    return banded(outputs, length, np.repeat(np.arange(outputs), sizes), of, np.repeat(1 / sizes, sizes), dtype)
