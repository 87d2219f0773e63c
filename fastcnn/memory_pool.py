"""Blocks of memory that are used again, and which of them are free.

A training step asks for the same shapes again and again, and fresh memory costs page faults. `Device.empty` hands out
a block as soon as nothing refers to its last array any more: neither an array, nor a view of it, nor a closure of a
backward pass. Nothing is ever reset, so a result that a user keeps is never overwritten; CPython's reference
counts say who keeps what.

That is sound only while the global interpreter lock is held: without it another thread may take or drop a reference
between the count and the use of a block, and a count is no longer one number. So a Python that runs without the lock is
refused when this module is imported. (A build of Python that can do without it takes the lock when Numba is imported,
unless it was started with PYTHON_GIL=0.)
"""

import contextlib
import mmap
import sys
from collections.abc import Container, Mapping

import numpy as np

_getrefcount = sys.getrefcount
_NEAR = 8  # blocks that are asked first, and in turn
ALIGNMENT = 64  # bytes: a cache line, and the widest vector
_MAPPED = 1 << 20  # bytes from which on a block has pages of its own: the C library would keep what it frees for later
_LARGER = 4  # times a size, from which on a block is too large for it
_HUGE = 1 << 21  # bytes of a huge page


def _require_lock() -> None:
    """Raise ImportError where threads run without the global interpreter lock."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():  # before Python 3.13 there is no other
        raise ImportError("fastcnn: expected a Python with its global interpreter lock, since the counts of references "
                          "tell which memory is free, got one that runs without it; start it with PYTHON_GIL=1")


_require_lock()


class Pool:
    """The blocks of a size class, each with where its first aligned byte is.

    The first few are asked in turn, so that what is free is taken where the cache still has it. A deep network holds
    hundreds: then the search goes on where the last one ended, and the way it went, since forward passes take blocks
    in turn and backward passes leave them in turn.

    Attributes
    ----------
    blocks, near : list
        All, and the first few.
    at, upwards : int, bool
        Where the last search among the others ended, and which way it went.
    """

    def __init__(self) -> None:
        self.keep([])

    def keep(self, blocks: list[tuple[np.ndarray, int]]) -> None:
        """Have these blocks from now on."""
        self.blocks, self.near, self.at, self.upwards = blocks, blocks[:_NEAR], max(_NEAR, len(blocks) - 1), True

    def further(self) -> tuple[np.ndarray, int] | None:
        """Return a block that nobody uses, which is none of the first; None if there is no such one."""
        blocks, at = self.blocks, self.at
        for _ in range(2):
            for k in range(at, len(blocks)) if self.upwards else range(min(at, len(blocks) - 1), _NEAR - 1, -1):
                block = blocks[k]
                if _getrefcount(block[0]) == UNUSED:
                    self.at = k
                    return block
            self.upwards = not self.upwards
        return None


def size_class(size: int) -> int:
    """Round a size in bytes up to one of eight steps between two powers of two, so that close sizes share blocks."""
    step = 1 << max(8, size.bit_length() - 4)
    return max(1, -(-size // step)) * step


def new_block(capacity: int) -> tuple[np.ndarray, int]:
    """Return memory from the system, and where its first aligned byte is."""
    memory = _mapped(capacity) if capacity >= _MAPPED else np.empty(capacity + ALIGNMENT, np.uint8)
    return memory, -memory.ctypes.data % ALIGNMENT


def _mapped(capacity: int) -> np.ndarray:
    """Return memory on pages that go back to the system as soon as nobody has it."""
    if not hasattr(mmap, "MAP_PRIVATE"):  # Windows
        return np.empty(capacity + ALIGNMENT, np.uint8)
    pages = mmap.mmap(-1, capacity, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if capacity >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them
            pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, np.uint8)


def references(block: tuple[np.ndarray, int]) -> int:
    """Return how many references there are to a block's memory."""
    return _getrefcount(block[0])


# What `references` sees of a block without users differs between versions of Python, so it is asked once.
UNUSED = references(new_block(1))


def unused_block(pools: Mapping[int, Pool], size: int, kept: Container[int]
                 ) -> tuple[tuple[np.ndarray, int] | None, int]:
    """Return the smallest block that nobody uses and that suits a size, if there is one, and how many bytes are unused.

    Parameters
    ----------
    pools : dict
        By their size classes.
    size : int
    kept : container of int
        Identities of blocks that do not count as unused.
    """
    found, unused, least = None, 0, _LARGER * size
    for capacity, pool in pools.items():
        for block in pool.blocks:
            if references(block) == UNUSED:
                unused += 0 if id(block[0]) in kept else capacity
                if size <= capacity < least:
                    found, least = block, capacity
    return found, unused


def is_alone(array: np.ndarray, pools: Mapping[int, Pool]) -> bool:
    """Return whether an array is the only one in a block of its own."""
    return any(block[0] is array.base and references(block) == UNUSED + 1
               for pool in pools.values() for block in pool.blocks)


class Lent:
    """Keeps a read-only array alive, and tells its memory as that of one that may be written."""

    def __init__(self, x: np.ndarray) -> None:
        self.lender = x
        self.__array_interface__ = x.__array_interface__ | {"data": (x.ctypes.data, False)}
