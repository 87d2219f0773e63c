"""Shape arithmetic, in integers and in one place: output sizes, padding, strides, dilation.

For one dimension with input length `i`, window `k`, stride `s`, dilation `d` and padding `p0`, `p1`::

    window'  = (k - 1) d + 1                              the window as it lies on the input
    output   = floor((i + p0 + p1 - window') / s) + 1     or 0 if the window does not fit
    "valid"    p0 = p1 = 0
    "same"     output = ceil(i / s);  p0 + p1 = max(0, (output - 1) s + window' - i),  p0 = floor(half of it)

(Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, relationships 5, 6 and 13; Keras and
TensorFlow put the odd element of "same" at the end.)

Kernels receive a geometry as one structured array of one element (fields by name, `CONV2D` and `POOL2D` below), which
costs 0.2 microseconds a call where a named tuple of as many integers costs 2 to 3.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError

Padding = str | int | Sequence[Any]

_WINDOW = ("kh", "kw", "sh", "sw", "dh", "dw", "top", "bottom", "left", "right")

#: Batch n, input h x w x c, output oh x ow x k; window kh x kw, strides sh, sw, dilations dh, dw; padding of the four
#: sides; groups. All int64, in elements.
CONV2D = np.dtype([(name, np.int64) for name in ("n", "h", "w", "c", "oh", "ow", "k", *_WINDOW, "groups")])

#: As CONV2D, without filters and groups.
POOL2D = np.dtype([(name, np.int64) for name in ("n", "h", "w", "c", "oh", "ow", *_WINDOW)])


def pair(value: Any, who: str, lowest: int = 1) -> tuple[int, int]:
    """Return `value`, an integer or two of them, as two integers of at least `lowest`.

    Raises
    ------
    ArgumentError
        If it is neither, or an entry is less than `lowest`.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    good = len(values) == 2 and all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values)
    if not good or min(values) < lowest:
        raise ArgumentError(f"{who}: expected an integer of at least {lowest} or a pair of them, got {value!r}")
    return int(values[0]), int(values[1])


def output_length(length: int, window: int, stride: int, dilation: int, before: int, after: int) -> int:
    """Return how many windows fit along one dimension (relationship 6 of the paper, with dilation)."""
    room = length + before + after - ((window - 1) * dilation + 1)
    return room // stride + 1 if room >= 0 else 0


def same_padding(length: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the padding before and after that makes ceil(length / stride) windows, the odd element at the end."""
    outputs = -(-length // stride)
    total = max(0, (outputs - 1) * stride + (window - 1) * dilation + 1 - length)
    return total // 2, total - total // 2


def padding2d(padding: Padding, size: tuple[int, int], window: tuple[int, int], strides: tuple[int, int],
              dilation: tuple[int, int], who: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return ((top, bottom), (left, right)) for "valid", "same", one integer, a pair, or a pair of pairs.

    Raises
    ------
    ArgumentError
        If `padding` is none of these.
    """
    if isinstance(padding, str):
        if padding == "valid":
            return (0, 0), (0, 0)
        if padding == "same":
            rows, columns = map(same_padding, size, window, strides, dilation)
            return rows, columns
    elif isinstance(padding, int):
        return pair(padding, who, lowest=0), pair(padding, who, lowest=0)
    elif len(padding) == 2:
        return pair(padding[0], who, lowest=0), pair(padding[1], who, lowest=0)
    raise ArgumentError(f'{who}: expected padding "valid", "same", an integer, (rows, columns) or '
                        f"((top, bottom), (left, right)), got {padding!r}")


@functools.lru_cache(maxsize=1024)
def conv2d(shape: tuple[int, int, int, int], filters: int, kernel_size: tuple[int, int],
           strides: tuple[int, int] = (1, 1), padding: Padding = "valid", dilation: tuple[int, int] = (1, 1),
           groups: int = 1, who: str = "conv2d") -> np.ndarray:
    """Return the geometry of a 2D convolution of `shape` (N, H, W, C) with `filters` filters.

    Parameters
    ----------
    shape : (int, int, int, int)
        Batch, height, width and channels of the input.
    filters : int
        Output channels K.
    kernel_size, strides, dilation : (int, int)
        Rows and columns.
    padding : str, int or tuple
        As in `padding2d`.
    groups : int
        C and K are cut into so many groups; group g of K sees group g of C alone.
    who : str
        The layer, for the error.

    Raises
    ------
    ArgumentError
        If C or K is not divisible by `groups`, or the window does not fit the padded input.

    Returns
    -------
    ndarray of CONV2D, shape (1,)
    """
    n, h, w, c = shape
    if c % groups or filters % groups:
        raise ArgumentError(f"{who}: expected channels and filters divisible by groups={groups}, "
                            f"got {c} channels and {filters} filters")
    oh, ow, window = _windows(shape, kernel_size, strides, padding, dilation, who)
    return _frozen(CONV2D, (n, h, w, c, oh, ow, filters, *window, groups))


@functools.lru_cache(maxsize=1024)
def pool2d(shape: tuple[int, int, int, int], pool_size: tuple[int, int], strides: tuple[int, int],
           padding: Padding = "valid", who: str = "pool2d") -> np.ndarray:
    """Return the geometry of a 2D pooling of `shape` (N, H, W, C); the rest as in `conv2d`."""
    n, h, w, c = shape
    oh, ow, window = _windows(shape, pool_size, strides, padding, (1, 1), who)
    return _frozen(POOL2D, (n, h, w, c, oh, ow, *window))


@functools.lru_cache(maxsize=1024)
def dense(rows: int, inputs: int, units: int) -> np.ndarray:
    """Return the geometry of a matrix product (rows, inputs) x (inputs, units): a 1x1 convolution of a rows-wide image.

    The convolution's kernels take it as it is, so a dense layer needs none of its own.
    """
    return _frozen(CONV2D, (1, 1, rows, inputs, 1, rows, units, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1))


def _windows(shape: tuple[int, int, int, int], size: tuple[int, int], strides: tuple[int, int], padding: Padding,
             dilation: tuple[int, int], who: str) -> tuple[int, int, tuple[int, ...]]:
    (top, bottom), (left, right) = padding2d(padding, shape[1:3], size, strides, dilation, who)
    oh = output_length(shape[1], size[0], strides[0], dilation[0], top, bottom)
    ow = output_length(shape[2], size[1], strides[1], dilation[1], left, right)
    if oh < 1 or ow < 1:
        raise ArgumentError(f"{who}: expected an input that a window of {size[0]}x{size[1]} (dilation {dilation}) "
                            f"fits, got {shape[1]}x{shape[2]} pixels with padding {padding!r}; use a smaller window or "
                            f'padding="same"')
    return oh, ow, (*size, *strides, *dilation, top, bottom, left, right)


def _frozen(kind: np.dtype, values: tuple[int, ...]) -> np.ndarray:
    # Writable, although nobody writes: a read-only array is another type to Numba and would double the compiled code.
    return np.array([values], dtype=kind)
