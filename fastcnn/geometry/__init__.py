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
import itertools
from typing import NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import Padding as Padding
from fastcnn.geometry.arguments import padding_of
from fastcnn.geometry.arguments import same_padding as same_padding

_WINDOW = ("kh", "kw", "sh", "sw", "dh", "dw", "top", "bottom", "left", "right")

#: Batch n, input h x w x c, output oh x ow x k; window kh x kw, strides sh, sw, dilations dh, dw; padding of the four
#: sides; groups. All int64, in elements.
CONV2D = np.dtype([(name, np.int64) for name in ("n", "h", "w", "c", "oh", "ow", "k", *_WINDOW, "groups")])

#: One stage of a region in lanes: a convolution (input h x w x c, output oh x ow x k, window kh x kw with stride 1), an
#: activation by code, a pooling without overlap (0 none, 1 max, 2 average; window ph x pw, output qh x qw). Rows and
#: columns of the convolution that no window of the pooling sees are left out of oh, ow. Offsets `kernel_at`, `bias_at`
#: (-1 for none) count numbers in the weights; all others count vectors in a block's part of the saved: the input with
#: its border of zeros (`in_row` vectors a row), what the pooling needs (`map_at`, or -1), the output (`out_row`).
LANES = np.dtype([(name, np.int64) for name in (
    "n", "h", "w", "c", "oh", "ow", "k", "kh", "kw", "top", "left", "pool", "ph", "pw", "qh", "qw", "code",
    "kernel_at", "bias_at", "in_at", "in_row", "in_size", "map_at", "out_at", "out_row", "saved", "weights",
    )] + [("alpha", np.float64)])

NO_POOL, MAX_POOL, AVERAGE_POOL = 0, 1, 2

#: As CONV2D, without filters and groups. `least`: 1 where the smallest element wins. `divisor`: what a sum is divided
#: by (COUNT_IMAGE, COUNT_PADDED, SUM). `adaptive`: 1 where windows are those of `adaptive_pool2d`.
POOL2D = np.dtype([(name, np.int64) for name in ("n", "h", "w", "c", "oh", "ow", *_WINDOW, "least", "divisor",
                                                 "adaptive")])

#: The divisors of average pooling: the window's elements in the image, those in its border as well, or 1 (a sum).
COUNT_IMAGE, COUNT_PADDED, SUM = 0, 1, 2


def output_length(length: int, window: int, stride: int, dilation: int, before: int, after: int,
                  ceil_mode: bool = False) -> int:
    """Return how many windows fit along one dimension (relationship 6 of the paper, with dilation).

    With `ceil_mode`, one more window may reach beyond the end, if it begins in the input or before it, as in ONNX and
    PyTorch.

    Parameters
    ----------
    length : int
        Of the input.
    window, stride, dilation : int
    before, after : int
        What is padded.
    ceil_mode : bool

    Examples
    --------
    >>> fc.geometry.output_length(28, window=3, stride=2, dilation=1, before=0, after=0)
    13
    >>> fc.geometry.output_length(28, 3, 2, 1, 0, 0, ceil_mode=True)
    14
    """
    room = length + before + after - ((window - 1) * dilation + 1)
    if ceil_mode:
        outputs = max(0, -(-room // stride) + 1)
        return outputs - 1 if outputs and (outputs - 1) * stride >= length + before else outputs
    return room // stride + 1 if room >= 0 else 0


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
        As in `fastcnn.geometry.arguments`.
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
def cropped(shape: tuple[int, int, int, int], filters: int, kernel_size: tuple[int, int], padding: Padding,
            windows: tuple[int, int], who: str = "conv2d") -> np.ndarray:
    """Return the geometry of a convolution with stride 1 whose last rows and columns are left out.

    What remains are whole windows, (rows, columns), of a pooling without overlap: those that it sees.
    """
    g = conv2d(shape, filters, kernel_size, (1, 1), padding, who=who).copy()
    for out, size, side in (("oh", windows[0], "bottom"), ("ow", windows[1], "right")):
        left_out = g[0][out] % size
        g[out] -= left_out
        g[side] -= left_out
    return g


@functools.lru_cache(maxsize=1024)
def pool2d(shape: tuple[int, int, int, int], pool_size: tuple[int, int], strides: tuple[int, int],
           padding: Padding = "valid", who: str = "pool2d", *, dilation: tuple[int, int] = (1, 1),
           ceil_mode: bool = False, least: bool = False, divisor: int = COUNT_IMAGE) -> np.ndarray:
    """Return the geometry of a 2D pooling of `shape` (N, H, W, C); the rest as in `conv2d`.

    Parameters
    ----------
    shape : (int, int, int, int)
    pool_size, strides, dilation : (int, int)
    padding : str, int or tuple
    who : str
    ceil_mode : bool
        As in `output_length`.
    least : bool
        The smallest element wins, in max pooling's kernels.
    divisor : int
        COUNT_IMAGE, COUNT_PADDED or SUM, for average pooling's kernels.
    """
    n, h, w, c = shape
    oh, ow, window = _windows(shape, pool_size, strides, padding, dilation, who, ceil_mode)
    return _frozen(POOL2D, (n, h, w, c, oh, ow, *window, int(least), divisor, 0))


@functools.lru_cache(maxsize=1024)
def adaptive_pool2d(shape: tuple[int, int, int, int], output_size: tuple[int, int]) -> np.ndarray:
    """Return the geometry of a pooling of `shape` (N, H, W, C) whose windows cover the image whatever its size.

    Output o of O covers the pixels floor(o h / O) .. ceil((o + 1) h / O) - 1, as in PyTorch: windows of one size
    without overlap where O divides h.
    """
    n, h, w, c = shape
    oh, ow = output_size
    if h % oh == 0 and w % ow == 0:
        return pool2d(shape, (h // oh, w // ow), (h // oh, w // ow))
    return _frozen(POOL2D, (n, h, w, c, oh, ow, h, w, *(1,) * 4, *(0,) * 4, 0, COUNT_IMAGE, 1))


@functools.lru_cache(maxsize=1024)
def dense(rows: int, inputs: int, units: int) -> np.ndarray:
    """Return the geometry of a matrix product (rows, inputs) x (inputs, units): a 1x1 convolution of a rows-wide image.

    The convolution's kernels take it as it is, so a dense layer needs none of its own.
    """
    return _frozen(CONV2D, (1, 1, rows, inputs, 1, rows, units, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1))


class LaneStage(NamedTuple):
    """A stage of `lanes`: a convolution with stride 1, its activation, and a pooling without overlap.

    Attributes
    ----------
    filters : int
        Output channels.
    kernel_size : (int, int)
    padding : str or tuple
        As of `conv2d`.
    bias : bool
        Whether the convolution has one.
    code, alpha : int, float
        The activation, as kernels know it.
    pool : int
        NO_POOL, MAX_POOL or AVERAGE_POOL.
    pool_size : (int, int)
    """

    filters: int
    kernel_size: tuple[int, int]
    padding: Padding
    bias: bool
    code: int
    alpha: float
    pool: int
    pool_size: tuple[int, int]


@functools.lru_cache(maxsize=256)
def lanes(shape: tuple[int, int, int, int], stages: tuple[LaneStage, ...], who: str = "lanes") -> np.ndarray:
    """Return the geometry of stages that follow one another on `shape` (N, H, W, C).

    Raises
    ------
    ArgumentError
        If an image is too small for a window.

    Returns
    -------
    ndarray of LANES, shape (number of stages,)
    """
    n, h, w, c = shape
    table = np.zeros(len(stages), LANES)
    weights = saved = 0
    for row, stage in zip(table, stages, strict=True):
        (kh, kw), (ph, pw) = stage.kernel_size, stage.pool_size
        (top, bottom), (left, right) = padding_of(stage.padding, (h, w), (kh, kw), (1, 1), (1, 1), who)
        qh, qw = (h + top + bottom - kh + 1) // ph, (w + left + right - kw + 1) // pw
        if qh < 1 or qw < 1:
            raise ArgumentError(f"{who}: expected an image that a window of {kh}x{kw} and a pooling of {ph}x{pw} fit, "
                                f"got {h}x{w} pixels with padding {stage.padding!r}")
        row["n"], row["h"], row["w"], row["c"], row["k"] = n, h, w, c, stage.filters
        row["oh"], row["ow"], row["kh"], row["kw"], row["top"], row["left"] = qh * ph, qw * pw, kh, kw, top, left
        row["pool"], row["ph"], row["pw"], row["qh"], row["qw"] = stage.pool, ph, pw, qh, qw
        row["code"], row["alpha"] = stage.code, stage.alpha
        row["kernel_at"], weights = weights, weights + kh * kw * c * stage.filters
        row["bias_at"], weights = (weights, weights + stage.filters) if stage.bias else (-1, weights)
        row["in_at"], row["in_row"] = saved, (w + left + right) * c
        row["in_size"] = (h + top + bottom) * row["in_row"]
        saved += row["in_size"]
        if stage.pool != NO_POOL:
            row["map_at"] = saved
            saved += qh * qw * stage.filters * (ph * pw if stage.pool == AVERAGE_POOL else 1)
        h, w, c = qh, qw, stage.filters
    for row, after in itertools.pairwise(table):
        row["out_row"] = after["in_row"]
        row["out_at"] = after["in_at"] + after["top"] * after["in_row"] + after["left"] * after["c"]
    table[-1]["out_at"], table[-1]["out_row"] = saved, w * c
    table["saved"], table["weights"] = saved + h * w * c, weights
    return table


def _windows(shape: tuple[int, int, int, int], size: tuple[int, int], strides: tuple[int, int], padding: Padding,
             dilation: tuple[int, int], who: str, ceil_mode: bool = False) -> tuple[int, int, tuple[int, ...]]:
    (top, bottom), (left, right) = padding_of(padding, shape[1:3], size, strides, dilation, who)
    oh = output_length(shape[1], size[0], strides[0], dilation[0], top, bottom, ceil_mode)
    ow = output_length(shape[2], size[1], strides[1], dilation[1], left, right, ceil_mode)
    if oh < 1 or ow < 1:
        raise ArgumentError(f"{who}: expected an input that a window of {size[0]}x{size[1]} (dilation {dilation}) "
                            f"fits, got {shape[1]}x{shape[2]} pixels with padding {padding!r}; use a smaller window or "
                            f'padding="same"')
    return oh, ow, (*size, *strides, *dilation, top, bottom, left, right)


def _frozen(kind: np.dtype, values: tuple[int, ...]) -> np.ndarray:
    # Writable, although nobody writes: a read-only array is another type to Numba and would double the compiled code.
    return np.array([values], dtype=kind)
