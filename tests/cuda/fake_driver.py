"""NVIDIA's driver without a card: the calls that fastcnn makes of it, on memory of the host, each written down."""

import ctypes
import types

import numpy as np


class Status(int):
    """0, or the number of an error."""


class FakeDriver(types.ModuleType):
    """Stands in for ``cuda.bindings.driver``.

    Parameters
    ----------
    cards : int
    capability : (int, int)
    version : int
        13000 is CUDA 13.0.
    memory : int
        Bytes.
    """

    def __init__(self, cards=1, capability=(9, 0), version=13000, memory=1 << 24):
        super().__init__("cuda.bindings.driver")
        self.cards, self.capability, self.version, self.memory = cards, capability, version, memory
        self.blocks, self.calls, self.launches, self.graph = {}, [], [], None
        self.fails = {}  # name of a call: the number of its error
        self.CUdevice_attribute = types.SimpleNamespace(
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR=0, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR=1,
            CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT=2, CU_DEVICE_ATTRIBUTE_CLOCK_RATE=3)
        self.CUstream_flags = types.SimpleNamespace(CU_STREAM_NON_BLOCKING=1)
        self.CUevent_flags = types.SimpleNamespace(CU_EVENT_DISABLE_TIMING=2)
        self.CUstreamCaptureMode = types.SimpleNamespace(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL=1)

    def __getattr__(self, name):
        if not name.startswith("cu"):
            raise AttributeError(name)

        def call(*args):
            self.calls.append(name)
            if name in self.fails:
                return (Status(self.fails[name]), None) if name == "cuMemAlloc" else (Status(self.fails[name]),)
            return (Status(0), *getattr(self, f"_{name}", lambda *_: ())(*args))

        return call

    # --- what the calls do ---

    def _cuDeviceGetCount(self):  # noqa: N802
        return (self.cards,)

    def _cuDeviceGet(self, index):  # noqa: N802
        return (index,)

    def _cuDeviceGetName(self, size, card):  # noqa: N802
        return (b"Fake card\0".ljust(size, b"\0"),)

    def _cuDeviceGetAttribute(self, kind, card):  # noqa: N802
        return ((*self.capability, 132, 1_980_000)[kind],)

    def _cuDriverGetVersion(self):  # noqa: N802
        return (self.version,)

    def _cuDeviceTotalMem(self, card):  # noqa: N802
        return (self.memory,)

    def _cuDevicePrimaryCtxRetain(self, card):  # noqa: N802
        return ("context",)

    def _cuStreamCreate(self, flags, priority):  # noqa: N802
        return (f"stream {self.calls.count('cuStreamCreate')}",)

    def _cuMemGetInfo(self):  # noqa: N802
        return self.memory - sum(block.size for block in self.blocks.values()), self.memory

    def _cuMemAlloc(self, size):  # noqa: N802
        block = np.full(size, 0xFF, np.uint8)
        self.blocks[block.ctypes.data] = block
        return (block.ctypes.data,)

    def _cuMemFree(self, pointer):  # noqa: N802
        del self.blocks[pointer]
        return ()

    _cuMemAllocHost = _cuMemAlloc  # noqa: N815

    def _cuMemcpyHtoDAsync(self, to, source, size, stream):  # noqa: N802
        ctypes.memmove(to, source, size)
        return ()

    _cuMemcpyDtoHAsync = _cuMemcpyDtoDAsync = _cuMemcpyHtoDAsync  # noqa: N815

    def _cuMemsetD8Async(self, to, value, count, stream):  # noqa: N802
        _at(to, count, np.uint8)[...] = value
        return ()

    def _cuMemsetD32Async(self, to, value, count, stream):  # noqa: N802
        _at(to, 4 * count, np.uint32)[...] = value
        return ()

    def _cuMemsetD2D32Async(self, to, pitch, value, width, height, stream):  # noqa: N802
        for row in range(height):
            _at(to + row * pitch, 4 * width, np.uint32)[...] = value
        return ()

    def _cuEventCreate(self, flags):  # noqa: N802
        return (f"event {self.calls.count('cuEventCreate')}",)

    def _cuModuleLoadData(self, cubin):  # noqa: N802
        return (("module", cubin),)

    def _cuModuleGetFunction(self, module, entry):  # noqa: N802
        return (("function", entry.decode()),)

    def _cuLaunchKernel(self, function, *args):  # noqa: N802
        *shape, _, _, places, _ = args
        self.launches.append((function[1], tuple(shape), places))
        self.on_launch(places)
        return ()

    def on_launch(self, places):
        """Look at the arguments of a launch."""

    def _cuStreamEndCapture(self, stream):  # noqa: N802
        return ("graph",)

    def _cuGraphInstantiate(self, graph, flags):  # noqa: N802
        return ("ready",)

    def _cuGetErrorName(self, status):  # noqa: N802
        return ({2: b"CUDA_ERROR_OUT_OF_MEMORY", 100: b"CUDA_ERROR_NO_DEVICE"}.get(int(status), b"CUDA_ERROR_OTHER"),)

    def _cuGetErrorString(self, status):  # noqa: N802
        return (b"what went wrong",)


def _at(pointer, size, dtype):
    return np.frombuffer((ctypes.c_char * size).from_address(pointer), dtype)
