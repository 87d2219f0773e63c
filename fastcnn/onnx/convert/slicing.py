"""Parts of a value: slices, splits, and numbers by their index."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import Parts, View
from fastcnn.onnx.operators._memory import check_size
from fastcnn.onnx.operators.arrays import integers
from fastcnn.onnx.operators.slicing import bounds_along, split_sizes


def part(im: Importer, x: View, node: OnnxNode, axis: int, start: int | None, stop: int | None, step: int) -> View:
    """Return start:stop:step along a dimension of the file, as Python's slices."""
    n = x.shape[axis]
    places = range(*slice(start, stop, step).indices(n))
    if not places:
        raise NotOfferedError("a part that is empty")
    if places == range(n):
        return x
    begin = None if places[0] == (n - 1 if step < 0 else 0) else places[0]  # from end to end of any other length, too
    end = places.stop if 0 <= places.stop < n else None
    tensor, at, back = im.exposed(x, axis)
    return back(im.apply(node, layers.Slice, tensor, begin, end, places.step, axis=at))


def picked(im: Importer, x: View, node: OnnxNode, axis: int, indices: np.ndarray) -> View:
    """Return numbers along a dimension of the file by their index, in as many dimensions as the indices have."""
    n = x.shape[axis]
    places = [at + n if at < 0 else at for at in integers(indices)]
    if not places:
        raise NotOfferedError("a part that is empty")
    if any(not 0 <= at < n for at in places):
        raise NotOfferedError(f"the indices {integers(indices)[:8]} into a dimension of {n}")
    steps = {b - a for a, b in itertools.pairwise(places)} or {1}
    if len(steps) == 1 and 0 not in steps:
        step = steps.pop()
        end = places[-1] + (1 if step > 0 else -1)
        y = part(im, x, node, axis, places[0], end if end >= 0 else None, step)
    else:
        tensor, at, back = im.exposed(x, axis)
        y = back(im.apply(node, layers.Take, tensor, tuple(places), axis=at, length=n))
    return im.regrouped(y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1:]))


def sliced(im: Importer, x: View, node: OnnxNode, bounds: Iterable[tuple[int, int, int, int]]) -> View:
    """Return the part of each start, end, axis and step; the axes are the sample's."""
    for begin, end, axis, step in bounds:
        past_the_front = step < 0 and end < -x.shape[axis]  # Python would count it from the end
        x = part(im, x, node, axis, begin, None if past_the_front else end, step)
    return x


def slice_bounds(im: Importer, rank: int, starts: Any, ends: Any, axes: Any,
                 steps: Any) -> list[tuple[int, int, int, int]]:
    """Return the start, end, axis and step of each part, of what a Slice has as inputs, or as attributes."""
    bounds = [default if value is None else im.constant(value, "a part's bound")
              for value, default in (starts, ends, axes, (steps, None))]
    return bounds_along(rank, *bounds)


@converter("Slice")
def slice_(im: Importer, x: View, starts_in: Any = None, ends_in: Any = None, axes_in: Any = None, steps_in: Any = None,
           *, node: OnnxNode, starts: Any = None, ends: Any = None, axes: Any = None) -> View:
    inside = []
    for begin, end, axis, step in slice_bounds(im, len(x.dims) + 1, (starts_in, starts), (ends_in, ends),
                                               (axes_in, axes), steps_in):
        if axis:
            inside.append((begin, end, axis - 1, step))
        elif (begin, step) != (0, 1) or end < im.batch:
            raise NotOfferedError("a part of the batch")
    return sliced(im, x, node, inside)


@converter("Split")
def split(im: Importer, x: View, sizes: Any = None, *, node: OnnxNode, split: Any = None, axis: int = 0,
          num_outputs: int | None = None, outputs: int) -> tuple[View, ...]:
    axis = _of_sample(x, axis)
    given = split if sizes is None else im.constant(sizes, "a part's size")
    ends = np.cumsum([0, *split_sizes(x.shape[axis], given, num_outputs, outputs)]).tolist()
    return tuple(part(im, x, node, axis, begin, end, 1) for begin, end in itertools.pairwise(ends))


@converter("SplitToSequence")
def split_to_sequence(im: Importer, x: View, sizes: Any = None, *, node: OnnxNode, axis: int = 0,
                      keepdims: int = 1) -> Parts:
    """Parts of one size, of which the last may be smaller, or of the sizes given; 1 each where none is."""
    axis = _of_sample(x, axis)
    n = x.shape[axis]
    given = im.constant(np.array(1) if sizes is None else sizes, "a part's size")
    if given.ndim:
        each = split_sizes(n, given, None, given.size)
    elif given < 1:
        raise NotOfferedError("a part that is empty")
    else:
        each = [min(int(given), n - at) for at in range(0, n, int(given))]
    return Parts(x, axis, tuple(np.cumsum([0, *each]).tolist()), sizes is not None or bool(keepdims))


@converter("SequenceAt")
def sequence_at(im: Importer, x: Parts, position: Any, *, node: OnnxNode) -> View:
    at, count = int(im.constant(position, "a place in a sequence").item()), len(x.ends) - 1
    if not -count <= at < count:
        raise NotOfferedError(f"place {at} of a sequence of {count}")
    y = part(im, x.view, node, x.axis, x.ends[at % count], x.ends[at % count + 1], 1)
    return y if x.keeps else im.regrouped(y, (*y.shape[:x.axis], *y.shape[x.axis + 1:]))


def _of_sample(x: View, axis: int) -> int:
    axis = x.axis(axis) - 1
    if axis < 0:
        raise NotOfferedError("parts of the batch")
    return axis


@converter("Gather")
def gather(im: Importer, x: Any, indices: Any, *, node: OnnxNode, axis: int = 0) -> View:
    at = im.constant(indices, "an index")
    if not isinstance(x, View) or x.axis(axis) == 0:
        raise NotOfferedError("samples picked by index")
    return picked(im, x, node, x.axis(axis) - 1, at)


@converter("Tile")
def tile(im: Importer, x: View, repeats: Any, *, node: OnnxNode) -> View:
    """A dimension side by side with itself; one of a single number is repeated."""
    times = integers(im.constant(repeats, "how often to repeat"))
    if len(times) != len(x.dims) + 1:
        raise NotOfferedError(f"Tile of {[None, *x.shape]} by {times}")
    if times[0] != 1:
        raise NotOfferedError("Tile of the batch")
    if min(times) < 1:
        raise NotOfferedError("a part that is empty")
    check_size("Tile", [n * count for n, count in zip(x.shape, times[1:])], im.dtype)
    for axis, count in enumerate(times[1:]):
        if count > 1:
            tensor, at, back = im.exposed(x, axis)
            if x.shape[axis] == 1:
                x = back(im.apply(node, layers.Take, tensor, (0,) * count, axis=at, length=1))
            else:
                x = back(im.apply(node, layers.Concatenate, [tensor] * count, axis=at))
    return x
