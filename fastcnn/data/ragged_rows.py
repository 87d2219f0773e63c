"""Targets of unequal number a sample: rows of numbers, padded to the longest of a batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.errors import ArgumentError, unknown

#: What fills a batch up: a row of it has a class below 0, which losses and metrics pass over.
PADDING = -1.0
_COLUMNS = {"boxes": 4, "points": 2, "numbers": 0}  # that each kind has at least
_HOST = np.empty(0)


class RaggedRows:
    """Rows of numbers for each of N samples, as many as each has; a slice or an index gives a padded batch.

    `fit` takes them as targets: a batch is (B, M, C) with the M of its longest sample, at least 1, and rows of -1
    after those of each sample.

    Parameters
    ----------
    rows : (R, C) array
        Of all samples, one after the other; float32 then.
    offsets : (N + 1,) array of int
        Where the rows of each sample begin, and at last how many there are.
    kind : {"boxes", "points", "numbers"}
        What augmentation makes of them. Boxes x1, y1, x2, y2 in the first four columns move with their images, are
        cut off at the border, and left out where little of them is left; what a layer mirrors into view beyond the
        border (its default ``fill_mode="reflect"``) has no box, which ``"constant"`` avoids. Points x, y in the first
        two columns move, and may come to lie outside. Numbers stay.

    Raises
    ------
    ArgumentError
        Offsets that do not rise from 0 to R; another kind, or too few columns for it.

    Examples
    --------
    >>> rows = fc.data.RaggedRows([[1, 2], [3, 4], [5, 6]], [0, 1, 1, 3])
    >>> len(rows), rows[:2].tolist(), rows[2].tolist()
    (3, [[[1.0, 2.0]], [[-1.0, -1.0]]], [[3.0, 4.0], [5.0, 6.0]])
    """

    dtype = np.dtype(np.float32)

    def __init__(self, rows: ArrayLike, offsets: ArrayLike, kind: str = "numbers") -> None:
        self.rows: NDArray[np.float32] = np.ascontiguousarray(rows, np.float32)
        self.offsets: NDArray[np.int64] = np.ascontiguousarray(offsets, np.int64)
        ends = self.offsets
        if self.rows.ndim != 2 or ends.ndim != 1 or not len(ends) or ends[0] != 0 or ends[-1] != len(self.rows) or (
                np.diff(ends) < 0).any():
            raise ArgumentError(f"RaggedRows: expected rows (R, C) and offsets that rise from 0 to R, got "
                                f"{self.rows.shape} and {ends.shape}")
        if kind not in _COLUMNS:
            raise ArgumentError(unknown("RaggedRows: kind", kind, _COLUMNS))
        if self.rows.shape[1] < _COLUMNS[kind]:
            raise ArgumentError(f"RaggedRows: expected at least {_COLUMNS[kind]} columns for {kind}, got "
                                f"{self.rows.shape[1]}")
        self.kind, self._counts = kind, np.diff(ends)
        self.shape = len(ends) - 1, max(1, int(self._counts.max(initial=1))), self.rows.shape[1]
        self.ndim, self.size, self.nbytes = 3, int(np.prod(self.shape)), self.rows.nbytes

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: Any) -> NDArray[np.float32]:
        """Return a padded batch (B, M, C); of one number that sample's rows (K, C)."""
        if isinstance(part, (int, np.integer)):
            row = range(len(self))[part]
            return self.rows[self.offsets[row] : self.offsets[row + 1]]
        return padded(self.of(part), self.shape[2])

    def of(self, part: Any) -> list[NDArray[np.float32]]:
        """Return the rows of some samples, a list of (K, C) arrays.

        Parameters
        ----------
        part : slice or array of int
        """
        numbers = range(len(self))[part] if isinstance(part, slice) else np.asarray(part).tolist()
        ends = self.offsets[1:]
        return [self.rows[ends[k] - self._counts[k] : ends[k]] for k in numbers]

    def told(self) -> bytes:
        """Return all bytes of it, which another one has not."""
        return b"".join((self.kind.encode(), self.offsets.tobytes(), self.rows.tobytes()))

    def take(self, part: Any) -> "RaggedRows":
        """Return some of the samples.

        Parameters
        ----------
        part : slice or array of int
        """
        each = self.of(part)
        offsets = np.append(0, np.cumsum([len(one) for one in each], dtype=np.int64))
        return RaggedRows(np.concatenate([np.zeros((0, self.shape[2]), np.float32), *each]), offsets, self.kind)


def padded(each: Sequence[NDArray[Any]], columns: int) -> NDArray[np.float32]:
    """Return arrays (K, C) as one batch (B, M, C), with rows of -1 after those of each; M is at least 1.

    Parameters
    ----------
    each : sequence of (K, C) arrays
    columns : int
    """
    from fastcnn import device  # it compiles: who reads data alone need not wait for that

    most = max([1, *(len(one) for one in each)])
    batch: NDArray[np.float32] = device.of(_HOST).empty((len(each), most, columns), np.dtype(np.float32))
    batch[...] = PADDING
    for k, one in enumerate(each):
        batch[k, : len(one)] = one
    return batch
