"""How wide vectors are on this machine: which instructions there are, and how many numbers a vector of them holds."""

import functools

import llvmlite.binding as llvm
from numba.extending import overload

from fastcnn.cpu_features import has
from fastcnn.kernels.cpu.compile.policy import inlined


@functools.cache
def features() -> tuple[str, int, int]:
    """Return the vector instructions Numba compiles for, their width in bytes, and the number of vector registers.

    A CPU named without features (`has`) is taken at what every x86-64 has, SSE2.
    """
    if has("avx512f"):
        return "AVX-512", 64, 32
    if has("avx") or has("avx2"):
        return "AVX2" if has("avx2") else "AVX", 32, 16
    triple = llvm.get_default_triple()
    return ("NEON", 16, 32) if triple.startswith(("aarch64", "arm64")) else ("SSE2", 16, 16)


_BYTES = features()[1]
_SUMMED_IN_FLOAT32 = "float32", "uint32", "uint16"


def multiplies_two() -> bool:
    """Return whether a core multiplies two of its widest vectors a cycle: all do but Zen 4, AMD's first of 512 bits."""
    return not (has("avx512f") and has("sse4a")) or has("avxvnni")


def lanes(dtype) -> int:
    """Return how many numbers one vector holds: of a floating type of NumPy or Numba, or sums in float32.

    Numbers of bfloat16 are summed in float32, whether they lie in pairs (uint32) or alone (uint16).
    """
    return _BYTES // (4 if str(dtype) in _SUMMED_IN_FLOAT32 else 8)


def lanes_of(array):
    """Return the lanes of the type of `array`: a constant in compiled code."""
    return lanes(array.dtype)


@overload(lanes_of)
def _lanes_of(array):
    count = lanes(array.dtype)
    return lambda array: count


@inlined
def block_width(array, columns):
    """Return how many columns a packed block of B holds: one vector if they are few, else the two of a full tile."""
    one = lanes_of(array)
    return one if columns <= one else 2 * one
