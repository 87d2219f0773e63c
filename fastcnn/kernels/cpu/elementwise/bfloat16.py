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
    tasks = chunks_for(x.size, _TASKS)
    parallel(_narrow, tasks, (y, x.view(np.uint32), tasks))


@inlined
def _narrow(task, y, x, tasks):
    begin, end = chunk_of(task, tasks, x.size)
    for k in range(np.uintp(begin), np.uintp(end)):
        y[k] = rounded_bits(x[k]) >> np.uint32(16)


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
