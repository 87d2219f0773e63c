"""What multiplies bytes on this machine: asked for, and tried before it is trusted. All give the same integers.

A unit for tiles is used where the CPU has it, Linux permits its state to this process, and a product of known bytes
comes out as plain code computes it. Else vectors multiply: by VNNI, where Numba compiles for a CPU that has it.
FASTCNN_INT8=vectors turns the unit off; FASTCNN_INT8=tiles takes tiles of plain vector code, which are slow and there
for tests.
"""

import functools
import os

import numpy as np

from fastcnn.kernels.cpu.amx import instructions, product
from fastcnn.kernels.cpu.amx.product import block, byte_tiles_now, give_tiles, take_tiles
from fastcnn.kernels.cpu.amx.unit import Chosen, permitted
from fastcnn.kernels.cpu.compile.policy import kernel
from fastcnn.kernels.cpu.int8.vectors import multiplies_bytes

_VECTORS, _FOR_TESTS = "vectors", "tiles"
TILED = ("amx", _FOR_TESTS)  #: the back ends that multiply tiles


@functools.cache
def chosen() -> Chosen:
    """Return the back end of this process. Where there are tiles of bytes, it compiles and runs a small product."""
    asked = os.environ.get("FASTCNN_INT8", "amx")
    if asked == _FOR_TESTS:
        return Chosen(asked, "FASTCNN_INT8 asks for it")
    problem = _problem(asked)
    if problem is None:
        product.byte_instructions_now.value = instructions.UNIT
        return Chosen("amx", "AMX tiles, whose products were compared")
    if multiplies_bytes():
        return Chosen("vnni", f"four products and their sum an instruction; {problem}")
    return Chosen(_VECTORS, f"multiplications of 16 bits, the CPU has no VNNI; {problem}")


def _problem(asked: str) -> str | None:
    """Return why tiles are not used, or None."""
    if asked == _VECTORS:
        return "FASTCNN_INT8 asks for vectors"
    if asked != "amx":
        return f"FASTCNN_INT8={asked!r} is neither amx nor vectors"
    if not instructions.known(instructions.UNIT):
        return "the CPU has no AMX tiles"
    if not permitted():
        return "the system refuses the state of AMX tiles to this process"
    return None if _agrees() else "AMX tiles gave other products than plain code"


def _agrees() -> bool:
    """Return whether the unit gives the integers of plain code, those that overflow included."""
    draw = np.random.default_rng(0)
    a, b = draw.integers(0, 256, (32, 128), np.uint8), draw.integers(-128, 128, 2 * 2048, np.int8)
    return np.array_equal(sums(instructions.UNIT, a, b), sums(instructions.VECTOR, a, b))


def sums(which: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a block of a product by some instructions.

    Parameters
    ----------
    which : int
        The number of an emitter.
    a : (32, depth) uint8 array
    b : (depth * 32,) int8 array
        Packed.
    """
    c, before = np.zeros((32, 32), np.int32), product.byte_instructions_now.value
    product.byte_instructions_now.value = which
    byte_tile_product(c, a, b, np.zeros(1, np.int64), a.shape[1] // 64)
    product.byte_instructions_now.value = before
    return c


@kernel
def byte_tile_product(c, a, b, taps, steps):
    """c = the sums of a block of bytes: what is compared before a unit is trusted, and in tests.

    Parameters
    ----------
    c : (32, 32) int32 array
        Written.
    a : (rows, depth) uint8 array
    b : (taps.size * steps * 2048,) int8 array
        Packed.
    taps : int64 array
    steps : int
    """
    which = byte_tiles_now()
    take_tiles(which)
    block(which, (c.reshape(-1), 0), (a.reshape(-1), 0, a.shape[1]), (b, 0), taps, (0, taps.size, steps))
    give_tiles(which)
