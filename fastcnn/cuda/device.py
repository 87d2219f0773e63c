"""The device "cuda:0": memory of a card, kernels on one stream, and batches that come while the step before runs."""

import gc
import math
import sys
import weakref
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastcnn.cuda import dlpack
from fastcnn.cuda.array import DeviceArray
from fastcnn.cuda.blocks import card_block
from fastcnn.cuda.inquiry import InquiryDevice
from fastcnn.cuda.namespace import CudaKernels
from fastcnn.cuda.places import copied, of_slices
from fastcnn.cuda.uploads import Uploads
from fastcnn.errors import DeviceError
from fastcnn.host_device import Device
from fastcnn.memory_pool import UNUSED, Pool, size_class

_getrefcount = sys.getrefcount
_LARGEST = 2**31  # elements: kernels count in 32 bits
_NO_POINTER = 0


class CudaDevice(Device):
    """A card.

    Parameters
    ----------
    card : Card

    Attributes
    ----------
    card : Card
    """

    replays, is_asynchronous = False, True
    dtypes = (np.dtype(np.float32),)

    def __init__(self, card: Any) -> None:
        super().__init__(f"cuda:{card.index}", CudaKernels(f"cuda:{card.index}"))  # type: ignore[arg-type]
        self.card = card
        self._constants: dict[int, tuple[Any, DeviceArray]] = {}
        self._uploads = Uploads(card)
        self._inquiry = InquiryDevice(self)

    # --- memory -------------------------------------------------------------------------------------------------------

    def empty(self, shape: tuple[int, ...], dtype: Any) -> DeviceArray:  # type: ignore[override]
        """As `Device.empty`, in the card's memory, aligned to 256 bytes."""
        try:
            pool, size, dtype = self._local.known[shape, dtype]
        except (AttributeError, KeyError):
            pool, size, dtype = self._known(shape, dtype)
        if not size:
            return DeviceArray(_NO_POINTER, shape, dtype, 0, None)
        for block in pool.near:
            if _getrefcount(block[0]) == UNUSED:
                return DeviceArray(block[0].pointer, shape, dtype, size, block[0])
        found = pool.further()
        if found is None:
            what = f"an array {shape} of {dtype.name}"
            found = card_block(self.card, size_class(size * dtype.itemsize), what, self._collected), 0
            pool.keep([*pool.blocks, found])
            self.allocated += 1
        return DeviceArray(found[0].pointer, shape, dtype, size, found[0])

    def _known(self, shape: tuple[int, ...], dtype: Any) -> tuple[Pool, int, Any]:
        """Return the blocks of an array's size class, its elements and its type, and remember them."""
        kind, size = np.dtype(dtype), math.prod(shape)
        if size >= _LARGEST:
            raise DeviceError(f"{self.name}: expected an array of fewer than 2**31 elements, got {tuple(shape)}; "
                              f"reduce batch_size")
        pool = self._pool().setdefault(size_class(size * kind.itemsize), Pool())
        known = self._local.__dict__.setdefault("known", {})
        if len(known) >= 4096:
            known.clear()
        known[shape, dtype] = pool, size, kind
        return pool, size, kind

    def _collected(self) -> None:
        gc.collect()
        self.release()

    def release(self, kept: Container[int] = ()) -> None:
        """As `Device.release`."""
        super().release(kept)
        self._local.__dict__.pop("known", None)
        self._uploads.release()

    def fill(self, array: Any, value: float) -> None:
        """As `Device.fill`."""
        if array.size:
            self.card.fill(array.pointer, np.asarray(value, array.dtype).tobytes(), array.size)

    # --- numbers ------------------------------------------------------------------------------------------------------

    def put(self, x: np.ndarray) -> DeviceArray:  # type: ignore[override]
        """As `Device.put`: a copy; a large one goes through pinned memory while the card works."""
        if type(x) is DeviceArray:
            return x
        host = np.require(x, requirements=["C"])
        if host.dtype.byteorder == ">":
            host = host.astype(host.dtype.newbyteorder("="))
        if host.nbytes > self._uploads.least:
            return self._uploads.put(host)
        array = self.empty(host.shape, host.dtype)
        if host.size:
            self.card.upload(array.pointer, host)
        return array

    def constant(self, x: np.ndarray) -> DeviceArray:  # type: ignore[override]
        """As `Device.constant`: put once, and kept as long as `x` lives."""
        key = id(x)
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = weakref.ref(x, lambda _: self._constants.pop(key, None)), self.put(x)
        return found[1]

    def get(self, array: Any) -> np.ndarray:
        """As `Device.get`: a copy, once all that was asked before is done."""
        host = np.empty(array.shape, array.dtype)
        if array.size:
            self.card.download(host, array.pointer)
        return host

    def copy(self, out: Any, x: Any) -> None:
        """As `Device.copy`."""
        if type(x) is not DeviceArray:
            host = np.ascontiguousarray(np.broadcast_to(np.asarray(x), out.shape), out.dtype)
            if out.size:
                self.card.upload(out.pointer, host)
        elif x.dtype != out.dtype:
            self.copy(out, self.get(x))
        elif x.size == out.size:
            self.card.move(out.pointer, x.pointer, out.nbytes)
        else:
            copied(out, x)

    def read(self, out: Any, x: Any, at: tuple[slice, ...]) -> None:
        """As `Device.read`."""
        of_slices(x, at, out, reads=True)

    def write(self, out: Any, at: tuple[slice, ...], x: Any) -> None:
        """As `Device.write`."""
        of_slices(out, at, x, reads=False)

    def ready(self, array: Any) -> Any:
        """Return the array: all of them are contiguous."""
        return array

    def lend(self, x: Any) -> Any:
        """Return the array: none is read-only."""
        return x

    def from_dlpack(self, x: Any) -> DeviceArray:
        """Return an array of another library that lies on this card, such as a tensor of PyTorch's, without a copy.

        Parameters
        ----------
        x : object
            With ``__dlpack__`` and ``__dlpack_device__``; C-contiguous.
        """
        stream = None if self.card.stream is None else int(self.card.stream)
        return dlpack.taken(x, self.card.dlpack_device, stream)

    def lent(self, array: DeviceArray) -> Any:
        """Return a capsule of DLPack's for an array, whose numbers are there."""
        self.card.synchronize()
        return dlpack.lent(array, self.card.dlpack_device)

    def inquiry(self) -> Device:
        """As `Device.inquiry`."""
        return self._inquiry

    @contextmanager
    def memory_of_its_own(self) -> Iterator[Any]:
        """Let the calling thread take memory that nobody else takes as long as what is yielded lives."""
        before = dict(self._local.__dict__)
        self._local.__dict__.clear()
        try:
            yield self._pool()
        finally:
            self._local.__dict__.clear()
            self._local.__dict__.update(before)

    def captured(self, run: Callable[[], None]) -> Callable[[], None]:
        """Return what repeats the launches of `run`, which takes no memory and reads no numbers."""
        replay: Callable[[], None] = self.card.captured(run)
        return replay

    def shares_memory(self, a: Any, b: Any) -> bool:
        """As `Device.shares_memory`: whether they lie in one block."""
        return a.block is b.block is not None

    def synchronize(self) -> None:
        """Wait until all that was asked of the card is done."""
        self.card.synchronize()
