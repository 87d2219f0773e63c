"""The one door to Numba's CUDA target: what kernels are written in, on a card and in the simulator.

Numba compiles and fastcnn launches, so kernels see little of the package: places in the grid, shared and local arrays,
a barrier; ``@inlined`` functions; and what plain Python cannot say, below. Another compiler of the family needs another
version of this file and of `fastcnn.kernels.cuda.compile.cubin`, and of no other.

==========================================  ============================================================================
``cuda.threadIdx.x``, ``blockIdx.x`` ..     places; ``cuda.grid(1)``, ``cuda.gridsize(1)`` for loops over elements
``cuda.shared.array(SIZE, f32)``            a block's flat array; ``SIZE`` is a module's constant, not an expression
``cuda.local.array(SIZE, f32)``             a thread's own, which stays in registers where indices are constants
``cuda.syncthreads()``                      all threads of a block have come here
``load1(a, i)``                             ``a[i]`` for an index that is never negative: Python's question costs half
                                            of an inner loop
``load4(a, i)``, ``store4(a, i, ...)``      four float32 at once; `i` is a multiple of four
``div(a, b)``, ``rem(a, b)``                quotient and remainder of numbers that are never negative, in 32 bits:
                                            Python's, in 64 bits and for any sign, take a hundred instructions
``within(i, n)``                            0 <= i < n, by one comparison
``tf32(x)``, ``mma_grid(sums, a, b)``       a number as tensor cores read it; 4 x 4 tiles of 16 x 8 sums of a warp plus
                                            the products of 8 terms, on tensor cores
``f32``, ``i32``                            casts, and annotations of numbers; ``i32(2) * n`` stays in 32 bits only if
                                            the whole is cast again
==========================================  ============================================================================

With ``NUMBA_ENABLE_CUDASIM=1`` all this is `fastcnn.kernels.cuda.compile.simulator`, and nothing of CUDA is imported.
"""

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

#: Whether kernels run in the simulator. Then sizes of blocks and tiles are small: `sized` chooses.
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM", "0") == "1"

if TYPE_CHECKING:
    i32: TypeAlias = Any
    i64: TypeAlias = Any
    f32: TypeAlias = Any
    f64: TypeAlias = Any
else:
    f32, f64 = np.float32, np.float64
    i32 = int if SIMULATED else np.int32
    i64 = type("i64", (int,), {}) if SIMULATED else np.int64

__all__ = ["SIMULATED", "cuda", "div", "f32", "f64", "i32", "i64", "inlined", "load1", "load4", "mma_grid", "rem",
           "sized", "store4", "tf32", "within"]


def sized(real: int, simulated: int) -> int:
    """Return a size of a block or a tile: `real` on a card, `simulated` in the simulator, which walks every thread."""
    return simulated if SIMULATED else real


if SIMULATED:
    from fastcnn.kernels.cuda.compile.simulator import grid as cuda

    def inlined(function: Any) -> Any:
        """Return a function for kernels to call."""
        return function

    def load1(a: Any, i: int) -> Any:
        """Return ``a[i]``."""
        return a[i]

    def load4(a: Any, i: int) -> Any:
        """Return ``a[i] .. a[i + 3]``."""
        assert i % 4 == 0, f"a read of 16 bytes at element {i}, which is no multiple of four"
        return a[i], a[i + 1], a[i + 2], a[i + 3]

    def store4(a: Any, i: int, p: Any, q: Any, r: Any, s: Any) -> None:
        """Write ``a[i] .. a[i + 3]``."""
        assert i % 4 == 0, f"a write of 16 bytes at element {i}, which is no multiple of four"
        a[i], a[i + 1], a[i + 2], a[i + 3] = p, q, r, s

    def div(a: int, b: int) -> int:
        """Return a // b."""
        assert a >= 0, f"a quotient of {a}, which is negative"
        return a // b

    def rem(a: int, b: int) -> int:
        """Return a % b."""
        assert a >= 0, f"a remainder of {a}, which is negative"
        return a % b

    def within(i: int, n: int) -> bool:
        """Return whether 0 <= i < n."""
        return 0 <= i < n

    def tf32(x: Any) -> Any:
        """Return x rounded to 10 bits of mantissa, ties away from zero."""
        bits = int(np.float32(x).view(np.uint32))
        return np.uint32((bits + 0x1000) & 0xFFFFE000).view(np.float32)

    def mma_grid(sums: Any, a: Any, b: Any) -> None:
        """Add 8 terms to a warp's 4 x 4 tiles; its lanes exchange what they hold by way of shared memory."""
        t = cuda.threadIdx.x
        first, group, i = t // 32 * 32, t % 32 // 4, t % 4
        held = cuda.shared.array(cuda.blockDim.x * 24, np.float32)
        for n in range(24):
            held[t * 24 + n] = a[n] if n < 16 else b[n - 16]
        cuda.syncthreads()
        for n in range(64):
            down, across, half, column = n // 16, n // 4 % 4, n // 2 % 2, 2 * i + n % 2
            for k in range(8):
                left = held[(first + group * 4 + k % 4) * 24 + down * 4 + half + k // 4 * 2]
                sums[n] += left * held[(first + column * 4 + k % 4) * 24 + 16 + across * 2 + k // 4]
        cuda.syncthreads()
else:
    from fastcnn.kernels.cuda.compile.numba_cuda import (
        cuda,
        div,
        inlined,
        load1,
        load4,
        mma_grid,
        rem,
        store4,
        tf32,
        within,
    )
