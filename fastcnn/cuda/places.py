"""Slices with steps and broadcasting on a card: which element goes where, as distances for one kernel."""

from typing import Any

import numpy as np

from fastcnn.cuda.array import DeviceArray
from fastcnn.errors import DeviceError
from fastcnn.kernels.cuda.slices import AXES, copy_places

_WORDS = {1: np.dtype(np.uint8), 4: np.dtype(np.int32), 8: np.dtype(np.int64)}


def of_slices(whole: DeviceArray, at: tuple[slice, ...], part: DeviceArray, reads: bool) -> None:
    """Copy between ``whole[at]`` and `part`, which has its shape.

    Parameters
    ----------
    whole, part : DeviceArray
        Of one type.
    at : tuple of slice
        Of the first axes, or of all.
    reads : bool
        From whole to part, or back.
    """
    steps, begin, shape = _steps(whole.shape), 0, []
    found = []
    for length, step, one in zip(whole.shape, steps, (*at, *(slice(None),) * (whole.ndim - len(at))), strict=True):
        first, last, stride = one.indices(length)
        begin += first * step
        found.append(stride * step)
        shape.append(len(range(first, last, stride)))
    inside, outside = (begin, tuple(found)), (0, _broadcast(part.shape, tuple(shape)))
    if reads:
        _copied(part, outside, whole, inside, tuple(shape))
    else:
        _copied(whole, inside, part, outside, tuple(shape))


def copied(out: DeviceArray, x: DeviceArray) -> None:
    """Write `x` to `out`, with broadcasting."""
    _copied(out, (0, _steps(out.shape)), x, (0, _broadcast(x.shape, out.shape)), out.shape)


def _copied(out: DeviceArray, out_at: Any, x: DeviceArray, x_at: Any, shape: tuple[int, ...]) -> None:
    shape, out_steps, x_steps = _joined(shape, out_at[1], x_at[1])
    if len(shape) > AXES:
        raise DeviceError(f"cuda: expected slices that differ along at most {AXES} axes, got {len(shape)}; "
                          f"reshape first")
    copy_places(_as_words(out), (out_at[0], out_steps), _as_words(x), (x_at[0], x_steps), shape)


def _as_words(array: DeviceArray) -> DeviceArray:
    kind = _WORDS.get(array.dtype.itemsize)
    if kind is None:
        raise DeviceError(f"cuda: expected numbers of 1, 4 or 8 bytes to copy slices of, got {array.dtype.name}")
    return DeviceArray(array.pointer, array.shape, kind, array.size, array.block)


def _steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the distances of a contiguous array's elements along its axes."""
    steps, step = [], 1
    for length in reversed(shape):
        steps.append(step)
        step *= length
    return tuple(reversed(steps))


def _broadcast(shape: tuple[int, ...], to: tuple[int, ...]) -> tuple[int, ...]:
    """Return an array's distances along the axes of a larger shape: 0 where its numbers are repeated."""
    np.broadcast_shapes(shape, to)
    missing = len(to) - len(shape)
    return (0,) * missing + tuple(0 if length == 1 else step
                                  for length, step in zip(shape, _steps(shape), strict=True))


def _joined(shape: tuple[int, ...], *steps: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Return axes with those joined that lie behind one another in both arrays, without axes of length 1."""
    axes: list[list[int]] = []
    for length, *each in zip(shape, *steps, strict=True):
        if length == 1:
            continue
        if axes and all(before == one * length for before, one in zip(axes[-1][1:], each, strict=True)):
            axes[-1] = [axes[-1][0] * length, *each]
        else:
            axes.append([length, *each])
    return tuple(map(tuple, zip(*axes, strict=True))) if axes else ((1,), (0,), (0,))  # type: ignore[return-value]
