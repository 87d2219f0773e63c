"""Operands of emitted functions: an array, an offset into it, and strides.

In Python they are plain tuples. So what belongs together is one argument, and no offset can be mixed up with another::

    (x, at)                        numbers from x[at] on
    (x, (at, row, column))         the same, and two strides

In LLVM they are a pointer and integers, as if each were an argument of its own.
"""

from typing import Any

from numba import types
from numba.core import cgutils


def is_operand(kind: Any) -> bool:
    """Return whether a type of Numba's is that of an operand."""
    return isinstance(kind, types.BaseTuple) and len(kind.types) == 2 and isinstance(kind.types[0], types.Array)


def dtype_of(kind: Any) -> Any:
    """Return the type of an operand's numbers."""
    return kind.types[0].dtype


def unpacked(context: Any, builder: Any, kind: Any, operand: Any) -> tuple[Any, list[Any]]:
    """Return the pointer to where an operand begins, and its strides."""
    array, place = cgutils.unpack_tuple(builder, operand)
    numbers = integers(context, builder, kind.types[1], place)
    at, *steps = numbers if isinstance(numbers, list) else [numbers]
    return builder.gep(context.make_array(kind.types[0])(context, builder, array).data, [at]), steps


def integers(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return an integer of any type as an int64, and a tuple of them, or a record, as a list."""
    if isinstance(kind, types.BaseTuple):
        parts = zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)
        return [integers(context, builder, *part) for part in parts]
    return context.cast(builder, value, kind, types.int64)


def converted(context: Any, builder: Any, kind: Any, value: Any, wanted: Any) -> Any:
    """Return a number, or a tuple or record of them, as another type of the same shape."""
    if not isinstance(wanted, types.BaseTuple):
        return context.cast(builder, value, kind, wanted)
    parts = zip(kind.types, cgutils.unpack_tuple(builder, value), wanted.types, strict=True)
    return context.make_tuple(builder, wanted, [converted(context, builder, *part) for part in parts])
