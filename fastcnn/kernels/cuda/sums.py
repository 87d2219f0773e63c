"""Sums that are the same bits on every card and whose error does not grow with the number of terms.

No kernel adds into memory that another block adds to. A long sum is cut into *parts*, by shapes alone; each part has
one thread or one block, which adds its terms in order, and one more kernel folds the parts, in order.
"""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1

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
