"""Rows of arrays that stay where they lie, as memory maps do: read when they are asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class MappedRows:
    """Some rows of some arrays, in any order, optionally scaled as they are read. Nothing of them is in memory.

    A slice, an index or `numpy.asarray` reads rows into an array; `take` and `scaled` do not read.

    Parameters
    ----------
    arrays : sequence of (N, ...) arrays of one type and of rows of one shape
    index : (n,) array of int, optional
        Which rows of all of them, one after the other; all by default.
    factor, offset : float32 arrays that broadcast against the last axis, optional
        They are ``row * factor - offset`` in float32.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]], index: ArrayLike | None = None,
                 factor: NDArray[np.float32] | None = None, offset: NDArray[np.float32] | None = None) -> None:
        self.arrays = [np.asarray(array) for array in arrays]
        self._ends = np.cumsum([len(array) for array in self.arrays])
        self._index = np.arange(self._ends[-1]) if index is None else np.asarray(index)
        self._factor, self._offset = factor, offset
        self.shape: tuple[int, ...] = (len(self._index), *self.arrays[0].shape[1:])
        self.ndim, self.size = len(self.shape), int(np.prod(self.shape))
        self.dtype = self.arrays[0].dtype if factor is None else np.dtype(np.float32)
        self.nbytes = self.size * self.dtype.itemsize

    @classmethod
    def joined(cls, parts: Sequence[Any]) -> "MappedRows":
        """Return the rows of several arrays, or of `MappedRows` that are not scaled, one after the other."""
        arrays, index, begin = [], [], 0
        for part in parts:
            own = part if isinstance(part, cls) else cls([part])
            arrays.extend(own.arrays)
            index.append(own._index + begin)
            begin += int(own._ends[-1])
        return cls(arrays, np.concatenate(index))

    def take(self, index: Any) -> "MappedRows":
        """Return some of the rows, unread."""
        return MappedRows(self.arrays, self._index[index], self._factor, self._offset)

    def scaled(self, factor: NDArray[np.float32], offset: NDArray[np.float32]) -> "MappedRows":
        """Return these rows as ``row * factor - offset``, unread."""
        return MappedRows(self.arrays, self._index, factor, offset)

    def read(self, index: Any, out: NDArray[Any]) -> None:
        """Write the rows of an index, or slice, into an array, in its type and without fresh memory for them."""
        rows = self._index[index]
        for k, (row, which) in enumerate(zip(rows.tolist(), np.searchsorted(self._ends, rows, "right").tolist())):
            out[k] = self.arrays[which][row - (self._ends[which - 1] if which else 0)]
        if self._factor is not None and self._offset is not None:
            np.multiply(out, self._factor, out=out)
            np.subtract(out, self._offset, out=out)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if isinstance(index, int | np.integer):
            return self[[index]][0]
        out = np.empty((len(self._index[index]), *self.shape[1:]), self.dtype)
        self.read(index, out)
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)


def taken(x: Any, index: Any) -> Any:
    """Return ``x[index]``: unread of memory maps and `MappedRows`, else an array."""
    if isinstance(x, np.memmap):
        return MappedRows([x], index)
    return x.take(index) if isinstance(x, MappedRows) else x[index]


def joined(parts: Sequence[Any]) -> Any:
    """Return arrays one after the other: unread where one of them is a memory map or `MappedRows`, else an array."""
    is_mapped = any(isinstance(x, np.memmap | MappedRows) for x in parts)
    return MappedRows.joined(parts) if is_mapped else np.concatenate(parts)
