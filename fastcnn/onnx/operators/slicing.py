"""Parts of arrays, and borders around them."""

import itertools
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import check_size, from_front
from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators.arrays import integers


@operator("Split")
def split(x: np.ndarray, sizes: np.ndarray | None = None, *, split: Any = None, axis: int = 0,
          num_outputs: int | None = None, outputs: int = 1) -> tuple[np.ndarray, ...]:
    """x in parts along an axis: of the given sizes, or equal ones, of which the last may be smaller."""
    ends = np.cumsum([0, *split_sizes(x.shape[axis], split if sizes is None else sizes, num_outputs, outputs)])
    where: list[Any] = [slice(None)] * x.ndim
    result = []
    for begin, end in itertools.pairwise(ends):
        where[axis] = slice(int(begin), int(end))
        result.append(x[tuple(where)])
    return tuple(result)


def split_sizes(length: int, sizes: Any, num_outputs: int | None, outputs: int) -> list[int]:
    """Return the sizes of a Split's parts: as given, or equal ones, of which the last may be smaller."""
    count = np.size(sizes) if sizes is not None else num_outputs or outputs
    if count != outputs:
        raise ModelFileError(f"Split: expected a part for each of {outputs} outputs, got {count}")
    part = -(-length // count)
    parts = [max(0, min(part, length - at * part)) for at in range(count)] if sizes is None else integers(sizes)
    if sum(parts) != length or min(parts) < 0:
        raise ModelFileError(f"Split: expected parts that make up {length}, got {parts}")
    return parts


@operator("Slice")
def slice_(x: np.ndarray, starts_in: np.ndarray | None = None, ends_in: np.ndarray | None = None,
           axes_in: np.ndarray | None = None, steps_in: np.ndarray | None = None, *, starts: Any = None,
           ends: Any = None, axes: Any = None) -> np.ndarray:
    """Every so many-th element from start to end along each axis, as Python's slices."""
    first, last, along = (a if given is None else given
                          for a, given in ((starts, starts_in), (ends, ends_in), (axes, axes_in)))
    where: list[Any] = [slice(None)] * x.ndim
    for begin, stop, axis, step in bounds_along(x.ndim, first, last, along, steps_in):
        if step < 0 and stop < -x.shape[axis]:  # past the front: Python would count it from the end
            where[axis] = slice(begin, None, step)
        else:
            where[axis] = slice(begin, stop, step)
    return x[tuple(where)]


def bounds_along(rank: int, starts: Any, ends: Any, axes: Any, steps: Any) -> list[tuple[int, int, int, int]]:
    """Return the start, end, axis and step of each part that a Slice takes; None for axes and steps left out."""
    first = integers(starts)
    along = [from_front(axis, rank) for axis in (range(len(first)) if axes is None else integers(axes))]
    whole = first, integers(ends), along, [1] * len(first) if steps is None else integers(steps)
    if len({len(part) for part in whole}) > 1 or len(set(along)) < len(along):
        raise ModelFileError("Slice: expected a start, an end and a step for each axis, and no axis twice, "
                             f"got {', '.join(map(str, whole))}")
    return list(zip(*whole))


_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "wrap": "wrap"}


@operator("Pad")
def pad(x: np.ndarray, pads_in: np.ndarray | None = None, value_in: np.ndarray | None = None,
        axes_in: np.ndarray | None = None, *, pads: Any = None, paddings: Any = None, mode: str = "constant",
        value: float = 0.0) -> np.ndarray:
    """x with a border: of a value, of its edge, of its reflection, or of its other end; negative ones cut off."""
    amounts = integers(pads_in) if pads_in is not None else list(pads if pads is not None else paddings)
    axes = list(range(x.ndim)) if axes_in is None else [from_front(a, x.ndim) for a in integers(axes_in)]
    if mode not in _MODES or len(amounts) != 2 * len(axes):
        raise ModelFileError(f"Pad: expected two amounts for each of {len(axes)} axes and one of {list(_MODES)}, "
                             f"got {amounts} and {mode!r}")
    border, inside = [(0, 0)] * x.ndim, [slice(None)] * x.ndim
    for axis, before, after in zip(axes, amounts[: len(axes)], amounts[len(axes) :]):
        border[axis] = max(before, 0), max(after, 0)
        inside[axis] = slice(max(-before, 0), x.shape[axis] + min(after, 0))
    check_size("Pad", [n + sum(b) for n, b in zip(x.shape, border)], x.dtype)
    if mode != "constant":
        return np.pad(x[tuple(inside)], border, _MODES[mode])  # type: ignore[call-overload]
    fill = value if value_in is None or not value_in.size else value_in.reshape(-1)[0]
    return np.pad(x[tuple(inside)], border, constant_values=np.asarray(fill, x.dtype))
