"""A device: the host's memory and its kernels, and what one with a memory of its own takes over."""

import math
import sys
import threading
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from fastcnn.errors import DeviceError
from fastcnn.kernel_recorder import Recorder, standing_in
from fastcnn.memory_pool import UNUSED, Lent, Pool, is_alone, new_block, references, size_class, unused_block

_getrefcount = sys.getrefcount
_KNOWN = 4096  # shapes whose size class is remembered
_UNUSED = 1 << 23  # bytes that stay unused where memory is spared

#: Types that kernels compute in, on the host.
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class MissingKernelError(DeviceError):
    """A kernel that a device has not got.

    Parameters
    ----------
    who, kernel : str
        The device, and the name of the kernel.
    """

    def __init__(self, who: str, kernel: str) -> None:
        super().__init__(f"{who}: expected kernel {kernel}, which is not there yet; use the device cpu")
        self.kernel = kernel


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
    runs : bool
        Whether kernels run, as they do but where a thread rehearses; what they write is kept only then.
    dtypes : tuple of dtype
        Types that its kernels compute in.
    is_asynchronous : bool
        Whether its kernels run while the host goes on.
    replays : bool
        Whether its arrays tell the address of their memory, so that calls of kernels may be replayed elsewhere.
    quantizes, reads_short : bool
        Whether it has the kernels on bytes, and on numbers of 16 bits as they lie.
    """

    recorder: "Recorder | None" = None
    runs = replays = True
    is_asynchronous = False
    quantizes = reads_short = False
    dtypes: tuple[np.dtype, ...] = _FLOATS

    def __init__(self, name: str, kernels: ModuleType) -> None:
        self.name, self.kernels, self.library = name, kernels, kernels
        self.allocated = 0
        self._local = threading.local()  # a pool for each thread: a count is compared and a block taken without a lock

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return an array with undefined contents, aligned to 64 bytes, on a block of memory that nobody uses.

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
            if _getrefcount(block[0]) == UNUSED:
                return np.ndarray(shape, dtype, block[0], block[1])
        found = pool.further()
        if found is None and self.is_sparing:
            found = self._spared(math.prod(shape) * np.dtype(dtype).itemsize)
        if found is None:
            found = new_block(size_class(math.prod(shape) * np.dtype(dtype).itemsize))
            pool.keep([*pool.blocks, found])
            self.allocated += 1
        return np.ndarray(shape, dtype, found[0], found[1])

    def lasting(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """As `empty`, for what is kept for long: the memory is no larger than it must be, and none that others had."""
        if not self.replays:  # a device with memory of its own
            return self.empty(shape, dtype)
        if self.is_sparing:
            self._spared()
        memory, begin = new_block(math.prod(shape) * np.dtype(dtype).itemsize)
        return np.ndarray(shape, dtype, memory, begin)

    @contextmanager
    def sparing(self, kept: Container[int] | None) -> Iterator[None]:
        """Give memory that nobody uses back to the system before more is taken, and at the end of a ``with`` statement.

        It is for what happens once, and takes a little longer. Only the calling thread spares.

        Parameters
        ----------
        kept : container of int, or None
            Identities of blocks that stay; None spares nothing.
        """
        before = self._local.__dict__.get("kept")
        self._local.kept = kept
        try:
            yield
            if kept is not None:
                self.release(kept)
        finally:
            self._local.kept, self._local.offered = before, ()

    @property
    def is_sparing(self) -> bool:
        """Whether the calling thread spares memory."""
        return self._local.__dict__.get("kept") is not None

    def offer(self, arrays: Sequence[np.ndarray]) -> None:
        """Tell that nobody reads these `arrays` after the next operation: it may write its output over one of them."""
        self._local.offered = arrays

    def is_offered(self, array: np.ndarray) -> bool:
        """Return whether an array was offered, and is the only one in a block of its own."""
        if not any(array is one for one in self._local.__dict__.get("offered", ())):
            return False
        return is_alone(array, self._pool())

    def _spared(self, size: int = 0) -> tuple[np.ndarray, int] | None:
        """Return a block that suits a size and nobody uses; if there is none, give all back but a few small ones."""
        found, unused = unused_block(self._pool(), size, self._local.kept)
        if found is None and unused > _UNUSED:
            self.release(self._local.kept)
        return found

    def _pool_for(self, shape: tuple[int, ...], dtype: Any) -> "Pool":
        """Return the blocks of the size class of an array, and remember which it is for a few thousand shapes."""
        pool = self._pool().setdefault(size_class(math.prod(shape) * np.dtype(dtype).itemsize), Pool())
        known = self._local.__dict__.setdefault("known", {})
        if len(known) >= _KNOWN:
            known.clear()
        known[shape, dtype] = pool
        return pool

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """As `empty`, filled with zeros."""
        return self.full(shape, dtype, 0)

    def full(self, shape: tuple[int, ...], dtype: Any, value: float) -> np.ndarray:
        """As `empty`, filled with a number."""
        array = self.empty(shape, dtype)
        self.fill(array, value)
        return array

    def fill(self, array: np.ndarray, value: float) -> None:
        """Set all elements of an array to a number. It is a kernel call, which `recording` sees."""
        array.fill(value)

    def copy(self, out: np.ndarray, x: Any) -> None:
        """Write `x`, of the device or the host, with broadcasting. It is for copies that are not worth a kernel.

        As a call of a kernel it is seen by `recording`, which an assignment is not.
        """
        np.copyto(out, x)

    def read(self, out: np.ndarray, x: np.ndarray, at: tuple[slice, ...]) -> None:
        """Write ``x[at]`` to `out`, as `copy` does: slices with steps, of any axes."""
        self.copy(out, x[at])

    def write(self, out: np.ndarray, at: tuple[slice, ...], x: np.ndarray) -> None:
        """Write `x` to ``out[at]``, as `copy` does."""
        self.copy(out[at], x)

    def put(self, x: np.ndarray) -> np.ndarray:
        """Return numbers of the host as an array that kernels take. If `x` is one already, it is returned.

        Parameters
        ----------
        x : ndarray
            Of a type that kernels take. Nobody writes to it as long as the result is used.
        """
        return self.ready(x)

    def constant(self, x: np.ndarray) -> np.ndarray:
        """As `put`, but once for each array. It is for tables that never change.

        A device with memory of its own keeps what it made as long as `x` lives.
        """
        return x

    def get(self, array: np.ndarray) -> np.ndarray:
        """Return the numbers of an array on the host, to be read before the array is written again."""
        return array

    def ready(self, array: np.ndarray) -> np.ndarray:
        """Return an array as kernels take it, C-contiguous and writable. It is a copy only if it must be."""
        flags = array.flags
        if flags.c_contiguous and flags.writeable:
            return array
        copy = self.empty(array.shape, array.dtype)  # a read-only array alone would be another type to every kernel
        self.copy(copy, array)
        return copy

    def lend(self, x: np.ndarray) -> np.ndarray:
        """Return `x` for a kernel that only reads it. A read-only array becomes a view that is flagged as writable.

        A read-only array is another type to Numba, and every kernel would be compiled twice. Writing to the view of
        a read-only memory map ends the process, so it goes to kernels alone, never to layers of one's own.
        """
        return x if x.flags.writeable else np.asarray(Lent(x))

    @contextmanager
    def recording(self) -> "Iterator[list[tuple[Any, tuple[Any, ...]]]]":
        """Write down the calls of kernels that the calling thread makes, as (kernel, arguments), in a list.

        Until the end `of` answers this thread with a device that does; other threads do not hear of it. The list keeps
        the arrays alive, and with them their memory.
        """
        calls = list[tuple[Any, tuple[Any, ...]]]()
        with standing_in(RecordingDevice(self, Recorder(self.kernels, calls))):
            yield calls

    def shares_memory(self, a: Any, b: Any) -> bool:
        """Return whether two arrays of the device overlap."""
        return np.shares_memory(a, b)

    def synchronize(self) -> None:
        """Wait until all that was asked of the device is done; here it always is."""

    def inquiry(self) -> "Device | None":
        """Return a device without memory that calls no kernel, to find which are missing; None where none is."""
        return None

    def blocks_in_use(self) -> set[int]:
        """Return the identities of the blocks of the calling thread that something refers to."""
        return {id(block[0]) for pool in self._pool().values() for block in pool.blocks
                if references(block) != UNUSED}

    def blocks(self) -> set[int]:
        """Return the identities of the blocks of the calling thread."""
        return {id(block[0]) for pool in self._pool().values() for block in pool.blocks}

    def release(self, kept: Container[int] = ()) -> None:
        """Give the blocks of the calling thread that nobody uses back to the system.

        Parameters
        ----------
        kept : container of int, optional
            Identities of blocks that stay.
        """
        for pool in self._pool().values():
            pool.keep([block for block in pool.blocks if references(block) != UNUSED or id(block[0]) in kept])

    def _pool(self) -> dict[int, Pool]:
        found: dict[int, Pool] = self._local.__dict__.setdefault("pool", {})
        return found


class RecordingDevice(Device):
    """A device for the thread that records: the same memory, and kernels that a recorder calls.

    Parameters
    ----------
    device : Device
    recorder : Recorder
    """

    def __init__(self, device: Device, recorder: Recorder) -> None:
        self.name, self.kernels, self.recorder = device.name, recorder, recorder  # type: ignore[assignment]
        self.library, self._device, self._local = device.library, device, device._local
        self.quantizes, self.reads_short = device.quantizes, device.reads_short

    @property
    def allocated(self) -> int:
        return self._device.allocated

    @allocated.setter
    def allocated(self, count: int) -> None:
        self._device.allocated = count

    def fill(self, array: np.ndarray, value: float) -> None:
        self.copy(array, value)

    def copy(self, out: np.ndarray, x: Any) -> None:
        assert self.recorder is not None
        self.recorder.of(np.copyto)(out, x)
