"""Which unit multiplies bfloat16 on this machine: asked for, and tried before it is trusted.

A unit is used where the CPU has it, Linux permits its state to this process, and a product of known numbers comes out
as plain vector code computes it. Else the product is emulated, and `reason` tells why. FASTCNN_BF16 names a back end
to use at most: "amx", "avx512_bf16" or "emulation"; or "vectors", tiles of plain vector code, which are slower than
the emulation and there for tests.
"""

import ctypes
import functools
import os
import platform
import sys
from typing import NamedTuple

import numpy as np

from fastcnn.kernels.cpu.amx import instructions, product

_ARCH_PRCTL, _REQUEST, _TILE_DATA = 158, 0x1023, 18  # arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)

#: The back ends, the fastest first, and their instructions. To emulate is to take kernels of float32.
BACK_ENDS = {"amx": instructions.UNIT, "avx512_bf16": instructions.DOT, "emulation": instructions.VECTOR}
_FOR_TESTS = "vectors"
_NAMES = {"amx": "AMX tiles", "avx512_bf16": "AVX512-BF16"}


class Chosen(NamedTuple):
    """What multiplies bfloat16.

    Attributes
    ----------
    name : str
        One of BACK_ENDS, or "vectors".
    reason : str
        Why it is this one.
    """

    name: str
    reason: str


@functools.cache
def chosen() -> Chosen:
    """Return the back end of this process. The first time it asks Linux, and compiles and runs a small product."""
    most = os.environ.get("FASTCNN_BF16", "amx")
    if most == _FOR_TESTS:
        return Chosen(most, "FASTCNN_BF16 asks for it")
    if most not in BACK_ENDS:
        return Chosen("emulation", f"FASTCNN_BF16={most!r} is none of {', '.join(BACK_ENDS)}")
    told: list[str] = []
    for name in list(BACK_ENDS)[list(BACK_ENDS).index(most):-1]:
        problem = _problem(name)
        if problem is None:
            product.instructions_now.value = BACK_ENDS[name]
            return Chosen(name, "; ".join([*told, f"{_NAMES[name]}, whose products were compared"]))
        told.append(problem)
    return Chosen("emulation", "; ".join(told) or "FASTCNN_BF16 asks for it")


def _problem(name: str) -> str | None:
    """Return why a back end is not used, or None."""
    if not instructions.known(BACK_ENDS[name]):
        return f"the CPU has no {_NAMES[name]}"
    # Intel's cores with AVX512-BF16 multiply float32 faster (121 beside 205 GFLOP/s); AMD's have no AMX.
    if name == "avx512_bf16" and _is_intel():
        return "AVX512-BF16 is slower than float32 on Intel's cores"
    if name == "amx" and not permitted():
        return "the system refuses the state of AMX tiles to this process"
    return None if _agrees(BACK_ENDS[name]) else f"{_NAMES[name]} gave other products than plain code"


@functools.cache
def permitted() -> bool:
    """Return whether this process may use tiles of AMX; asks Linux once. Threads that are there may use them, too."""
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return False
    try:
        return ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST, _TILE_DATA) == 0
    except (OSError, AttributeError):
        return False


def _is_intel() -> bool:
    try:
        with open("/proc/cpuinfo") as file:
            return "GenuineIntel" in file.read(4096)
    except OSError:
        return False


def _agrees(which: int) -> bool:
    """Return whether instructions give what plain code gives: the bits of whole numbers, and nearly those of others."""
    draw = np.random.default_rng(0)
    numbers = draw.integers(-8, 9, (2, 64, 64)).astype(np.float32)  # sums of them are exact, in any order
    for scale, share in ((np.float32(1), 0.0), (np.float32(0.7310586), 1e-5)):
        found, wanted = (_sums(number, *numbers * scale) for number in (which, instructions.VECTOR))
        if not np.abs(found - wanted).max() <= share * np.abs(wanted).max():
            return False
    return True


def _sums(which: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return a block of a product by some instructions, of numbers cut off to bfloat16."""
    a, b = (np.ascontiguousarray((one.view(np.uint32) >> 16).astype(np.uint16)) for one in (left, right))
    c, before = np.zeros((32, 32), np.float32), product.instructions_now.value
    product.instructions_now.value = which
    product.tile_product(c, a, b.reshape(-1), np.array([0, 32 * 64]), 2)
    product.instructions_now.value = before
    return c
