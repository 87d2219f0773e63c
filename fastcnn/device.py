"""The only door to kernels and memory: which device an array lives on, its kernels, and memory that is used again.

A training step asks for the same shapes again and again, and fresh memory costs page faults. `Device.empty` hands out
a block as soon as nothing refers to its last array any more: neither an array, nor a view of it, nor a closure of a
backward pass. Nothing is ever reset, so a result that a user keeps is never overwritten; CPython's reference
counts say who keeps what.

That is sound only while the global interpreter lock is held: without it another thread may take or drop a reference
between the count and the use of a block, and a count is no longer one number. So a Python that runs without the lock is
refused when this module is imported. (A build of Python that can do without it takes the lock when Numba is imported,
unless it was started with PYTHON_GIL=0.)
"""

import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.kernels import cpu as _cpu_kernels

_getrefcount = sys.getrefcount
_NEAR = 8  # blocks that are asked first, and in turn
_KNOWN = 4096  # shapes whose size class is remembered
_ALIGNMENT = 64  # bytes: a cache line, and the widest vector


def _require_lock() -> None:
    """Raise ImportError where threads run without the global interpreter lock."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():  # before Python 3.13 there is no other
        raise ImportError("fastcnn: expected a Python with its global interpreter lock, since the counts of references "
                          "tell which memory is free, got one that runs without it; start it with PYTHON_GIL=1")


_require_lock()


class Device:
    """A place where arrays live and kernels run.

    Attributes
    ----------
    name : str
        ``cpu``.
    kernels, library : module
        The kernels, under the same names on every device; to the thread that records, `kernels` writes down.
    allocated : int
        How many blocks were ever taken from the system; a test counts that training stops taking any.
    recorder : Recorder, or None
        What a thread that records writes calls of kernels down with.
    """

    recorder: "Recorder | None" = None

    def __init__(self, name: str, kernels: ModuleType) -> None:
        self.name, self.kernels, self.library = name, kernels, kernels
        self.allocated = 0
        self._local = threading.local()  # a pool for each thread: a count is compared and a block taken without a lock

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return an array with any contents, aligned to 64 bytes, on a block that nobody uses.

        Parameters
        ----------
        shape : tuple of int
        dtype : dtype
        """
        try:
            pool = self._local.known[shape, dtype]
        except (AttributeError, KeyError):
            pool = self._pool_for(shape, dtype)
        for block in pool.near:
            if _getrefcount(block[0]) == _UNUSED:
                return np.ndarray(shape, dtype, block[0], block[1])
        found = pool.further()
        if found is None:
            found = _new_block(_size_class(math.prod(shape) * np.dtype(dtype).itemsize))
            pool.keep([*pool.blocks, found])
            self.allocated += 1
        return np.ndarray(shape, dtype, found[0], found[1])

    def _pool_for(self, shape: tuple[int, ...], dtype: Any) -> "_Pool":
        """Return the blocks of the size class of an array, and remember which it is for a few thousand shapes."""
        pool = self._pool().setdefault(_size_class(math.prod(shape) * np.dtype(dtype).itemsize), _Pool())
        known = self._local.__dict__.setdefault("known", {})
        if len(known) >= _KNOWN:
            known.clear()
        known[shape, dtype] = pool
        return pool

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """As `empty`, filled with zeros."""
        return self.full(shape, dtype, 0)

    def full(self, shape: tuple[int, ...], dtype: Any, value: float) -> np.ndarray:
        """As `empty`, filled with a number; as a call of a kernel it is seen by `recording`."""
        array = self.empty(shape, dtype)
        array.fill(value)
        return array

    def copy(self, out: np.ndarray, x: np.ndarray) -> None:
        """Write `x`, broadcast where it is smaller, to `out`: for rare copies that are worth no kernel.

        As a call of a kernel it is seen by `recording`, which an assignment is not.
        """
        np.copyto(out, x)

    def lend(self, x: np.ndarray) -> np.ndarray:
        """Return `x` for a kernel that only reads it: itself, or a view of a read-only one whose flags say writable.

        A read-only array is another type to Numba, and every kernel would be compiled twice. Writing to the view of
        a read-only memory map ends the process, so it goes to kernels alone, never to layers of one's own.
        """
        return x if x.flags.writeable else np.asarray(_Lent(x))

    @contextmanager
    def recording(self) -> "Iterator[list[tuple[Any, tuple[Any, ...]]]]":
        """Write down the calls of kernels that the calling thread makes, as (kernel, arguments), in a list.

        Until the end `of` answers this thread with a device that does; other threads do not hear of it. The list keeps
        the arrays alive, and with them their memory.
        """
        me, calls = threading.get_ident(), list[tuple[Any, tuple[Any, ...]]]()
        before = _recording.get(me)
        _recording[me] = _RecordingDevice(self, Recorder(self.kernels, calls))
        try:
            yield calls
        finally:
            if before is None:
                del _recording[me]
            else:
                _recording[me] = before

    def blocks_in_use(self) -> set[int]:
        """Return the identities of the blocks of the calling thread that something refers to."""
        return {id(block[0]) for pool in self._pool().values() for block in pool.blocks
                if _references(block) != _UNUSED}

    def release(self) -> None:
        """Give blocks that nobody uses back to the system (those of the calling thread)."""
        for pool in self._pool().values():
            pool.keep([block for block in pool.blocks if _references(block) != _UNUSED])

    def _pool(self) -> "dict[int, _Pool]":
        try:
            return self._local.pool
        except AttributeError:
            self._local.pool = {}
            return self._local.pool


class _Lent:
    """Keeps a read-only array alive, and tells its memory as that of one that may be written."""

    def __init__(self, x: np.ndarray) -> None:
        self.lender = x
        self.__array_interface__ = x.__array_interface__ | {"data": (x.ctypes.data, False)}


class _Pool:
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
                if _getrefcount(block[0]) == _UNUSED:
                    self.at = k
                    return block
            self.upwards = not self.upwards
        return None


class Recorder:
    """Stands in for a namespace of kernels and writes down their calls."""

    def __init__(self, kernels: Any, calls: list[tuple[Any, tuple[Any, ...]]]) -> None:
        self._kernels, self._calls = kernels, calls

    def of(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        """Return what calls a kernel and writes that down."""
        def call(*args: Any) -> Any:
            result = kernel(*args)
            if result is None:  # else it told a size, or which kernel suits
                self._calls.append((kernel, args))
            return result

        return call

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self._kernels, name)
        return self.of(kernel) if callable(kernel) else kernel


class _RecordingDevice(Device):
    """A device for the thread that records: the same memory, and kernels that a recorder calls."""

    def __init__(self, device: Device, recorder: Recorder) -> None:
        self.name, self.kernels, self.recorder = device.name, recorder, recorder  # type: ignore[assignment]
        self.library, self._device, self._local = device.library, device, device._local

    @property
    def allocated(self) -> int:
        return self._device.allocated

    @allocated.setter
    def allocated(self, count: int) -> None:
        self._device.allocated = count

    def full(self, shape: tuple[int, ...], dtype: Any, value: float) -> np.ndarray:
        array = self.empty(shape, dtype)
        self.copy(array, value)  # type: ignore[arg-type]
        return array

    def copy(self, out: np.ndarray, x: np.ndarray) -> None:
        assert self.recorder is not None
        self.recorder.of(np.copyto)(out, x)


#: The devices of the threads that record, by their numbers.
_recording: dict[int, Device] = {}


def _size_class(size: int) -> int:
    """Round a size in bytes up to one of eight steps between two powers of two, so that close sizes share blocks."""
    step = max(256, 1 << max(0, size.bit_length() - 4))
    return -(-max(size, 1) // step) * step


def _new_block(capacity: int) -> tuple[np.ndarray, int]:
    memory = np.empty(capacity + _ALIGNMENT, np.uint8)
    return memory, -memory.ctypes.data % _ALIGNMENT


def _references(block: tuple[np.ndarray, int]) -> int:
    return _getrefcount(block[0])


# What `_references` sees of a block without users differs between versions of Python, so it is asked once.
_UNUSED = _references(_new_block(1))


cpu = Device("cpu", _cpu_kernels)


def of(array: Any) -> Device:
    """Return the device an array lives on.

    Raises
    ------
    ArgumentError
        If it is no array of a known device.
    """
    if isinstance(array, np.ndarray):
        return _recording.get(threading.get_ident(), cpu) if _recording else cpu
    raise ArgumentError(f"device: expected a NumPy array, got {type(array).__name__}; convert it with numpy.asarray")
