"""What the tests of CUDA's kernels share: launchers that take NumPy arrays, by way of a device's memory.

These files run in the simulator, in a process of its own with NUMBA_ENABLE_CUDASIM=1, which `tests/cuda` starts.
"""

import functools
import inspect

import numpy as np

from fastcnn import device
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


_MARGIN = 256  # bytes of NaN before and after an array


def put(x):
    """Return a NumPy array as one of the device, with margins that betray who writes around it."""
    block = np.full(x.nbytes + 2 * _MARGIN, 0xFF, np.uint8)
    block[_MARGIN:_MARGIN + x.nbytes] = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
    whole = device.named("cuda").put(block)
    return DeviceArray(whole.pointer + _MARGIN, x.shape, x.dtype, x.size, whole)


def get(array):
    """Return the numbers of an array of the device; nobody has written around it."""
    block, end = device.get(array.block), _MARGIN + array.size * array.dtype.itemsize
    assert (block[:_MARGIN] == 0xFF).all(), "written before its beginning"
    assert (block[end:] == 0xFF).all(), "written beyond its end"
    return block[_MARGIN:end].view(array.dtype).reshape(array.shape)
