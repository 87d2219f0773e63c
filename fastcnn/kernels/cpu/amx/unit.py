"""Which unit multiplies bfloat16 on this machine: asked for, and tried before it is trusted.

A unit is used where the CPU has it, Linux permits its state to this process, and a product of known numbers comes out
as plain vector code computes it. Else the product is emulated, and `reason` tells why. FASTCNN_BF16 names a back end
to use at most: "amx", "avx512_bf16" or "emulation"; or, for tests, "vectors" or "pairs": tiles, or pairs in lanes, of
plain vector code, which is slower than the emulation.
"""

import ctypes
import functools
import os
import platform
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fastcnn.kernels.cpu.amx import instructions, product
from fastcnn.kernels.cpu.simd import pairs, short

_ARCH_PRCTL, _REQUEST, _TILE_DATA = 158, 0x1023, 18  # arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)

#: The back ends, the fastest first. To emulate is to take kernels of float32.
BACK_ENDS = "amx", "avx512_bf16", "emulation"
_FOR_TESTS = "vectors", "pairs"
_NAMES = {"amx": "AMX tiles", "avx512_bf16": "AVX512-BF16"}


class Chosen(NamedTuple):
    """What multiplies bfloat16.

    Attributes
    ----------
    name : str
        One of BACK_ENDS, or, for tests, "vectors" or "pairs".
    reason : str
        Why it is this one.
    """

    name: str
    reason: str


@functools.cache
def chosen() -> Chosen:
    """Return the back end of this process. The first time it asks Linux, and compiles and runs a small product."""
    most = os.environ.get("FASTCNN_BF16", "amx")
    if most in _FOR_TESTS:
        return Chosen(most, "FASTCNN_BF16 asks for it")
    if most not in BACK_ENDS:
        return Chosen("emulation", f"FASTCNN_BF16={most!r} is none of {', '.join(BACK_ENDS)}")
    told: list[str] = []
    for name in BACK_ENDS[BACK_ENDS.index(most):-1]:
        problem = _problem(name)
        if problem is None:
            if name == "amx":
                product.instructions_now.value = instructions.UNIT
            return Chosen(name, "; ".join([*told, f"{_NAMES[name]}, whose products were compared"]))
        told.append(problem)
    return Chosen("emulation", "; ".join(told) or "FASTCNN_BF16 asks for it")


def _problem(name: str) -> str | None:
    """Return why a back end is not used, or None."""
    if not (instructions.known(instructions.UNIT) if name == "amx" else short.has_unit()):
        return f"the CPU has no {_NAMES[name]}"
    # Intel's cores with AVX512-BF16 multiply float32 faster (121 beside 205 GFLOP/s); AMD's have no AMX.
    if name == "avx512_bf16" and _is_intel():
        return "AVX512-BF16 is slower than float32 on Intel's cores"
    if name == "amx" and not permitted():
        return "the system refuses the state of AMX tiles to this process"
    right = _tiles_agree() if name == "amx" else _pairs_agree()
    return None if right else f"{_NAMES[name]} gave other products than plain code"


def has_tiles() -> bool:
    """Return whether products of bfloat16 are made on tiles."""
    return chosen().name in ("amx", "vectors")


def has_pairs() -> bool:
    """Return whether products of bfloat16 are made of pairs of numbers in the lanes of vectors."""
    return chosen().name in ("avx512_bf16", "pairs")


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


def _known_numbers() -> Iterator[tuple[np.ndarray, float]]:
    """Yield pairs of matrices of numbers of bfloat16, and by how much of the largest their products may differ."""
    numbers = np.random.default_rng(0).integers(-8, 9, (2, 64, 64)).astype(np.float32)
    yield numbers, 0.0  # sums of whole numbers are exact, in any order
    yield ((numbers * np.float32(0.7310586)).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32), 1e-5


def _tiles_agree() -> bool:
    """Return whether the unit gives what plain code gives: the bits of whole numbers, and nearly those of others."""
    for numbers, share in _known_numbers():
        found, wanted = (_sums(number, *numbers) for number in (instructions.UNIT, instructions.VECTOR))
        if not np.abs(found - wanted).max() <= share * np.abs(wanted).max():
            return False
    return True


def _pairs_agree() -> bool:
    """As `_tiles_agree`, of the instruction on pairs: each lane sums the products of a row."""
    for (left, right), share in _known_numbers():
        wanted = (left.astype(np.float64) * right).sum(0)
        found = np.zeros(left.shape[1], np.float32)
        for at in range(0, len(left), 2):
            pairs.add_products_of_pairs(found, *(_paired(one[at], one[at + 1]) for one in (left, right)))
        if not np.abs(found - wanted).max() <= share * np.abs(wanted).max():
            return False
    return True


def _paired(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(first.view(np.uint32) >> 16 | second.view(np.uint32))


def _sums(which: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return a block of a product by some instructions, of numbers of bfloat16."""
    a, b = (np.ascontiguousarray((one.view(np.uint32) >> 16).astype(np.uint16)) for one in (left, right))
    c, before = np.zeros((32, 32), np.float32), product.instructions_now.value
    product.instructions_now.value = which
    product.tile_product(c, a, b.reshape(-1), np.array([0, 32 * 64]), 2)
    product.instructions_now.value = before
    return c
