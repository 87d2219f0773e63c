"""Pooling in any number of dimensions as one or two passes of pooling in 2D.

A window in 1D is a window on an image of one row. In 3D the windows of the planes come first, then those of the depth,
for which a plane is one pixel with very many channels; both views cost nothing, and maxima, sums and products of counts
are what they would be in one go::

    (N, D, H, W, C)  ->  (N D, H, W, C)  ->  (N D, H', W', C)  ->  (N, D, 1, H' W' C)  ->  (N, D', 1, H' W' C)
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry import adaptive_pool2d, output_length, pool2d
from fastcnn.geometry.arguments import Sides, same_padding


class PoolingPass(NamedTuple):
    """One pooling in 2D: the shapes of its input and output, and its geometry."""

    shape: tuple[int, int, int, int]
    out: tuple[int, int, int, int]
    geometry: np.ndarray


def output_lengths(shape: Sequence[int], pool_size: Sequence[int], strides: Sequence[int], padding: str | Sides,
                   dilation: Sequence[int], ceil_mode: bool, who: str) -> tuple[int, ...]:
    """Return how many windows fit each dimension of `shape`, which has neither batch nor channels.

    Raises
    ------
    ArgumentError
        If none fits, or the border is so wide that a window would see no pixel.
    """
    lengths = []
    for k, (length, window, stride, gap) in enumerate(zip(shape, pool_size, strides, dilation, strict=True)):
        reach = (window - 1) * gap + 1
        if isinstance(padding, str):
            before, after = same_padding(length, window, stride, gap) if padding == "same" else (0, 0)
        else:
            before, after = padding[k]
        if padding != "same" and max(before, after) >= reach:
            raise ArgumentError(f"{who}: expected padding smaller than the window {tuple(pool_size)}, got {padding!r}: "
                                f"a window would see no pixel")
        lengths.append(output_length(length, window, stride, gap, before, after, ceil_mode))
    if min(lengths) < 1:
        raise ArgumentError(f"{who}: expected an input that a window of {'x'.join(map(str, pool_size))} (dilation "
                            f"{tuple(dilation)}) fits, got {'x'.join(map(str, shape))} pixels with padding "
                            f'{padding!r}; use a smaller window or padding="same"')
    return tuple(lengths)


@functools.lru_cache(maxsize=1024)
def passes(shape: tuple[int, ...], pool_size: tuple[int, ...], strides: tuple[int, ...],
           padding: str | Sides = "valid", who: str = "pool", *, dilation: tuple[int, ...] | None = None,
           ceil_mode: bool = False, least: bool = False, divisor: int = 0) -> tuple[PoolingPass, ...]:
    """Return the poolings in 2D that make a pooling of `shape` (N, L, C), (N, H, W, C) or (N, D, H, W, C).

    Parameters
    ----------
    shape, pool_size, strides, dilation : tuple of int
    padding : str or tuple
        "valid", "same", or as `sides` returns it.
    who : str
    ceil_mode, least, divisor : as `pool2d`
    """
    rank = len(shape) - 2
    dilation = (1,) * rank if dilation is None else dilation

    def one(image: tuple[int, ...], at: tuple[int | None, ...]) -> PoolingPass:
        """Pool an image whose rows and columns are the dimensions `at` (None: there is but one, and it stays)."""
        def pick(values: Any, default: Any) -> Any:
            return tuple(default if k is None else values[k] for k in at)

        border = padding if isinstance(padding, str) else pick(padding, (0, 0))
        g = pool2d(image, pick(pool_size, 1), pick(strides, 1), border, who, dilation=pick(dilation, 1),
                   ceil_mode=ceil_mode, least=least, divisor=divisor)
        return _pass(g)

    if rank == 1:
        return (one((shape[0], 1, *shape[1:]), (None, 0)),)
    if rank == 2:
        return (one(shape, (0, 1)),)
    plane = one((shape[0] * shape[1], *shape[2:]), (1, 2))
    return plane, one((shape[0], shape[1], 1, math.prod(plane.out[1:])), (0, None))


@functools.lru_cache(maxsize=1024)
def adaptive_passes(shape: tuple[int, ...], output_size: tuple[int, ...]) -> tuple[PoolingPass, ...]:
    """As `passes`, of the pooling that makes `output_size` of whatever there is."""
    if len(shape) == 3:
        return (_pass(adaptive_pool2d((shape[0], 1, shape[1], shape[2]), (1, *output_size))),)
    if len(shape) == 4:
        return (_pass(adaptive_pool2d(shape, output_size)),)
    plane = _pass(adaptive_pool2d((shape[0] * shape[1], *shape[2:]), output_size[1:]))
    depth = adaptive_pool2d((shape[0], shape[1], 1, math.prod(plane.out[1:])), (output_size[0], 1))
    return plane, _pass(depth)


def _pass(g: np.ndarray) -> PoolingPass:
    n, h, w, c, oh, ow = (int(g[0][name]) for name in ("n", "h", "w", "c", "oh", "ow"))
    return PoolingPass((n, h, w, c), (n, oh, ow, c), g)
