"""GridSample: x at positions that are data.

A position is a vector of the grid, the last dimension of x first, in which -1 and 1 are the ends of x: the centres of
its outermost pixels with `align_corners`, else their outer edges. Along a dimension of n pixels it lies, in pixels, at

    align_corners    (g + 1) (n - 1) / 2
    else             ((g + 1) n - 1) / 2

(Jaderberg, Simonyan, Zisserman and Kavukcuoglu, "Spatial transformer networks", 2015.)
"""

import itertools

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.geometry.interpolation import cubic_weights, linear_weights
from fastcnn.onnx.operators._memory import channels_first, channels_last, check_size, is_float
from fastcnn.onnx.operators._registry import operator

_BORDERS = "zeros", "border", "reflection"
#: The offsets of the neighbours of a position from the pixel below it, and their weights by distance.
_MODES = {"linear": (range(2), linear_weights), "cubic": (range(-1, 3), cubic_weights)}
_OLD = {"bilinear": "linear", "bicubic": "cubic"}  # names before operator set 20


@operator("GridSample")
def grid_sample(x: np.ndarray, grid: np.ndarray, *, align_corners: int = 0, mode: str = "linear",
                padding_mode: str = "zeros") -> np.ndarray:
    """x (N, C, ...) at the positions of a grid (N, outputs ..., dimensions) to (N, C, outputs ...)."""
    mode, rank = _OLD.get(mode, mode), x.ndim - 2
    if mode not in (*_MODES, "nearest") or padding_mode not in _BORDERS:
        raise ModelFileError(f"GridSample: expected a mode of nearest, {', '.join(_MODES)} and a padding_mode of "
                             f"{', '.join(_BORDERS)}, got {mode!r} and {padding_mode!r}")
    if rank < 1 or grid.ndim != x.ndim or grid.shape[-1] != rank or len(grid) != len(x):
        raise ModelFileError(f"GridSample: expected a grid ({len(x)}, ..., {rank}) of {x.ndim} dimensions for an input "
                             f"{x.shape}, got {grid.shape}")
    check_size("GridSample", (*x.shape[:2], *grid.shape[1:-1]), x.dtype)
    kind = x.dtype if is_float(x) else np.dtype(np.float32)
    if not x.size or not grid.size:
        return np.zeros((*x.shape[:2], *grid.shape[1:-1]), x.dtype)
    images = channels_last(x.astype(kind, copy=False))
    axes = [_neighbours(grid[..., rank - 1 - axis], n, mode, padding_mode, bool(align_corners))
            for axis, n in enumerate(x.shape[2:])]
    sample = np.arange(len(x)).reshape(-1, *(1,) * rank)
    total = np.zeros((*grid.shape[:-1], x.shape[1]), kind)
    for taps in itertools.product(*axes):
        weight = taps[0][1]
        for _, one in taps[1:]:
            weight = weight * one
        total += images[(sample, *(place for place, _ in taps))] * weight[..., None].astype(kind, copy=False)
    return channels_first(total).astype(x.dtype, copy=False)


def _neighbours(g: np.ndarray, n: int, mode: str, padding_mode: str, corners: bool
                ) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the pixels that positions along one dimension are made of, each with its weight."""
    g = g if is_float(g) else g.astype(np.float32)
    one = g.dtype.type(1)
    position = (g + one) / 2 * (n - 1) if corners else ((g + one) * n - one) / 2
    low, high = (0.0, n - 1.0) if corners else (-0.5, n - 0.5)
    if mode == "nearest":
        position = np.rint(position)
    if padding_mode == "reflection":
        position = np.where((position < low) | (position > high), _reflected(position, low, high), position)
    if mode == "nearest":
        return [_pixel(position, np.ones_like(position), n, padding_mode, low, high)]
    below = np.floor(position)
    offsets, kernel = _MODES[mode]
    return [_pixel(below + at, kernel(position - below - at, -0.75).astype(g.dtype), n, padding_mode, low, high)
            for at in offsets]


def _pixel(place: np.ndarray, weight: np.ndarray, n: int, padding_mode: str, low: float, high: float
           ) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels that exist, and the weights: none outside where the border is zeros."""
    if padding_mode == "reflection":
        place = np.where((place < low) | (place > high), _reflected(place, low, high), place)
    elif padding_mode == "zeros":
        weight = np.where((place >= 0) & (place < n) | np.isnan(place), weight, 0)
    return np.clip(np.trunc(np.nan_to_num(place)), 0, n - 1).astype(np.int64), weight


def _reflected(position: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return positions mirrored at the ends until they lie between them."""
    length = high - low
    if length <= 0:
        return np.full_like(position, low)
    away = np.where(position < low, low - position, position - high)
    times = np.trunc(away / length)
    rest = away - times * length
    from_low = (position < low) == (times % 2 == 0)
    return np.where(from_low, low + rest, high - rest).astype(position.dtype)
