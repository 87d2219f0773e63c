"""A card, by NVIDIA's driver: its memory, its streams, its code. Nothing else imports the driver.

All work goes to one stream, in order; copies of batches to a second one, which waits where it must. Errors come as one
sentence, with versions and what to do.
"""

import os
import sys
import threading
from importlib import metadata
from typing import Any

import numpy as np

from fastcnn.errors import DeviceError
from fastcnn.kernels.cuda.compile.host_memory import bytes_at

LEAST = (7, 5)  # the oldest architecture that CUDA 13 compiles for
_PIP = "pip install 'fastcnn[cuda]'"
_UNITS, _FEW_UNITS = 128, 64  # of float32 in a multiprocessor
_WITH_FEW_UNITS = ((7, 5), (8, 0))
_OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY


def driver_of(index: int) -> Any:
    """Return the module of the driver, which is there and has a card of this number.

    Raises
    ------
    DeviceError
        If the package, the driver or the card is absent, or too old.
    """
    who = f"cuda:{index}"
    if versions()["numba-cuda"] == "none":
        raise DeviceError(f"{who}: expected the package numba-cuda, got none; {_PIP}")
    try:
        from cuda.bindings import driver as cu
    except ImportError as error:
        raise DeviceError(f"{who}: expected the package cuda-bindings, got {error}; {_PIP}") from None
    try:
        (status,) = cu.cuInit(0)
    except Exception as error:  # the bindings look for libcuda.so when they are first called
        raise DeviceError(f"{who}: expected NVIDIA's driver, got none on this machine ({_first(error)}); install it, "
                          f"or use the device cpu") from None
    count = 0 if status else int(cu.cuDeviceGetCount()[1])
    if status or not 0 <= index < count:
        got = "none" if not count else "cuda:0" if count == 1 else f"cuda:0 to cuda:{count - 1}"
        why = f" ({cu.cuGetErrorName(status)[1].decode()})" if status else ""
        raise DeviceError(f"{who}: expected a card of this number, got {got}{why}; use the device cpu, or look at "
                          f"CUDA_VISIBLE_DEVICES and nvidia-smi")
    return cu


def _first(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0]


def linker_version() -> tuple[int, int]:
    """Return the version of nvJitLink, which makes cubins: that of the toolkit that the package brought.

    Raises
    ------
    DeviceError
        If it is absent.
    """
    try:
        from cuda.bindings import nvjitlink

        major, minor = nvjitlink.version()
    except Exception as error:
        raise DeviceError(f"cuda: expected nvJitLink of CUDA's toolkit, got none ({_first(error)}); {_PIP}") from None
    return int(major), int(minor)


def versions() -> dict[str, str]:
    """Return the versions of the packages that a card needs, "none" for those that are absent."""
    found = {}
    for name in ("numba-cuda", "cuda-bindings", "nvidia-nvjitlink", "nvidia-nvvm"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found


class Card:
    """An open card.

    Parameters
    ----------
    index : int

    Attributes
    ----------
    is_real : bool
        Whether its memory is a card's.
    dlpack_device : (int, int)
        How DLPack tells where its memory is.
    name : str
        NVIDIA's.
    architecture : str
        ``sm_90``.
    driver : (int, int)
        The version of CUDA that the driver knows.
    total : int
        Bytes of memory.
    multiprocessors : int
    flops : float
        Operations of float32 a second by its clock, a multiply-add being two.
    stream, copies : CUstream
        Where kernels run, and where batches are copied.
    call : callable
        The driver's launch.
    local : threading.local
        Has `entered` in threads that may use the card.
    held : list of int
        One number: bytes that this process has of its memory.
    """

    def __init__(self, index: int) -> None:
        self.index, self.is_real, self.dlpack_device = index, True, (2, index)
        cu = self._cu = driver_of(index)
        card = self._checked(cu.cuDeviceGet(index), "cuDeviceGet")
        self.name = self._checked(cu.cuDeviceGetName(128, card), "cuDeviceGetName").split(b"\0")[0].decode()
        kinds = cu.CUdevice_attribute
        *capability, self.multiprocessors, kilohertz = (
            int(self._checked(cu.cuDeviceGetAttribute(kind, card), "cuDeviceGetAttribute")) for kind in (
                kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                kinds.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, kinds.CU_DEVICE_ATTRIBUTE_CLOCK_RATE))
        units = _FEW_UNITS if tuple(capability) in _WITH_FEW_UNITS else _UNITS
        self.flops = 2e3 * kilohertz * self.multiprocessors * units
        self.architecture = f"sm_{capability[0]}{capability[1]}"
        number = int(self._checked(cu.cuDriverGetVersion(), "cuDriverGetVersion"))
        self.driver = number // 1000, number % 1000 // 10
        self._require(tuple(capability))
        self.total = int(self._checked(cu.cuDeviceTotalMem(card), "cuDeviceTotalMem"))
        self._context = self._checked(cu.cuDevicePrimaryCtxRetain(card), "cuDevicePrimaryCtxRetain")
        self.local, self._pid = threading.local(), os.getpid()
        self.call = cu.cuLaunchKernel
        os.register_at_fork(after_in_child=self._forked)
        self.enter()
        flags = cu.CUstream_flags.CU_STREAM_NON_BLOCKING
        self.stream, self.copies = (self._checked(cu.cuStreamCreate(flags, 0), "cuStreamCreate") for _ in range(2))
        self.held = [0]  # bytes, in a list that blocks share
        self._modules: list[Any] = []  # which keep their functions loaded

    def _require(self, capability: tuple[int, ...]) -> None:
        linker = linker_version()
        if capability < LEAST:
            raise DeviceError(f"cuda:{self.index}: expected a card of compute capability 7.5 or higher, which CUDA "
                              f"{linker[0]} compiles for, got {capability[0]}.{capability[1]} ({self.name}); use the "
                              f"device cpu")
        if self.driver[0] < linker[0]:
            raise DeviceError(f"cuda:{self.index}: expected a driver of CUDA {linker[0]} or newer, as nvJitLink "
                              f"{linker[0]}.{linker[1]} makes cubins for it, got a driver of CUDA {self.driver[0]}."
                              f"{self.driver[1]}; update the driver")

    def enter(self) -> Any:
        """Make the calling thread one that may use the card, and return the driver's module."""
        if not getattr(self.local, "entered", False):
            if os.getpid() != self._pid:
                raise DeviceError(f"cuda:{self.index}: expected the process that opened the card, got one that was "
                                  f"forked from it, which CUDA does not allow; start it with the method spawn")
            self._checked(self._cu.cuCtxSetCurrent(self._context), "cuCtxSetCurrent")
            self.local.entered = True
        return self._cu

    def _forked(self) -> None:
        self.local.entered = False  # so that the child's one thread is told by `enter`

    def check(self, result: Any, what: str) -> None:
        """Raise for what the driver answered, if it is an error."""
        self._checked(result, what)

    def _checked(self, result: Any, what: str) -> Any:
        status, *values = result
        if status:
            name, text = (self._cu.cuGetErrorName(status)[1], self._cu.cuGetErrorString(status)[1])
            raise DeviceError(f"cuda:{self.index}: {what} failed: {name.decode()}, {text.decode()}; what the card was "
                              f"told before may have failed: CUDA_LAUNCH_BLOCKING=1 tells which")
        return values[0] if len(values) == 1 else values

    # --- memory -------------------------------------------------------------------------------------------------------

    def allocate(self, size: int) -> int:
        """Return the address of so many bytes; 0 where there is no room."""
        status, pointer = self.enter().cuMemAlloc(size)
        if int(status) == _OUT_OF_MEMORY:
            return 0
        self.check((status,), "cuMemAlloc")
        return int(pointer)

    def free(self, pointer: int) -> None:
        """Give memory back; what runs is waited for."""
        if os.getpid() == self._pid and not sys.is_finalizing():
            self.check(self.enter().cuMemFree(pointer), "cuMemFree")

    def memory(self) -> tuple[int, int]:
        """Return how many bytes are free, of all processes, and how many there are."""
        free, total = self._checked(self.enter().cuMemGetInfo(), "cuMemGetInfo")
        return int(free), int(total)

    def fill(self, pointer: int, bits: bytes, count: int) -> None:
        """Write `count` numbers of the same bits, of 1, 2, 4 or 8 bytes."""
        cu, word = self.enter(), int.from_bytes(bits, "little")
        one = {1: cu.cuMemsetD8Async, 2: cu.cuMemsetD16Async, 4: cu.cuMemsetD32Async}.get(len(bits))
        if one is not None:
            self.check(one(pointer, word, count, self.stream), "cuMemset")
            return
        for half in range(2):  # of numbers of 8 bytes, as rows of which one word is written
            part = word >> 32 * half & 0xFFFFFFFF
            self.check(cu.cuMemsetD2D32Async(pointer + 4 * half, 8, part, 1, count, self.stream), "cuMemset")

    def upload(self, pointer: int, array: np.ndarray) -> None:
        """Copy a contiguous array of the host; when this returns, it may be written to."""
        status = self.enter().cuMemcpyHtoDAsync(pointer, array.ctypes.data, array.nbytes, self.stream)
        self.check(status, "cuMemcpyHtoD")

    def download(self, array: np.ndarray, pointer: int) -> None:
        """Copy to a contiguous array of the host, once all that was asked before is done."""
        cu = self.enter()
        self.check(cu.cuMemcpyDtoHAsync(array.ctypes.data, pointer, array.nbytes, self.stream), "cuMemcpyDtoH")
        self.synchronize()

    def move(self, pointer: int, source: int, size: int) -> None:
        """Copy bytes within the card."""
        self.check(self.enter().cuMemcpyDtoDAsync(pointer, source, size, self.stream), "cuMemcpyDtoD")

    def synchronize(self) -> None:
        """Wait until all that was asked is done."""
        self.check(self.enter().cuStreamSynchronize(self.stream), "what the card ran")

    # --- batches ------------------------------------------------------------------------------------------------------

    def pinned(self, size: int) -> np.ndarray:
        """Return bytes of the host that the card reads by itself; they are never given back."""
        address = int(self._checked(self.enter().cuMemAllocHost(size), "cuMemAllocHost"))
        return bytes_at(address, size)

    def event(self) -> Any:
        """Return something that is recorded in a stream, and waited for."""
        cu = self.enter()
        return self._checked(cu.cuEventCreate(cu.CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate")

    def record(self, event: Any, stream: Any) -> None:
        """Mark what a stream was asked until now."""
        self.check(self.enter().cuEventRecord(event, stream), "cuEventRecord")

    def wait(self, stream: Any, event: Any) -> None:
        """Let a stream wait for a mark."""
        self.check(self.enter().cuStreamWaitEvent(stream, event, 0), "cuStreamWaitEvent")

    def finish(self, event: Any) -> None:
        """Let the host wait for a mark."""
        self.check(self.enter().cuEventSynchronize(event), "cuEventSynchronize")

    def upload_pinned(self, pointer: int, staged: np.ndarray) -> None:
        """Copy pinned bytes, in the stream of copies; they stay as they are until that is done."""
        self.check(self.enter().cuMemcpyHtoDAsync(pointer, staged.ctypes.data, staged.nbytes, self.copies),
                   "cuMemcpyHtoD")

    # --- code ---------------------------------------------------------------------------------------------------------

    def load(self, cubin: bytes, entry: str) -> Any:
        """Return a function of a cubin; it stays loaded."""
        cu = self.enter()
        self._modules.append(self._checked(cu.cuModuleLoadData(cubin), "cuModuleLoadData"))
        return self._checked(cu.cuModuleGetFunction(self._modules[-1], entry.encode()), "cuModuleGetFunction")

    def captured(self, run: Any) -> Any:
        """Return what replays the launches of `run`, which are written down and not done: a CUDA graph."""
        cu = self.enter()
        mode = cu.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        self.check(cu.cuStreamBeginCapture(self.stream, mode), "cuStreamBeginCapture")
        try:
            run()
        finally:
            graph = self._checked(cu.cuStreamEndCapture(self.stream), "cuStreamEndCapture")
        ready = self._checked(cu.cuGraphInstantiate(graph, 0), "cuGraphInstantiate")
        return lambda: self.check(self.enter().cuGraphLaunch(ready, self.stream), "cuGraphLaunch")
