"""Small loops over memory: copying, clearing and adding numbers, and copying rows with a border of zeros."""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined

BLOCK = 4096  #: numbers that stay in L1 while a loop or two pass over them

@inlined
def at3(r, s, j):
    """Return three numbers as one tuple of plain integers.

    A bare tuple with a literal in it is another type to Numba for each literal: the callee would be compiled again.
    """
    return np.int64(r), np.int64(s), np.int64(j)


@inlined
def copy(out, at, source, source_at, count):
    """out[at:] = `count` elements of source[source_at:].

    Indices are unsigned in these three. For a signed index Numba tests whether it is negative, and that test keeps LLVM
    from vectorizing the loop.
    """
    to, of = np.uintp(at), np.uintp(source_at)
    for k in range(np.uintp(count)):
        out[to + k] = source[of + k]


@inlined
def copied(out, source, begin, end):
    """Return out[begin:end] with the numbers of `source` in it; where both are the same memory they are there already.

    Of some BLOCK numbers, which then stay in L1: a loop that reads and writes this one array becomes vectors, in place
    too, where LLVM would find that two overlap and go number by number.
    """
    block, of = out[begin:end], source[begin:end]
    if block.ctypes.data != of.ctypes.data:
        for k in range(block.size):
            block[k] = of[k]
    return block


@inlined
def clear(out, at, count):
    """out[at:] = `count` zeros."""
    to = np.uintp(at)
    for k in range(np.uintp(count)):
        out[to + k] = 0


@inlined
def fill(out, at, count, value):
    """out[at:] = `count` times the value."""
    to = np.uintp(at)
    for k in range(np.uintp(count)):
        out[to + k] = value


@inlined
def accumulate(out, at, source, source_at, count):
    """out[at:] += `count` elements of source[source_at:]."""
    to, of = np.uintp(at), np.uintp(source_at)
    for k in range(np.uintp(count)):
        out[to + k] += source[of + k]


@inlined
def copy_apart(out, at, step, source, source_at, source_step, count):
    """`copy` of elements that lie `step` and `source_step` apart."""
    to, of, far, near = np.uintp(at), np.uintp(source_at), np.uintp(step), np.uintp(source_step)
    for k in range(np.uintp(count)):
        out[to + k * far] = source[of + k * near]


@inlined
def accumulate_apart(out, at, step, source, source_at, source_step, count):
    """`accumulate` of elements that lie `step` and `source_step` apart."""
    to, of, far, near = np.uintp(at), np.uintp(source_at), np.uintp(step), np.uintp(source_step)
    for k in range(np.uintp(count)):
        out[to + k * far] += source[of + k * near]


@inlined
def clip(out, at, count, bounds):
    """out[at:] = `count` elements, those beyond the two bounds set to them; NaN stays."""
    to, low, high = np.uintp(at), bounds[0], bounds[1]
    for k in range(np.uintp(count)):
        value = low if out[to + k] < low else out[to + k]
        out[to + k] = high if value > high else value


@inlined
def rectify(out, at, count):
    """out[at:] = the larger of each of `count` elements and 0; NaN stays."""
    to = np.uintp(at)
    for k in range(np.uintp(count)):
        out[to + k] = 0 if out[to + k] < 0 else out[to + k]


@inlined
def fill_slab(slab, at, x, image, size, vertical, horizontal):
    """Copy rows of an image with its border of zeros: slab[at:] as (rows, columns, C).

    `vertical` is (first, rows), `horizontal` (left, columns).

    Slab row i is row first + i of the image at ``x[image:]`` with `size` (H, W, C), slab column j its column j - left;
    what lies outside is zero. The slab of a task stays in L2, so padding costs one copy and no memory of its own.
    """
    (h, w, c), (first, rows), (left, columns) = size, vertical, horizontal
    begin = min(max(0, left), columns)
    end = max(begin, min(columns, w + left))
    for i in range(rows):
        row = at + i * columns * c
        ih = first + i
        if 0 <= ih < h:
            clear(slab, row, begin * c)
            copy(slab, row + begin * c, x, image + (ih * w + begin - left) * c, (end - begin) * c)
            clear(slab, row + end * c, (columns - end) * c)
        else:
            clear(slab, row, columns * c)


@inlined
def aligned(elements):
    """Round a part of the scratch up to a whole number of cache lines."""
    return (elements + 15) // 16 * 16
