"""What the tests of CUDA's kernels share: launchers that take NumPy arrays, by way of a device's memory.

These files run in the simulator, in a process of its own with NUMBA_ENABLE_CUDASIM=1, which `tests/cuda` starts.
"""

import functools
import inspect

import numpy as np

from fastcnn.cuda.array import DeviceArray

#: Arguments that stay on the host on every device.
_ON_HOST = ("geometry", "bounds")


def on_cuda(launcher):
    """Return a launcher that takes NumPy arrays: they are copied to the device, and back after the launch.

    All of them are copied back, so that a test sees an input that was written to; an array that is given twice is one
    array there, too.
    """
    names = list(inspect.signature(launcher).parameters)

    @functools.wraps(launcher)
    def call(*args):
        there = {}
        for name, one in zip(names, args, strict=True):
            if isinstance(one, np.ndarray) and name not in _ON_HOST:
                there[id(one)] = one, put(one)
        launcher(*(there[id(one)][1] if id(one) in there else one for one in args))
        for host, array in there.values():
            host[...] = get(array)

    return call


def put(x):
    """Return a NumPy array as one of the device."""
    block = np.full(x.nbytes + 64, 0xFF, np.uint8)  # NaN before and after it
    pointer = block.ctypes.data + 32
    array = DeviceArray(pointer, x.shape, x.dtype, x.size, block)
    block[32:32 + x.nbytes] = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
    return array


def get(array):
    """Return the numbers of an array of the device; nobody has written around it."""
    block, size = array.block, array.size * array.dtype.itemsize
    assert (block[:32] == 0xFF).all(), "written before its beginning"
    assert (block[32 + size:] == 0xFF).all(), "written beyond its end"
    return block[32:32 + size].view(array.dtype).reshape(array.shape)
