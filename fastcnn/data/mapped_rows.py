"""Rows of arrays that stay where they lie, as memory maps and files of pictures do: read when they are asked for."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.data.ahead import ahead

_CHUNK = 8  # rows of files that a thread decodes at a time


class MappedRows:
    """Some rows of some arrays, in any order, optionally scaled as they are read. Nothing of them is in memory.

    A slice, an index or `numpy.asarray` reads rows into an array; `take` and `scaled` do not read.

    Parameters
    ----------
    arrays : sequence of (N, ...) arrays of one type and of rows of one shape
        Or of what has ``shape``, ``dtype``, ``len`` and rows by their number, which it makes when asked, as from files;
        ``told(rows)`` gives bytes that others would not have.
    index : (n,) array of int, optional
        Which rows of all of them, one after the other; all by default.
    factor, offset : float32 arrays that broadcast against a row, optional
        They are ``row * factor - offset`` in float32.

    Attributes
    ----------
    is_made : bool
        Whether rows are made when they are asked for, which takes long.
    is_whole : bool
        Whether the arrays hold integers, which are finite, however they are scaled.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]], index: ArrayLike | None = None,
                 factor: NDArray[np.float32] | None = None, offset: NDArray[np.float32] | None = None) -> None:
        self.arrays = list(arrays)
        self._ends = np.cumsum([len(array) for array in self.arrays])
        self._index = np.arange(self._ends[-1]) if index is None else np.asarray(index)
        self._factor, self._offset = factor, offset
        # Views, since a memory map takes three times as long to tell a row.
        self._plain = [np.asarray(array) if isinstance(array, np.ndarray) else array for array in self.arrays]
        self.is_made = not all(isinstance(array, np.ndarray) for array in self.arrays)
        self.is_whole = all(array.dtype.kind in "bui" for array in self.arrays)
        self.shape: tuple[int, ...] = (len(self._index), *self.arrays[0].shape[1:])
        self.ndim, self.size = len(self.shape), int(np.prod(self.shape))
        self.dtype = self.arrays[0].dtype if factor is None else np.dtype(np.float32)
        self.nbytes = self.size * self.dtype.itemsize

    @classmethod
    def joined(cls, parts: Sequence[Any]) -> "MappedRows":
        """Return the rows of several arrays, or of `MappedRows` that are not scaled, one after the other."""
        arrays: list[NDArray[Any]] = []
        index = []
        for part in parts:
            own = part if isinstance(part, cls) else cls(*_whole(part))
            begin = sum(map(len, arrays))
            if len(own.arrays) == len(arrays) == 1 and own.arrays[0] is arrays[0]:  # parts of one file
                begin = 0
            else:
                arrays.extend(own.arrays)
            index.append(own._index + begin)
        return cls(arrays, np.concatenate(index))

    def take(self, index: Any) -> "MappedRows":
        """Return some of the rows, unread."""
        return MappedRows(self.arrays, self._index[index], self._factor, self._offset)

    def scaled(self, factor: NDArray[np.float32], offset: NDArray[np.float32]) -> "MappedRows":
        """Return these rows as ``row * factor - offset``, unread."""
        factor, offset = (np.broadcast_to(one, self.shape[1:]).copy() for one in (factor, offset))
        return MappedRows(self.arrays, self._index, factor, offset)  # whole rows: NumPy is slow where axes are short

    def read(self, index: Any, out: NDArray[Any], gather: Any = None) -> None:
        """Write the rows of an index, or slice, into an array, in its type and without fresh memory for them.

        Parameters
        ----------
        index : (n,) array of int, or slice
        out : (n, ...) array
        gather : function, optional
            (out (n, size), array (N, size), rows (n,)): what is faster than row after row, for one array.
        """
        rows = self._index[index]
        if gather is not None and len(self.arrays) == 1:
            gather(out.reshape(len(out), -1), self.arrays[0].reshape(len(self.arrays[0]), -1), rows)
            self._scale(out)
            return
        for k, (row, which) in enumerate(zip(rows.tolist(), np.searchsorted(self._ends, rows, "right").tolist())):
            out[k] = self._plain[which][row - (self._ends[which - 1] if which else 0)]
        self._scale(out)

    def _scale(self, out: NDArray[Any]) -> None:
        if self._factor is not None and self._offset is not None:
            np.multiply(out, self._factor, out=out)
            np.subtract(out, self._offset, out=out)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if isinstance(index, int | np.integer):
            return self[[index]][0]
        rows = self._index[index]
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        if not self.is_made:
            self.read(index, out)
            return out
        chunks = (slice(begin, begin + _CHUNK) for begin in range(0, len(rows), _CHUNK))
        some = self.take(index)
        for _ in ahead(lambda chunk: some.read(chunk, out[chunk]), chunks):
            pass
        return out

    def told(self) -> Iterator[bytes]:
        """Yield what tells rows that are made from others, without making them."""
        ends = [0, *self._ends.tolist()]
        for array, begin, end in zip(self.arrays, ends, ends[1:]):
            own = self._index[(self._index >= begin) & (self._index < end)] - begin
            yield array[own].tobytes() if isinstance(array, np.ndarray) else array.told(own)
        yield self._index.tobytes()
        for one in (self._factor, self._offset):
            yield b"" if one is None else one.tobytes()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)


def _whole(x: NDArray[Any]) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Return the memory map that an array is a slice of, or the array itself, and which of its rows the array has."""
    base: Any = x.base
    is_part = isinstance(base, np.memmap) and base.shape[1:] == x.shape[1:] and base.dtype == x.dtype
    if not is_part or not base.flags.c_contiguous or not x.flags.c_contiguous:
        return [x], np.arange(len(x))
    begin = (x.ctypes.data - base.ctypes.data) // base.strides[0]
    return [base], np.arange(begin, begin + len(x))


def taken(x: Any, index: Any) -> Any:
    """Return ``x[index]``: unread of memory maps and `MappedRows`, else an array."""
    if isinstance(x, np.memmap):
        return MappedRows.joined([x]).take(index)
    return x.take(index) if isinstance(x, MappedRows) else x[index]


def joined(parts: Sequence[Any]) -> Any:
    """Return arrays one after the other: unread where one of them is a memory map or `MappedRows`, else an array."""
    is_mapped = any(isinstance(x, np.memmap | MappedRows) for x in parts)
    return MappedRows.joined(parts) if is_mapped else np.concatenate(parts)
