"""A second device without a second machine: arrays that hide their numbers, and the CPU's kernels on what is inside.

What runs here touches no numbers above `fastcnn.device`, and asks for nothing that memory elsewhere could not give.
"""

import functools
import inspect
import weakref
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.kernels import cpu


class MirrorArray:
    """A shape, a dtype, a size, a length, `reshape`, contiguous slices of the first axis, and nothing else."""

    __slots__ = ("__weakref__", "_inside")
    __array_ufunc__ = None
    __hash__ = None
    __iter__ = None

    def __init__(self, inside: np.ndarray) -> None:
        assert type(inside) is np.ndarray
        assert inside.flags.c_contiguous
        self._inside = inside

    shape = property(lambda self: self._inside.shape)
    dtype = property(lambda self: self._inside.dtype)
    size = property(lambda self: self._inside.size)
    ndim = property(lambda self: self._inside.ndim)

    def __len__(self) -> int:
        return len(self._inside)

    def reshape(self, *shape: Any) -> "MirrorArray":
        return MirrorArray(self._inside.reshape(*shape))

    def __getitem__(self, key: Any) -> "MirrorArray":
        if not isinstance(key, slice) or key.step not in (None, 1):
            raise TypeError(f"an array of the mirror device is cut by slices of its first axis alone, not by {key!r}")
        return MirrorArray(self._inside[key])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("an array of the mirror device shows its numbers to nobody")

    def __eq__(self, other: object) -> bool:
        raise TypeError("arrays of the mirror device are not compared")

    def __bool__(self) -> bool:
        raise TypeError("an array of the mirror device is neither true nor false")


class _Kernels:
    """The CPU's kernels, each made for the mirror when first asked for, and then always the same object."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(cpu, name)
        if callable(found):
            found = _mirrored(found)
        setattr(self, name, found)
        return found


def _mirrored(kernel: Any) -> Any:
    """Return a kernel that takes arrays of the mirror, and of the host only what tells about the call."""
    names = list(inspect.signature(getattr(kernel, "py_func", kernel)).parameters)

    @functools.wraps(kernel)
    def call(*args: Any) -> Any:
        for name, one in zip(names, args, strict=False):
            if isinstance(one, np.ndarray):  # geometry, nothing, or the bounds of a clamp
                small = one.dtype.names is not None or one.size == 0 or name == "bounds"
                assert small, f"{kernel.__name__}: {name} is a host array {one.dtype}{one.shape}"
        return kernel(*[one._inside if type(one) is MirrorArray else one for one in args])

    return call


class MirrorDevice(device.Device):
    """The device of mirror arrays; `put` and `get` copy, so that nobody shares memory with it."""

    replays = False

    def __init__(self) -> None:
        super().__init__("mirror", _Kernels())
        self._constants: dict[int, tuple[Any, MirrorArray]] = {}

    def empty(self, shape: tuple[int, ...], dtype: Any) -> MirrorArray:
        inside = super().empty(shape, dtype)
        if inside.dtype.kind == "f":
            inside.fill(np.nan)  # what no kernel writes shows
        return MirrorArray(inside)

    def fill(self, array: MirrorArray, value: float) -> None:
        array._inside.fill(value)

    def copy(self, out: MirrorArray, x: Any) -> None:
        np.copyto(out._inside, x._inside if type(x) is MirrorArray else x)

    def read(self, out: MirrorArray, x: MirrorArray, at: tuple[slice, ...]) -> None:
        np.copyto(out._inside, x._inside[at])

    def write(self, out: MirrorArray, at: tuple[slice, ...], x: MirrorArray) -> None:
        np.copyto(out._inside[at], x._inside)

    def put(self, x: np.ndarray) -> MirrorArray:
        assert isinstance(x, np.ndarray)
        array = self.empty(x.shape, x.dtype)
        np.copyto(array._inside, x)
        return array

    def constant(self, x: np.ndarray) -> MirrorArray:
        key = id(x)
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = weakref.ref(x, lambda _: self._constants.pop(key, None)), self.put(x)
        return found[1]

    def get(self, array: MirrorArray) -> np.ndarray:
        return array._inside.copy()

    def ready(self, array: MirrorArray) -> MirrorArray:
        return array

    def lend(self, array: MirrorArray) -> MirrorArray:
        return array

    def recording(self) -> Any:
        raise AssertionError("the mirror device does not record")


mirror = MirrorDevice()
device.register(MirrorArray, mirror)
