"""Numbers as bytes, and operations on bytes: sums, pooling, borders, functions of single numbers.

    q = clip(round(x / scale) + zero_point, 0, 255)        x' = scale (q - zero_point)

A `Quantization` says what the bytes of an array stand for. What becomes of products is in `quantized_product.py`.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.geometry.pool import PoolingPass
from fastcnn.kernels import codes
from fastcnn.operations import Backward
from fastcnn.operations.activation import LINEAR, Clamp, Elementwise
from fastcnn.operations.broadcasting import scaled
from fastcnn.operations.elementwise import ROUND

BYTE = np.dtype(np.uint8)
_LAST = 255

Shape = tuple[int, ...]


class Quantization(NamedTuple):
    """What the bytes of an array stand for.

    Attributes
    ----------
    scale : float
        Between neighbouring numbers; one of float32.
    zero_point : int
        The byte that stands for 0.
    """

    scale: float
    zero_point: int

    @property
    def range(self) -> Clamp:
        """The smallest and the largest number."""
        return -self.zero_point * self.scale, (_LAST - self.zero_point) * self.scale

    def bounds(self, clamp: Clamp) -> np.ndarray:
        """Return the lowest and the highest result of a kernel, before the zero is added, under a clamp of numbers."""
        low, high = (np.float32(bound) / np.float32(self.scale) for bound in clamp)
        return np.array([max(-self.zero_point, low), min(_LAST - self.zero_point, high)], np.float32)


def of_range(low: float, high: float) -> Quantization:
    """Return the quantization that covers a range of numbers, and 0.

    Parameters
    ----------
    low, high : float
    """
    low, high = min(0.0, float(low)), max(0.0, float(high))
    scale = np.float32((high - low) / _LAST)
    if not scale > np.finfo(np.float32).tiny:  # an array of zeros
        return Quantization(1.0, 0)
    return Quantization(float(scale), int(np.clip(np.rint(-low / float(scale)), 0, _LAST)))


def quantize(x: np.ndarray, q: Quantization) -> np.ndarray:
    """Return numbers, float32, as bytes.

    Parameters
    ----------
    x : array
    q : Quantization
    """
    d = device.of(x)
    y = d.empty(x.shape, BYTE)
    d.kernels.quantize_bytes(y.reshape(-1), x.reshape(-1), d.constant(_one(q.scale)), q.zero_point)
    return y


def dequantize(x: np.ndarray, q: Quantization) -> np.ndarray:
    """Return bytes as numbers, float32.

    Parameters
    ----------
    x : uint8 array
    q : Quantization
    """
    d = device.of(x)
    y = d.empty(x.shape, np.dtype(np.float32))
    d.kernels.dequantize_bytes(y.reshape(-1), x.reshape(-1), d.constant(_one(q.scale)), q.zero_point)
    return y


def quantize_dequantize(x: np.ndarray, q: Quantization) -> np.ndarray:
    """Return numbers as those that their bytes stand for.

    Parameters
    ----------
    x : array
    q : Quantization
    """
    if x.dtype == np.float32:
        return dequantize(quantize(x, q), q)
    clip = Elementwise("clip", codes.CLIP, float(_LAST - q.zero_point), -float(q.zero_point))
    return scaled(ROUND.predict(clip.predict(scaled(x, 1.0 / q.scale))), q.scale)


def straight_through(x: np.ndarray, q: Quantization) -> tuple[np.ndarray, Backward]:
    """Return `quantize_dequantize`, and dy -> dx: dy where x is within the range, 0 elsewhere.

    Bengio, Leonard and Courville, "Estimating or propagating gradients through stochastic neurons", 2013.

    Parameters
    ----------
    x : array
    q : Quantization
    """
    low, high = q.range
    return quantize_dequantize(x, q), Elementwise("clip", codes.CLIP, high, low).forward(x)[1]


def requantized(x: np.ndarray, source: Quantization, target: Quantization) -> np.ndarray:
    """Return bytes of another quantization that stand for nearly the same numbers.

    Parameters
    ----------
    x : uint8 array
    source, target : Quantization
    """
    return looked_up(x, table(lambda numbers: numbers, source, target))


def table(function: Callable[[np.ndarray], np.ndarray], source: Quantization, target: Quantization) -> np.ndarray:
    """Return the byte that each byte becomes under a function of single numbers.

    Parameters
    ----------
    function : callable
        Of an array of float32.
    source, target : Quantization
    """
    every = np.arange(_LAST + 1, dtype=BYTE)
    return quantize(device.get(function(dequantize(every, source))), target)


def looked_up(x: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """Return what a `table` makes of bytes.

    Parameters
    ----------
    x : uint8 array
    entries : (256,) uint8 array
    """
    d = device.of(x)
    y = d.empty(x.shape, BYTE)
    d.kernels.byte_table(y.reshape(-1), x.reshape(-1), d.constant(entries))
    return y


class QuantizedSum:
    """The sum of two arrays of bytes, under a clamp.

    Parameters
    ----------
    sources : (Quantization, Quantization)
    target : Quantization
    clamp : (float, float)
    """

    def __init__(self, sources: Sequence[Quantization], target: Quantization, clamp: Clamp = LINEAR) -> None:
        self._scales = np.array([np.float32(one.scale) / np.float32(target.scale) for one in sources], np.float32)
        self._bounds = target.bounds(clamp)
        self._zeros = np.array([one.zero_point for one in (*sources, target)], np.int64)

    def __call__(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the sum."""
        d = device.of(a)
        y = d.empty(a.shape, BYTE)
        d.kernels.quantized_add(y.reshape(-1), a.reshape(-1), b.reshape(-1), d.constant(self._scales), self._bounds,
                                d.constant(self._zeros))
        return y


def max_pool(x: np.ndarray, step: PoolingPass, q: Quantization) -> np.ndarray:
    """Return the largest byte of each window.

    Parameters
    ----------
    x : uint8 array
    step : PoolingPass
    q : Quantization
    """
    d = device.of(x)
    y = d.empty(step.out, BYTE)
    d.kernels.byte_max_pool2d(y.reshape(-1), x.reshape(-1), q.zero_point, step.geometry)
    return y


class QuantizedAverage:
    """The mean of each window of bytes, as bytes or as numbers.

    Parameters
    ----------
    source : Quantization
    target : Quantization, optional
        None for numbers.
    """

    def __init__(self, source: Quantization, target: Quantization | None) -> None:
        self._wide = target is None
        scale = np.float32(source.scale) / np.float32(1 if target is None else target.scale)
        self._factor = np.array([scale], np.float32)
        self._bounds = np.array(LINEAR, np.float32) if target is None else target.bounds(LINEAR)
        self._zeros = np.array([source.zero_point, -1 if target is None else target.zero_point], np.int64)

    def __call__(self, x: np.ndarray, step: PoolingPass, shape: Shape) -> np.ndarray:
        """Return the means in an array of a shape."""
        d = device.of(x)
        y, flat = result(d, shape, self._wide)
        d.kernels.quantized_average_pool2d(flat, x.reshape(-1), d.constant(self._factor), self._bounds,
                                           d.constant(self._zeros), step.geometry)
        return y


def result(d: Any, shape: Shape, wide: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return memory for bytes, or for numbers, and the same as flat bytes.

    Parameters
    ----------
    d : Device
    shape : tuple of int
    wide : bool
        Whether it is for numbers.
    """
    if not wide:
        y = d.empty(shape, BYTE)
        return y, y.reshape(-1)
    flat = d.empty((4 * math.prod(shape),), BYTE)
    return flat.view(np.float32).reshape(shape), flat


def bordered(x: np.ndarray, sides: Any, q: Quantization, slack: int = 0) -> np.ndarray:
    """Return images with a border that stands for zeros, as flat bytes with `slack` more of them at the end.

    Parameters
    ----------
    x : (N, H, W, C) uint8 array
    sides : ((top, bottom), (left, right))
    q : Quantization
    slack : int
    """
    sizes, d = _sizes(x.shape, sides), device.of(x)
    n, _, _, c, height, width = map(int, sizes[:6])
    y = d.empty((n * height * width * c + slack,), BYTE)
    d.kernels.byte_border(y, x.reshape(-1), d.constant(sizes), q.zero_point)
    return y


def concatenated(arrays: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """Return arrays of bytes of one quantization side by side.

    Parameters
    ----------
    arrays : sequence of arrays
    axis : int
    """
    first, d = arrays[0], device.of(arrays[0])
    total = sum(one.shape[axis] for one in arrays)
    y, at = d.empty((*first.shape[:axis], total, *first.shape[axis + 1:]), BYTE), 0
    for one in arrays:
        d.write(y, (*(slice(None),) * axis, slice(at, at + one.shape[axis])), one)
        at += one.shape[axis]
    return y


@functools.lru_cache(maxsize=1024)  # a device makes its constant of an array once
def _one(scale: float) -> np.ndarray:
    return np.array([scale], np.float32)


@functools.lru_cache(maxsize=1024)
def _sizes(shape: Shape, sides: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    (n, h, w, c), ((top, bottom), (left, right)) = shape, sides
    return np.array([n, h, w, c, h + top + bottom, w + left + right, top, left], np.int64)
