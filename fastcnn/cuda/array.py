"""Arrays in a card's memory: a pointer, a shape and a type; their numbers are out of reach of the host."""

import math
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError


class DeviceArray:
    """Numbers in a card's memory, C-contiguous. `fastcnn.device.get` brings them to the host.

    It has what layers ask of arrays, and nothing more: shape, dtype, size, ndim, a length, `reshape`, and slices of its
    first axis; views share memory.

    Parameters
    ----------
    pointer : int
        The address of the first element.
    shape : tuple of int
    dtype : dtype
    size : int
        How many elements.
    block : object
        What keeps the memory: as long as an array or a view of it lives, so does the block.
    """

    __slots__ = ("__weakref__", "block", "dtype", "pointer", "shape", "size")
    __array_ufunc__ = None  # NumPy's operators leave it to those of the array, of which there are none
    __hash__ = None  # type: ignore[assignment]
    __iter__ = None

    def __init__(self, pointer: int, shape: tuple[int, ...], dtype: Any, size: int, block: Any) -> None:
        self.pointer, self.shape, self.dtype, self.size, self.block = pointer, shape, dtype, size, block

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes its numbers take."""
        return self.size * int(self.dtype.itemsize)

    def __len__(self) -> int:
        return self.shape[0]

    def reshape(self, *shape: Any) -> "DeviceArray":
        """Return a view of another shape, of which one dimension may be -1."""
        new = shape if len(shape) != 1 or type(shape[0]) is int else tuple(shape[0])
        size = self.size
        if new == (-1,):
            new = (size,)
        elif math.prod(new) != size:
            new = self._completed(new)
        return DeviceArray(self.pointer, new, self.dtype, size, self.block)

    def _completed(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        known = -math.prod(shape)
        if shape.count(-1) != 1 or known <= 0 or self.size % known:
            raise ArgumentError(f"reshape: expected a shape of {self.size} elements, got {shape}; "
                                f"the array has shape {self.shape}")
        return tuple(self.size // known if length == -1 else length for length in shape)

    def __getitem__(self, key: slice) -> "DeviceArray":
        if type(key) is not slice or key.step not in (None, 1) or not self.shape:
            raise TypeError(f"an array in a card's memory is cut by slices of its first axis alone, not by {key!r}; "
                            f"fastcnn.device.get(array) brings its numbers to the host")
        begin, end, _ = key.indices(self.shape[0])
        count, row = max(0, end - begin), self.size // self.shape[0] if self.shape[0] else 0
        pointer = self.pointer + begin * row * self.dtype.itemsize
        return DeviceArray(pointer, (count, *self.shape[1:]), self.dtype, count * row, self.block)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("an array in a card's memory shows its numbers to nobody on the host; "
                        "fastcnn.device.get(array) copies them")

    def __eq__(self, other: object) -> bool:
        raise TypeError("arrays in a card's memory are not compared; fastcnn.device.get(array) copies them to the host")

    def __bool__(self) -> bool:
        raise TypeError("an array in a card's memory is neither true nor false; fastcnn.device.get(array) copies it")

    def __dlpack_device__(self) -> tuple[int, int]:
        place: tuple[int, int] = device.of(self).card.dlpack_device  # type: ignore[attr-defined]
        return place

    def __dlpack__(self, **asked: Any) -> Any:
        return device.of(self).lent(self)  # type: ignore[attr-defined]

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """What CuPy, PyTorch and Numba read: the address, once all that writes there is done."""
        where: Any = device.of(self)
        if not where.card.is_real:
            raise AttributeError("__cuda_array_interface__: the simulator's memory is the host's")
        where.synchronize()
        return {"shape": self.shape, "typestr": self.dtype.str, "data": (self.pointer, False), "strides": None,
                "version": 3}

    def __reduce__(self) -> Any:
        raise TypeError("an array in a card's memory cannot be pickled or copied; fastcnn.device.get(array) copies its "
                        "numbers to the host")

    def __repr__(self) -> str:
        return f"<DeviceArray {self.shape} {self.dtype.name}>"
