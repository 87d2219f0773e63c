"""Sums that are the same bits on every card and whose error does not grow with the number of terms.

No kernel adds into memory that another block adds to. A long sum is cut into *parts*, by shapes alone; each part has
one thread or one block, which adds its terms in order, and one more kernel folds the parts, in order.
"""

import functools

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1, sized

TERMS = 256  # of a part: what one thread adds


@inlined
def added(total, rest, term):
    """Return total + term, and the rest that the rounding of it lost (Kahan, 1965); begin with (0, 0)."""
    wanted = term - rest
    new = total + wanted
    return new, (new - total) - wanted


def parts_of(terms: int) -> int:
    """Return into how many parts a sum is cut."""
    return max(1, -(-terms // TERMS))


def fold(out, parts, count, size, add=False):
    """Write out[i] = sum of parts[p, i] over p, for `size` elements and `count` parts; `add` adds it to out[i].

    Parameters
    ----------
    out : (size,) array
        Written, or added to.
    parts : (count, size) array
    count, size : int
    add : bool
    """
    fold_parts[blocks_for(size), THREADS](out, parts, count, size, int(add))


@kernel
def fold_parts(out: floats, parts: floats, count: i32, size: i32, add: i32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        total, rest = f32(0), f32(0)
        for part in range(count):
            total, rest = added(total, rest, load1(parts, part * size + i))
        out[i] = load1(out, i) + total if add != 0 else total


# --- columns of a table -----------------------------------------------------------------------------------------------

_ACROSS = sized(32, 3)  # columns of a block, at most: a warp reads neighbours
_ROWS, _PARTS = sized(32, 2), sized(1024, 3)  # rows of a thread, at least; parts, at most


@functools.lru_cache(maxsize=4096)
def columns_plan(rows, columns):
    """Return how sums over the rows of a table are cut: (grid, numbers, parts).

    The numbers are those that `place_of` takes, after the place of the thread: columns of a block, its *lanes*, whose
    rows take turns, and the rows of a part.

    Parameters
    ----------
    rows, columns : int
    """
    across = max(1, min(columns, _ACROSS))
    lanes = THREADS // across
    each = max(lanes * _ROWS, -(-rows // _PARTS))
    parts = max(1, -(-rows // each))
    return (parts, max(1, -(-columns // across))), (rows, columns, across, lanes, each), parts


@inlined
def place_of(rows, columns, across, lanes, each):
    """Return a thread's column, its lane, and its rows: begin, end; it has none where it stands beside the table."""
    t, part = i32(cuda.threadIdx.x), i32(cuda.blockIdx.x)
    lane = div(t, across)
    column = i32(cuda.blockIdx.y * across + t - lane * across)
    end = min(rows, i32((part + 1) * each))
    return column, lane, i32(part * each + lane), end if lane < lanes and column < columns else i32(0)


@inlined
def sum_lanes(held, across, lanes):
    """Return the sum of what the lanes of a column hold, one number a thread; its first lane asks."""
    total, rest = f32(0), f32(0)
    for lane in range(lanes):
        total, rest = added(total, rest, held[lane * across + cuda.threadIdx.x])
    return total


def sum_columns_scratch(rows, columns):
    """Return how many elements of scratch `sum_columns` wants."""
    parts = columns_plan(rows, columns)[2]
    return parts * columns if parts > 1 else 0


def sum_columns(out, scratch, x, rows, columns, add=False):
    """Write the sums of the columns of a table; `add` adds them to `out`.

    Parameters
    ----------
    out : (columns,) array
        Written, or added to.
    scratch : (sum_columns_scratch(rows, columns),) array
    x : (rows, columns) array
    rows, columns : int
    add : bool
    """
    grid, numbers, parts = columns_plan(rows, columns)
    if parts == 1:
        column_sums[grid, THREADS](out, x, *numbers, int(add))
        return
    column_sums[grid, THREADS](scratch, x, *numbers, 0)
    fold_columns(out, scratch, parts, columns, add)


def fold_columns(out, parts, count, columns, add=False):
    """Write the sums of the columns of a table of few rows, the parts of longer sums; the arguments as of `fold`."""
    (_, tiles), (_, _, across, lanes, _), _ = columns_plan(1, columns)
    column_sums[(1, tiles), THREADS](out, parts, count, columns, across, lanes, count, int(add))


@kernel
def column_sums(out: floats, x: floats, rows: i32, columns: i32, across: i32, lanes: i32, each: i32, add: i32):
    """A block a part of the rows of some columns; then its lanes are added."""
    held = cuda.shared.array(THREADS, f32)
    column, lane, begin, end = place_of(rows, columns, across, lanes, each)
    total, rest = f32(0), f32(0)
    for row in range(begin, end, lanes):
        total, rest = added(total, rest, load1(x, i32(row * columns) + column))
    held[cuda.threadIdx.x] = total
    cuda.syncthreads()
    if lane == 0 and column < columns:
        at = i32(cuda.blockIdx.x * columns + column)
        total = sum_lanes(held, across, lanes)
        out[at] = load1(out, at) + total if add != 0 else total
