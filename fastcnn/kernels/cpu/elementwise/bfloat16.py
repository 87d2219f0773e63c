"""bfloat16: the upper half of a float32, rounded to the nearest, ties to even.

It has the range of float32 and 8 significant bits, and a product of two such numbers is exact in float32::

    float32   s eeeeeeee mmmmmmm mmmmmmmmmmmmmmmm
    bfloat16  s eeeeeeee mmmmmmm

Kernels see numbers of bfloat16 in arrays of float32, whose lower half is 0, or as their 16 bits, in arrays of uint16.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import BLOCK, copied

_TASKS = 64


@inlined(always=True)
def rounded_bits(u):
    """Return the bits of a float32, in 32 bits, rounded to those of a bfloat16; NaN stays NaN."""
    near = u + np.uint32(0x7FFF) + ((u >> np.uint32(16)) & np.uint32(1))
    nan = u | np.uint32(0x400000)
    return (nan if (u & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000) else near) & np.uint32(0xFFFF0000)


@kernel
def round_bfloat16(y, x):
    """y = x, rounded to numbers that bfloat16 has: float32 arrays that hold what 16 bits would.

    Parameters
    ----------
    y : (n,) float32 array
        Written; it may be x.
    x : (n,) float32 array
    """
    tasks = chunks_for(x.size, _TASKS)
    parallel(_task, tasks, (y.view(np.uint32), x.view(np.uint32), tasks))


@inlined
def _task(task, y, x, tasks):
    begin, end = chunk_of(task, tasks, x.size)
    for at in range(begin, end, BLOCK):
        block = copied(y, x, at, min(at + BLOCK, end))
        for k in range(block.size):
            block[k] = rounded_bits(block[k])


@kernel
def narrow_bfloat16(y, x):
    """y = the bits of x, rounded to bfloat16.

    Parameters
    ----------
    y : (n,) uint16 array
        Written.
    x : (n,) float32 array
    """
    narrow_all(y, x.view(np.uint32))


@inlined
def narrow_all(y, x):
    """y = the bits of x rounded to bfloat16, over the threads: x as bits of float32."""
    tasks = chunks_for(x.size, _TASKS)
    parallel(_narrow, tasks, (y, x, tasks))


@inlined
def _narrow(task, y, x, tasks):
    begin, end = chunk_of(task, tasks, x.size)
    narrow_some(y[begin:end], x[begin:end])


@inlined(always=True)
def narrow_some(y, x):
    """y = the bits of x rounded to bfloat16: x as bits of float32."""
    for k in range(np.uintp(x.size)):
        y[k] = rounded_bits(x[k]) >> np.uint32(16)


@kernel
def pad_short_pixels(y, x):
    """y = x, and zeros where y has more channels: pixels of numbers of 16 bits.

    Parameters
    ----------
    y : (P, D) uint16 array
        Written.
    x : (P, C) uint16 array
    """
    tasks = chunks_for(x.size, _TASKS)
    parallel(_pad_pixels, tasks, (y, x, tasks))


@inlined
def _pad_pixels(task, y, x, tasks):
    begin, end = chunk_of(task, tasks, len(x))
    of, to, c, d = x.reshape(-1), y.reshape(-1), np.uintp(x.shape[1]), np.uintp(y.shape[1])
    if c == 3 and d == 4:  # colours: without loops of three steps
        for p in range(np.uintp(begin), np.uintp(end)):
            to[4 * p], to[4 * p + 1], to[4 * p + 2], to[4 * p + 3] = of[3 * p], of[3 * p + 1], of[3 * p + 2], 0
        return
    for p in range(np.uintp(begin), np.uintp(end)):
        for k in range(c):
            to[p * d + k] = of[p * c + k]
        for k in range(c, d):
            to[p * d + k] = 0


@kernel
def widen_bfloat16(y, x):
    """y = the numbers of bfloat16 whose bits are x; exact.

    Parameters
    ----------
    y : (n,) float32 array
        Written.
    x : (n,) uint16 array
    """
    tasks = chunks_for(x.size, _TASKS)
    parallel(_widen, tasks, (y.view(np.uint32), x, tasks))


@inlined
def _widen(task, y, x, tasks):
    begin, end = chunk_of(task, tasks, x.size)
    for k in range(np.uintp(begin), np.uintp(end)):
        y[k] = np.uint32(x[k]) << np.uint32(16)


@kernel(in_place=("a", "b"))
def add_bfloat16(y, a, b):
    """y = a + b, numbers of bfloat16 and their sum rounded to one.

    Parameters
    ----------
    y : (n,) uint16 array
        Written; it may be a or b.
    a, b : (n,) uint16 arrays
    """
    tasks = chunks_for(y.size, _TASKS)
    parallel(_add, tasks, (y, a, b, tasks))


@inlined
def _add(task, y, a, b, tasks):
    begin, end = chunk_of(task, tasks, y.size)
    for k in range(np.uintp(begin), np.uintp(end)):
        y[k] = rounded_bits(np.float32(_wide(a[k]) + _wide(b[k])).view(np.uint32)) >> np.uint32(16)


@inlined(always=True)
def _wide(bits):
    return np.uint32(np.uint32(bits) << np.uint32(16)).view(np.float32)


@kernel(in_place=("dy", "y"))
def relu_backward_bfloat16(dx, dy, y):
    """dx = dy where y, what ReLU returned, is above 0, else 0.

    Parameters
    ----------
    dx : (n,) uint16 array
        Written; it may be dy or y.
    dy, y : (n,) uint16 arrays
    """
    tasks = chunks_for(dx.size, _TASKS)
    parallel(_let_by, tasks, (dx, dy, y.view(np.int16), tasks))


@inlined
def _let_by(task, dx, dy, y, tasks):
    begin, end = chunk_of(task, tasks, dx.size)
    for k in range(np.uintp(begin), np.uintp(end)):
        dx[k] = dy[k] if y[k] > 0 else np.uint16(0)  # as integers: only the sign matters
