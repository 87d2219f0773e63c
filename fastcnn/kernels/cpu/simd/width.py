"""How wide vectors are on this machine: which instructions there are, and how many numbers a vector of them holds."""

import functools

import llvmlite.binding as llvm
from numba.core import config
from numba.extending import overload

from fastcnn.kernels.cpu.compile.policy import inlined


@functools.cache
def has(feature: str) -> bool:
    """Return whether Numba compiles for a feature of the CPU, by LLVM's name of it: "avx512f", "amx-bf16".

    NUMBA_CPU_NAME and NUMBA_CPU_FEATURES choose another target, as for all of Numba: a feature that is not in the
    latter is then absent.
    """
    if config.CPU_NAME or config.CPU_FEATURES:
        chosen = [one.strip() for one in (config.CPU_FEATURES or "").split(",")]
        return feature in {one.lstrip("+") for one in chosen if not one.startswith("-")}
    return bool(llvm.get_host_cpu_features().get(feature))


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


def lanes(dtype) -> int:
    """Return how many numbers of a NumPy or Numba floating type one vector holds."""
    return _BYTES // (4 if str(dtype) == "float32" else 8)


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
