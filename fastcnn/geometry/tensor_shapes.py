"""Shapes of operations on whole tensors, as NumPy has them; a length that is not known before there is data is None.

That is the batch's: it stays unknown where it is cut, joined or flattened. Where two unknown lengths meet they are
taken as equal, and the operation tells when it runs if they are not.
"""

import math
from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer

Shape = tuple[Any, ...]  # of int and None


def from_front(axis: Any, rank: int, who: str) -> int:
    """Return an axis of `rank` counted from the front.

    Raises
    ------
    ArgumentError
        If there is no such axis.
    """
    if not is_integer(axis) or not -rank <= axis < rank:
        raise ArgumentError(f"{who}: expected an axis of the {rank} dimensions, got {axis!r}")
    return int(axis) % rank


def axes_from_front(axis: Any, rank: int, who: str) -> tuple[int, ...]:
    """Return axes counted from the front, in rising order; None stands for all of them.

    Raises
    ------
    ArgumentError
        If one is not there, or is named twice.
    """
    if axis is None:
        return tuple(range(rank))
    found = sorted(from_front(one, rank, who) for one in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    if len(set(found)) < len(found):
        raise ArgumentError(f"{who}: expected different axes, got {axis!r}")
    return tuple(found)


def together(shapes: Sequence[Shape], who: str) -> Shape:
    """Return the shape that shapes broadcast to, as NumPy does it: short ones get dimensions of 1 in front.

    Raises
    ------
    ArgumentError
        If they do not fit together.
    """
    rank = max(map(len, shapes))
    found = []
    for column in zip(*[(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes], strict=True):
        known = {n for n in column if n is not None and n != 1}
        if len(known) > 1:
            raise ArgumentError(f"{who}: expected shapes that fit together, got {' and '.join(map(str, shapes))}")
        found.append(known.pop() if known else None if None in column else 1)
    return tuple(found)


def reduced(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    """Return a shape without some of its axes, or with 1 in their places.

    Parameters
    ----------
    axes : sequence of int
        Counted from the front.
    """
    return tuple(1 if k in axes else n for k, n in enumerate(shape) if keepdims or k not in axes)


def reshaped(shape: Shape, wanted: Sequence[Any], who: str) -> Shape:
    """Return a new shape of as many elements; one of its lengths may be -1, or None for that of the batch.

    Where more than one length of the old is not known, so many of the new ones are not, either.

    Raises
    ------
    ArgumentError
        If the numbers of elements do not agree, or more than one length is left open.
    """
    new = [None if n is None else int(n) for n in wanted]
    known, rest = math.prod(n for n in shape if n is not None), math.prod(n for n in new if n not in (None, -1))
    if shape.count(None) > 1 and shape.count(None) == new.count(None) + new.count(-1) and rest > 0:
        return tuple(None if n == -1 else n for n in new)
    fits = max(shape.count(None), new.count(-1), new.count(None)) < 2 and all(n is None or n >= -1 for n in new)
    if fits and None not in shape and None in new and -1 in new:
        fits = False  # which of the two lengths is which, nobody has said
    elif fits and None in shape and None in new and -1 in new:
        fits = rest > 0 and known % rest == 0
        new[new.index(-1)] = known // max(1, rest)
    elif fits and None in shape:
        fits = rest > 0 if -1 in new or None in new else known > 0 and rest % known == 0
        new = [None if n == -1 else n for n in new]
    elif fits and (None in new or -1 in new):
        fits = rest > 0 and known % rest == 0
        new = [known // max(1, rest) if n in (None, -1) else n for n in new]
    elif fits:
        fits = known == rest
    if not fits:
        raise ArgumentError(f"{who}: expected a shape with as many elements as {shape}, got {tuple(wanted)}")
    return tuple(new)


def concatenated(shapes: Sequence[Shape], axis: int, who: str) -> Shape:
    """Return the shape of arrays side by side along an axis, which is counted from the front.

    Raises
    ------
    ArgumentError
        If they differ along another axis.
    """
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(first) or any(a != b and None not in (a, b) for k, (a, b) in enumerate(
                zip(first, shape, strict=True)) if k != axis):
            raise ArgumentError(f"{who}: expected shapes that differ along axis {axis} alone, "
                                f"got {' and '.join(map(str, shapes))}")
    lengths = [shape[axis] for shape in shapes]
    return *first[:axis], None if None in lengths else sum(lengths), *first[axis + 1:]


#: What a part in brackets says of one axis: a place, a slice, a new axis.
PLACE, PART, NEW = "place", "part", "new"


def part_of(key: Any, rank: int, who: str) -> list[list[Any]]:
    """Return what stands in brackets as a list that JSON can hold, an entry for each axis and each new one.

    Parameters
    ----------
    key : int, slice, None, Ellipsis, or a tuple of them
    rank : int
    who : str

    Raises
    ------
    ArgumentError
        If it is something else, or asks for more axes than there are.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    dots = [k for k, one in enumerate(keys) if one is Ellipsis]
    named = sum(one is not None and one is not Ellipsis for one in keys)
    if len(dots) > 1 or named > rank:
        raise ArgumentError(f"{who}: expected a part of {rank} dimensions, got [{key!r}]")
    at = dots[0] if dots else len(keys)
    keys[at:at + 1] = [slice(None)] * (rank - named)
    found: list[list[Any]] = []
    for one in keys:
        if one is None:
            found.append([NEW])
        elif isinstance(one, slice) and all(n is None or is_integer(n) for n in (one.start, one.stop, one.step)):
            found.append([PART, *(None if n is None else int(n) for n in (one.start, one.stop, one.step))])
        elif is_integer(one):
            found.append([PLACE, int(one)])
        else:
            raise ArgumentError(f"{who}: expected integers, slices, None and ... in brackets, got {one!r}; "
                                f"ops.take takes entries by their index")
    return found


def slices_of(part: Sequence[Sequence[Any]], shape: Shape, who: str) -> tuple[slice, ...]:
    """Return a slice for each axis of a shape; a place is one of length 1.

    Raises
    ------
    ArgumentError
        If a place lies outside.
    """
    found = []
    for (kind, *told), n in zip((one for one in part if one[0] != NEW), shape, strict=True):
        if kind == PART:
            found.append(slice(*told))
            continue
        if n is not None and not -n <= told[0] < n:
            raise ArgumentError(f"{who}: expected a place among {n}, got {told[0]}")
        found.append(slice(told[0], told[0] + 1 if told[0] != -1 else None))
    return tuple(found)


def parted(part: Sequence[Sequence[Any]], shape: Shape, who: str) -> Shape:
    """Return the shape of a part, as `part_of` tells it."""
    lengths = iter(None if n is None else len(range(*at.indices(n)))
                   for at, n in zip(slices_of(part, shape, who), shape, strict=True))
    found: list[Any] = []
    for kind, *_ in part:
        if kind == NEW:
            found.append(1)
            continue
        n = next(lengths)
        if kind == PART:
            found.append(n)
    return tuple(found)
