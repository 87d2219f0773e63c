"""Shape arithmetic of padding and of resizing: borders by mode, and which pixels an output is a mixture of.

Along one dimension a resized output is ``y[o] = sum_t weight[o, t] x[first[o] + t]``, t in 0..count[o] - 1: a band of a
matrix. Its gradient is the transposed band, which is another such table; so one kernel makes both. Half-pixel centres
(the coordinate ``half_pixel`` of ONNX's Resize; Keras, TensorFlow 2, PyTorch with ``align_corners=False``) lay output o
on the input's axis at ``(o + 1/2) length / outputs - 1/2``; what lies outside is the border's pixel::

    2 pixels to 4, linear      x   |     0     |     1     |         y0 = x0              y2 = 1/4 x0 + 3/4 x1
                               y   |  0  |  1  |  2  |  3  |         y1 = 3/4 x0 + 1/4 x1          y3 = x1
"""

import functools
from typing import NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError, unknown

#: How a border is filled: zeros, the nearest pixel, the image mirrored about its edge pixels (which are not repeated),
#: the image over again. By name, in the order of their codes.
PAD_MODES = ("zero", "edge", "reflect", "wrap")
PAD_ZERO, PAD_EDGE, PAD_REFLECT, PAD_WRAP = range(4)

#: A batch of n volumes d x h x w x c in one of od x oh x ow, with `front`, `top`, `left` before it (negative: cut off).
PAD3D = np.dtype([(name, np.int64) for name in ("n", "d", "h", "w", "c", "od", "oh", "ow", "front", "top", "left",
                                                "mode")])


@functools.lru_cache(maxsize=1024)
def pad3d(shape: tuple[int, int, int, int, int], padding: tuple[tuple[int, int], ...], mode: str = "zero",
          who: str = "pad3d") -> np.ndarray:
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
    return np.array([(*shape, *out, *(before for before, _ in padding), PAD_MODES.index(mode))], PAD3D)


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


def taps_of(matrix: np.ndarray, dtype: str) -> Taps:
    """Return the band of `matrix` (outputs, length), in which each row's numbers other than zero lie side by side."""
    length = matrix.shape[1]
    filled = matrix != 0
    some = filled.any(axis=1)
    first = np.where(some, filled.argmax(axis=1), 0)
    count = np.where(some, length - filled[:, ::-1].argmax(axis=1) - first, 0)
    band = first[:, None] + np.arange(max(1, count.max(initial=0)))
    weights = np.take_along_axis(matrix, np.minimum(band, length - 1), axis=1)
    weights[np.arange(band.shape[1]) >= count[:, None]] = 0
    return Taps(np.stack([first, count], axis=1).astype(np.int64), np.ascontiguousarray(weights, dtype))


@functools.lru_cache(maxsize=256)
def linear_taps(length: int, outputs: int, dtype: str) -> tuple[Taps, Taps]:
    """Return the taps of linear interpolation with half-pixel centres, and those of its gradient."""
    at = np.clip((np.arange(outputs) + 0.5) * length / outputs - 0.5, 0, length - 1)
    low = np.minimum(at.astype(np.int64), max(0, length - 2))
    matrix = np.zeros((outputs, length))
    np.add.at(matrix, (np.arange(outputs), low), 1 - (at - low))
    np.add.at(matrix, (np.arange(outputs), np.minimum(low + 1, length - 1)), at - low)
    return taps_of(matrix, dtype), taps_of(matrix.T, dtype)


@functools.lru_cache(maxsize=256)
def cubic_taps(length: int, outputs: int, dtype: str, a: float = -0.75) -> tuple[Taps, Taps]:
    """Return the taps of cubic convolution with half-pixel centres, and those of its gradient.

    (Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 4, with `a` in place of its
    -1/2: PyTorch, ONNX and OpenCV take -3/4.)
    """
    at = (np.arange(outputs) + 0.5) * length / outputs - 0.5
    low = np.floor(at).astype(np.int64)
    matrix = np.zeros((outputs, length))
    for offset in range(-1, 3):
        s = np.abs(at - (low + offset))
        near = (a + 2) * s**3 - (a + 3) * s**2 + 1
        far = a * s**3 - 5 * a * s**2 + 8 * a * s - 4 * a
        np.add.at(matrix, (np.arange(outputs), np.clip(low + offset, 0, length - 1)), np.where(s <= 1, near, far))
    return taps_of(matrix, dtype), taps_of(matrix.T, dtype)


@functools.lru_cache(maxsize=256)
def adaptive_taps(length: int, outputs: int, dtype: str) -> tuple[Taps, Taps]:
    """Return the taps of the mean over the windows of an adaptive pooling, and those of its gradient."""
    matrix = np.zeros((outputs, length))
    for o in range(outputs):
        window = slice(o * length // outputs, -(-(o + 1) * length // outputs))
        matrix[o, window] = 1 / (window.stop - window.start)
    return taps_of(matrix, dtype), taps_of(matrix.T, dtype)
