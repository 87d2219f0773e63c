"""Sizes left open: shapes with None after the batch, such as (None, None, None, 3) of images of any size.

A layer knows no arithmetic of None. It is asked for two sizes in the place of each open one, and what comes out
different is open, too::

    Conv2D(8, 3)                (None, None, None, 3)      (None, 20160, 20160, 3) to (None, 20158, 20158, 8)
                                                           (None, 40320, 40320, 3) to (None, 40318, 40318, 8)
                             to (None, None, None, 8)
    GlobalAveragePooling2D()    (None, None, None, 8)   to (None, 8)

What has a size left open runs nothing: whatever runs is a twin for the size of an array (`Built.for_shape`).
"""

import functools
from collections.abc import Callable
from typing import Any

from fastcnn import symbolic
from fastcnn.errors import ArgumentError

Shape = tuple[Any, ...]

_SIZES = 20160, 40320  # larger than any window, and divided by what strides, blocks and scales are: 64, 9, 5, 7
_SMALL = 64, 128  # for shapes of parameters, which would be large where they depend on the size


def is_open(shape: Any) -> bool:
    """Return whether a shape, or one of several, has None after the batch."""
    if symbolic.several(shape):
        return any(map(is_open, shape))
    return shape is not None and None in shape[1:]


def fits(shape: Shape, wanted: Shape) -> bool:
    """Return whether the shape of an array is one that a shape with None means; the batch may be any."""
    return len(shape) == len(wanted) and all(
        m is None or n == m for n, m in zip(shape[1:], wanted[1:], strict=True))


def filled(shape: Any, size: int) -> Any:
    """Return a shape, or several, with a size in the place of each open one."""
    if symbolic.several(shape):
        return tuple(filled(one, size) for one in shape)
    return *shape[:1], *(size if n is None else n for n in shape[1:])


def of_parameters(shape: Any) -> list[Any]:
    """Return shapes for which a layer's parameters must be alike: the shape itself, or two of other sizes."""
    return [filled(shape, size) for size in _SMALL] if is_open(shape) else [shape]


def answered(shape: Any, ask: Callable[[Any], Any]) -> Any:
    """Return what comes of a shape whose sizes are open.

    Parameters
    ----------
    shape : tuple
        Or a tuple of shapes.
    ask : callable
        From a shape without open sizes to what comes of it.

    Raises
    ------
    ArgumentError
        As `ask`.
    """
    try:
        first, second = (ask(filled(shape, size)) for size in _SIZES)
    except ArgumentError as error:
        known = _as_others(shape)
        if known is None:
            raise ArgumentError(str(error).replace(str(_SIZES[0]), "None")) from None
        return answered(known, ask) if is_open(known) else ask(known)
    return _joined(first, second)


def taken(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `compute_output_shape` that takes shapes with open sizes, of one that does not."""
    @functools.wraps(compute)
    def compute_output_shape(self: Any, input_shape: Any, *others: Any, **more: Any) -> Any:
        if not is_open(input_shape):
            return compute(self, input_shape, *others, **more)
        return answered(input_shape, lambda shape: compute(self, shape, *others, **more))

    return compute_output_shape


def _joined(first: Any, second: Any) -> Any:
    """Return what two shapes have in common, None in the other places."""
    if symbolic.several(first):
        return tuple(map(_joined, first, second))
    return tuple(a if a == b else None for a, b in zip(first, second, strict=True))


def _as_others(shapes: Any) -> Any:
    """Return several shapes with open sizes as others of them have it at that axis, from the end; None if none has."""
    if not symbolic.several(shapes):
        return None
    found = []
    for shape in shapes:
        one = list(shape)
        for axis in range(1, len(shape)):
            known = {other[axis - len(shape)] for other in shapes if len(other) > len(shape) - axis} - {None, 1}
            if one[axis] is None and len(known) == 1:
                one[axis] = known.pop()
        found.append(tuple(one))
    return None if tuple(found) == tuple(shapes) else tuple(found)
