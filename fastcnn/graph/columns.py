"""Tables that stand side by side in another one from the start: copies that a captured prediction leaves out.

A concatenation copies its inputs into the columns of its output. Where an input is the first of them, and kernels write
and read it that can leave the columns behind it alone (`wide`), it may lie in the output from the beginning. In a dense
block each concatenation holds the one before it, and so all of them become one table::

    a  <- ..                                   c[:, :4] <- ..
    b  <- a, p    copy a, copy p               c[:, 4:6] <- p
    c  <- b, q    copy b, copy q     -->       c[:, 6:8] <- q
    conv(a), conv(b)                           conv of the first 4, of the first 6 columns of c
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Call = tuple[Any, tuple[Any, ...]]


def without_copies(calls: Sequence[Call], copy_columns: Any, mine: set[int], others: Sequence[np.ndarray]
                   ) -> list[Call]:
    """Return calls of kernels in which tables lie where they would be copied to.

    Parameters
    ----------
    calls : sequence of (kernel, arguments)
    copy_columns : kernel
        Takes (out, to, source, of, columns).
    mine : set of int
        The blocks of memory that may be placed anew, by the ids of their arrays.
    others : sequence of array
        Inputs and outputs, which stay where they are.
    """
    found: list[Call | None] = list(calls)
    uses: dict[int, list[tuple[int, int]]] = {}  # of each block: calls, and which of their arguments
    for at, (_, args) in enumerate(calls):
        for k, array in enumerate(args):
            if isinstance(array, np.ndarray):
                uses.setdefault(id(array.base), []).append((at, k))
    fixed = {id(array.base) for array in others}
    # From the last to the first: a table goes straight to where the table that it goes into has gone.
    for at in reversed(range(len(calls))):
        if calls[at][0] is not copy_columns:
            continue
        _, (out, to, source, of, columns) = calls[at]
        inner, outer = id(source.base), id(out.base)
        if not (to == of == 0 and columns == source.shape[1] and {inner, outer} <= mine and inner not in fixed):
            continue
        made = all(calls[one][0] is copy_columns and k == 0 for one, k in uses[outer] if one <= at)
        if not made or not all(_is_wide(calls[one], k, source) for one, k in uses[inner]):
            continue
        place = found[at][1][0]  # type: ignore[index]  # each copy is left out once
        found[at] = None
        for one, k in uses[inner]:
            if found[one] is not None:
                kernel, args = found[one]  # type: ignore[misc]
                found[one] = kernel, (*args[:k], place, *args[k + 1:])
    return [call for call in found if call is not None]


def _is_wide(call: Call, k: int, table: np.ndarray) -> bool:
    """Return whether an argument of a call is a table, all of it, that may have further columns."""
    kernel, args = call
    array = args[k]
    return (k in getattr(kernel, "wide", ()) and array.shape == table.shape and array.dtype == table.dtype
            and array.ctypes.data == table.ctypes.data)
