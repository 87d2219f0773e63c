"""Convolutions of one and of three dimensions, and transposed ones: each is a convolution of two, seen rightly.

A signal (N, L, C) is an image of one row. A transposed convolution is described by the convolution it belongs to, from
its output to its input: the kernels of the gradient of the input run on that. For one dimension with input length `i`,
window' as in `fastcnn.geometry`, padding `p0`, `p1` and output padding `a`::

    output = (i - 1) s + window' + a - p0 - p1
    "valid"    p0 = p1 = 0,  a = max(0, s - window') unless it is given
    "same"     output = i s, or (i - 1) s + (window' mod 2) + a if that is given;  p0 = floor(half of what is cut off)

(Dumoulin and Visin, 2016, relationship 14; what "same" means, and where it cuts, is Keras's.) A convolution of a volume
keeps a geometry of its own, `CONV3D`, unless it is one of images or of columns.
"""

import functools
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry import CONV2D, conv2d, output_length
from fastcnn.geometry.arguments import Padding, Sides, padding_argument
from fastcnn.geometry.arguments import padding_of as padding_of

#: Batch n, input d x h x w x c, output od x oh x ow x k; window, strides, dilations and padding of each dimension;
#: groups. All int64, in elements.
CONV3D = np.dtype([(name, np.int64) for name in (
    "n", "d", "h", "w", "c", "od", "oh", "ow", "k", "kd", "kh", "kw", "sd", "sh", "sw", "dd", "dh", "dw",
    "front", "back", "top", "bottom", "left", "right", "groups")])

@functools.lru_cache(maxsize=1024)
def conv1d(shape: tuple[int, int, int], filters: int, kernel_size: tuple[int], strides: tuple[int] = (1,),
           padding: Padding = "valid", dilation: tuple[int] = (1,), groups: int = 1,
           who: str = "conv1d") -> np.ndarray:
    """Return the geometry, CONV2D, of a 1D convolution of `shape` (N, L, C); the rest as in `conv2d`."""
    n, length, c = shape
    (sides,) = padding_of(padding, (length,), kernel_size, strides, dilation, who)
    return conv2d((n, 1, length, c), filters, (1, *kernel_size), (1, *strides), ((0, 0), sides), (1, *dilation), groups,
                  who)


@functools.lru_cache(maxsize=1024)
def conv3d(shape: tuple[int, ...], filters: int, kernel_size: tuple[int, ...], strides: tuple[int, ...] = (1, 1, 1),
           padding: Padding = "valid", dilation: tuple[int, ...] = (1, 1, 1), groups: int = 1,
           who: str = "conv3d") -> np.ndarray:
    """Return the geometry of a 3D convolution of `shape` (N, D, H, W, C); the rest as in `conv2d`.

    Returns
    -------
    ndarray of CONV3D, shape (1,), or of CONV2D for what is a convolution of images (`as_images`)
    """
    _, *size, c = shape
    check_groups(c, filters, groups, who)
    sides = padding_of(padding, tuple(size), kernel_size, strides, dilation, who)
    outputs = [output_length(i, k, s, d, *p)
               for i, k, s, d, p in zip(size, kernel_size, strides, dilation, sides, strict=True)]
    if min(outputs) < 1:
        raise ArgumentError(f"{who}: expected an input that a window of {_text(kernel_size)} (dilation {dilation}) "
                            f'fits, got {_text(size)} with padding {padding!r}; use a smaller window or padding="same"')
    return as_images(_volume(shape, outputs, filters, kernel_size, strides, dilation, sides, groups))


def transposed_lengths(size: tuple[int, ...], kernel_size: tuple[int, ...], strides: tuple[int, ...],
                       padding: Padding, output_padding: tuple[int, ...] | None, dilation: tuple[int, ...],
                       who: str) -> tuple[tuple[int, ...], Sides]:
    """Return the output's lengths of a transposed convolution of `size`, and what is cut off before and after.

    The latter is negative where the output is longer than all windows together; the rest as in `conv_transpose`.
    """
    if output_padding is not None:
        for longer, s, d in zip(output_padding, strides, dilation, strict=True):
            if longer >= max(s, d):
                raise ArgumentError(f"{who}: expected output_padding smaller than strides or dilation_rate, "
                                    f"got {output_padding} for strides {strides} and dilation_rate {dilation}")
    known = padding_argument(padding, len(size), who)
    given = None if isinstance(known, str) else known
    lengths, sides = [], []
    for axis, (i, k, s, d) in enumerate(zip(size, kernel_size, strides, dilation, strict=True)):
        window, extra = (k - 1) * d + 1, None if output_padding is None else output_padding[axis]
        whole = (i - 1) * s + window
        if known == "same":
            length = i * s if extra is None else (i - 1) * s + window % 2 + extra
            before = max(0, window - 1 - (2 * window - 1 - whole + length) // 2)
        else:
            before, after = (0, 0) if given is None else given[axis]
            extra = max(0, s - window) * (given is None) if extra is None else extra
            length = whole + extra - before - after
        lengths.append(length)
        sides.append((before, whole - before - length))
    if min(lengths) < 1:
        raise ArgumentError(f"{who}: expected an output of at least one element a dimension, got {_text(lengths)} "
                            f"from {_text(size)} with padding {padding!r}; cut off less")
    return tuple(lengths), tuple(sides)


@functools.lru_cache(maxsize=1024)
def conv_transpose(shape: tuple[int, ...], filters: int, kernel_size: tuple[int, ...], strides: tuple[int, ...],
                   padding: Padding, output_padding: tuple[int, ...] | None, dilation: tuple[int, ...], groups: int,
                   *, who: str = "conv_transpose") -> np.ndarray:
    """Return the geometry of the convolution whose transpose takes `shape` (N, .., C) to `filters` channels.

    Its input is the output of the transposed convolution, and its filters are the C channels.

    Parameters
    ----------
    shape : tuple of int
        Batch, one to three sizes, channels: of the input of the transposed convolution.
    filters : int
        Output channels of the transposed convolution.
    kernel_size, strides, dilation : tuple of int
        An entry a dimension.
    padding : str, int or tuple
        "valid", "same", or what is cut off the output on each side, as in `fastcnn.geometry.arguments`.
    output_padding : tuple of int, optional
        What the output is longer, at the end.
    groups : int
    who : str
        The layer, for the error.

    Raises
    ------
    ArgumentError
        If channels or filters are not divisible by `groups`, or nothing of the output would be left.

    Returns
    -------
    ndarray of CONV2D or CONV3D, shape (1,)
    """
    n, *size, c = shape
    check_groups(c, filters, groups, who)
    lengths, sides = transposed_lengths(tuple(size), kernel_size, strides, padding, output_padding, dilation, who)
    if len(size) == 3:
        return as_images(_volume((n, *lengths, filters), size, c, kernel_size, strides, dilation, sides, groups))
    if len(size) == 1:
        size, lengths, sides = [1, *size], (1, *lengths), ((0, 0), *sides)
        kernel_size, strides, dilation = (1, *kernel_size), (1, *strides), (1, *dilation)
    return _frozen(CONV2D, (n, *lengths, filters, *size, c, *kernel_size, *strides, *dilation, *sides[0], *sides[1],
                            groups))


def check_groups(channels: int, filters: int, groups: int, who: str) -> None:
    """Raise unless channels and filters fall into `groups`."""
    if channels % groups or filters % groups:
        raise ArgumentError(f"{who}: expected channels and filters divisible by groups={groups}, "
                            f"got {channels} channels and {filters} filters")


def as_images(volume: np.ndarray) -> np.ndarray:
    """Return a CONV3D as the CONV2D that it is, if it is one: of all slices, or of all columns of pixels in depth.

    Windows of one slice see slices as images; windows of one pixel see a volume as an image (D, H W).
    """
    g = {name: int(volume[0][name]) for name in CONV3D.names or ()}
    if g["kd"] == g["sd"] == 1 and g["front"] == 0 and g["d"] == g["od"]:
        names = ("h", "w", "c", "oh", "ow", "k", "kh", "kw", "sh", "sw", "dh", "dw", "top", "bottom", "left", "right")
        return _frozen(CONV2D, (g["n"] * g["d"], *(g[name] for name in names), g["groups"]))
    flat = g["kh"] == g["kw"] == g["sh"] == g["sw"] == 1 and g["top"] == g["left"] == 0
    if flat and (g["h"], g["w"]) == (g["oh"], g["ow"]):
        pixels = g["h"] * g["w"]
        return _frozen(CONV2D, (g["n"], g["d"], pixels, g["c"], g["od"], pixels, g["k"], g["kd"], 1, g["sd"], 1,
                                g["dd"], 1, g["front"], g["back"], 0, 0, g["groups"]))
    return volume


@functools.lru_cache(maxsize=4096)
def slices(volume: bytes, count: int) -> np.ndarray:
    """Return the CONV2D of `count` output slices of a CONV3D, whose windows in depth are unfolded into channels."""
    g = np.frombuffer(volume, CONV3D)[0]
    names = ("oh", "ow", "k", "kh", "kw", "sh", "sw", "dh", "dw", "top", "bottom", "left", "right", "groups")
    return _frozen(CONV2D, (count, g["h"], g["w"], g["kd"] * g["c"], *(g[name] for name in names)))


def _volume(shape: tuple[int, ...], outputs: Any, filters: int, window: Any, strides: Any, dilation: Any, sides: Sides,
            groups: int) -> np.ndarray:
    return _frozen(CONV3D, (*shape, *outputs, filters, *window, *strides, *dilation,
                            *(side for pair in sides for side in pair), groups))


def _frozen(kind: np.dtype, values: tuple[Any, ...]) -> np.ndarray:
    return np.array([values], dtype=kind)


def _text(sizes: Any) -> str:
    return "x".join(map(str, sizes))
