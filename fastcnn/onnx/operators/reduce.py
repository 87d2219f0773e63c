"""Reductions over axes, and what searches along them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators._sums import mean, total

_Reduction = Callable[..., np.ndarray]


def _reduced(x: np.ndarray, given: np.ndarray | None, axes: Any, keepdims: int, noop: int,
             reduction: _Reduction) -> np.ndarray:
    if given is not None:
        axes = [int(axis) for axis in given.reshape(-1)]
    if not axes and noop:
        over: tuple[int, ...] | None = ()
    else:
        over = tuple(axes) if axes else None
    return np.asarray(reduction(x, axis=over, keepdims=bool(keepdims))).astype(x.dtype, copy=False)


def _extreme(largest: bool) -> _Reduction:
    def reduction(x: np.ndarray, **over: Any) -> np.ndarray:
        if x.dtype == bool:
            return np.any(x, **over) if largest else np.all(x, **over)
        if np.issubdtype(x.dtype, np.integer):
            bound: Any = np.iinfo(x.dtype).min if largest else np.iinfo(x.dtype).max
        else:
            bound = -np.inf if largest else np.inf
        return (np.max if largest else np.min)(x, initial=bound, **over)

    return reduction


def _log_sum_exp(x: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
    """log sum exp(x), with the largest element taken out so that nothing overflows."""
    z = x.astype(np.float64)
    top = np.max(z, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    result = np.log(np.sum(np.exp(z - top), axis=axis, keepdims=True)) + top
    return result if keepdims else np.squeeze(result, axis=axis)


_REDUCTIONS: dict[str, _Reduction] = {
    "ReduceSum": total,
    "ReduceMean": mean,
    "ReduceProd": lambda x, **over: np.prod(x, dtype=x.dtype, **over),
    "ReduceMax": _extreme(True),
    "ReduceMin": _extreme(False),
    "ReduceL1": lambda x, **over: total(np.abs(x), **over),
    "ReduceL2": lambda x, **over: np.sqrt(np.sum(np.square(x.astype(np.float64)), **over)),
    "ReduceSumSquare": lambda x, **over: total(np.square(x), **over),
    "ReduceLogSum": lambda x, **over: np.log(total(x, **over)),
    "ReduceLogSumExp": _log_sum_exp,
}

for _name, _reduction in _REDUCTIONS.items():

    def _operator(x: np.ndarray, given: np.ndarray | None = None, *, axes: Any = None, keepdims: int = 1,
                  noop_with_empty_axes: int = 0, _reduction: _Reduction = _reduction) -> np.ndarray:
        return _reduced(x, given, axes, keepdims, noop_with_empty_axes, _reduction)

    operator(_name)(_operator)


def _arg(x: np.ndarray, search: Any, axis: int, keepdims: int, last: int) -> np.ndarray:
    if last:
        found = x.shape[axis] - 1 - search(np.flip(x, axis), axis=axis)
    else:
        found = search(x, axis=axis)
    return (np.expand_dims(found, axis) if keepdims else found).astype(np.int64)


@operator("ArgMax")
def arg_max(x: np.ndarray, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> np.ndarray:
    """Where the largest element lies along an axis."""
    return _arg(x, np.argmax, axis, keepdims, select_last_index)


@operator("ArgMin")
def arg_min(x: np.ndarray, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> np.ndarray:
    """Where the smallest element lies along an axis."""
    return _arg(x, np.argmin, axis, keepdims, select_last_index)


@operator("TopK")
def top_k(x: np.ndarray, count: np.ndarray | None = None, *, k: int = 0, axis: int = -1, largest: int = 1,
          sorted: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The k largest (or smallest) elements along an axis, in their order, and where they lie; the first of equals."""
    k = k if count is None else int(count.reshape(-1)[0])
    if largest:  # a stable sort of the reversed array, read backwards, has the first of equals first
        backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
        order = np.flip(x.shape[axis] - 1 - backwards, axis)
    else:
        order = np.argsort(x, axis=axis, kind="stable")
    order = np.take(order, range(k), axis)
    return np.take_along_axis(x, order, axis), order.astype(np.int64)


@operator("NonZero")
def non_zero(x: np.ndarray) -> np.ndarray:
    return np.array(np.nonzero(np.atleast_1d(x)), np.int64)


@operator("Unique")
def unique(x: np.ndarray, *, axis: int | None = None, sorted: int = 1) -> tuple[np.ndarray, ...]:
    """The different elements (or slices along an axis), where each was first, which one each is, and how often."""
    if axis is None:
        x, axis = x.reshape(-1), 0
    y, first, inverse, counts = np.unique(x, True, True, True, axis=axis)
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first)
        place = np.argsort(order)
        y, first, counts, inverse = np.take(y, order, axis), first[order], counts[order], place[inverse]
    return y, *(part.astype(np.int64) for part in (first, inverse, counts))
