"""Elementwise operations of two arrays that broadcast: kernels see both in three dimensions."""

import operator
from collections.abc import Sequence

import numpy as np

from fastcnn import device
from fastcnn.geometry.broadcast import as_three, broadcast, with_rank
from fastcnn.kernels import codes

_OF_ONE_SHAPE = (codes.MAXIMUM, codes.MINIMUM)  # kernels take these for equal shapes alone
_RANK = operator.attrgetter("ndim")  # in C: a comprehension would call Python code
_NONE = {np.dtype(kind): np.empty((0, 0, 0), kind) for kind in (np.float32, np.float64)}


def aligned(arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Return arrays as views of one rank, those of fewer dimensions with 1 after the batch."""
    ranks = list(map(_RANK, arrays))
    rank = max(ranks)
    return arrays if min(ranks) == rank else [x.reshape(with_rank(x.shape, rank)) for x in arrays]


def merged(a: np.ndarray, b: np.ndarray, code: int, alpha: float = 1.0, beta: float = 1.0,
           relu: bool = False) -> np.ndarray:
    """Return what a code of the kernels makes of two arrays of one rank; SUM: alpha a + beta b, rectified if `relu`.

    Parameters
    ----------
    a, b : arrays of one rank
    code : int
        SUM, PRODUCT, MAXIMUM, ... of `fastcnn.kernels.codes`.
    alpha, beta : float
    relu : bool
    """
    d, shape = device.of(a), broadcast(a.shape, b.shape)
    three = as_three(shape, a.shape, b.shape)
    if three is None or (code in _OF_ONE_SHAPE and a.shape != b.shape):
        return merged(expanded(a, shape), expanded(b, shape), code, alpha, beta, relu)
    y = d.empty(shape, a.dtype)
    d.kernels.merge_forward(y.reshape(three[0]), a.reshape(three[1]), b.reshape(three[2]), code, alpha, beta, int(relu))
    return y


def merge_gradients(dy: np.ndarray, a: np.ndarray, b: np.ndarray, code: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of both inputs of what `merged` made, but for SUM.

    Parameters
    ----------
    dy, a, b : arrays
    code : int
        As of `merged`.
    """
    d = device.of(dy)
    three = as_three(dy.shape, a.shape, b.shape)
    if three is None or (code in _OF_ONE_SHAPE and a.shape != b.shape):
        da, db = merge_gradients(dy, expanded(a, dy.shape), expanded(b, dy.shape), code)
        return summed_to(da, a.shape), summed_to(db, b.shape)
    da, db = d.empty(a.shape, a.dtype), d.empty(b.shape, b.dtype)
    scratch = d.empty((d.kernels.merge_backward_scratch(*three, dy.dtype),), dy.dtype)
    d.kernels.merge_backward(da.reshape(three[1]), db.reshape(three[2]), scratch, dy.reshape(three[0]),
                             a.reshape(three[1]), b.reshape(three[2]), code, 1.0, 1.0)
    return da, db


def summed_to(g: np.ndarray, shape: tuple[int, ...], scale: float = 1.0) -> np.ndarray:
    """Return scale g, summed over the dimensions that are 1 in `shape`; g itself where that changes nothing.

    Parameters
    ----------
    g : array
    shape : tuple of int
    scale : float
    """
    if g.shape == shape:
        return scaled(g, scale)
    three = as_three(g.shape, shape, g.shape)
    if three is None:  # such as (N, H, W, C) to (N, 1, W, 1): the last range of dimensions first
        end = max(k for k in range(len(shape)) if shape[k] != g.shape[k])
        begin = end
        while begin > 0 and (shape[begin - 1] != g.shape[begin - 1] or g.shape[begin - 1] == 1):
            begin -= 1
        return summed_to(summed_to(g, g.shape[:begin] + shape[begin:]), shape, scale)
    d, (whole, part, _) = device.of(g), three
    dx = d.empty(shape, g.dtype)
    scratch = d.empty((d.kernels.merge_backward_scratch(whole, part, (0, 0, 0), g.dtype),), g.dtype)
    views = dx.reshape(part), g.reshape(whole)
    d.kernels.merge_backward(views[0], _NONE[g.dtype], scratch, views[1], *views, codes.SUM, scale, 0.0)
    return dx


def scaled(x: np.ndarray, scale: float) -> np.ndarray:
    """Return scale x; x itself where the scale is 1.

    Parameters
    ----------
    scale : float
    """
    if scale == 1.0:
        return x
    factor = device.of(x).full((1, 1, 1), x.dtype, scale)
    return merged(x, factor.reshape((1,) * x.ndim), codes.PRODUCT)


def expanded(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return x with its numbers repeated, for the few shapes that kernels cannot see in three dimensions."""
    if x.shape == shape:
        return x
    d = device.of(x)
    whole = d.empty(shape, x.dtype)
    d.copy(whole, x)
    return whole
