"""Targets of unequal number a sample: rows of numbers, padded to the longest of a batch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.errors import ArgumentError

#: What fills a batch up: a row of it has a class below 0, which losses and metrics pass over.
PADDING = -1.0


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

    Raises
    ------
    ArgumentError
        Offsets that do not rise from 0 to R.

    Examples
    --------
    >>> rows = fc.data.RaggedRows([[1, 2], [3, 4], [5, 6]], [0, 1, 1, 3])
    >>> len(rows), rows[:2].tolist(), rows[2].tolist()
    (3, [[[1.0, 2.0]], [[-1.0, -1.0]]], [[3.0, 4.0], [5.0, 6.0]])
    """

    dtype = np.dtype(np.float32)

    def __init__(self, rows: ArrayLike, offsets: ArrayLike) -> None:
        self.rows: NDArray[np.float32] = np.ascontiguousarray(rows, np.float32)
        self.offsets: NDArray[np.int64] = np.ascontiguousarray(offsets, np.int64)
        ends = self.offsets
        if self.rows.ndim != 2 or ends.ndim != 1 or not len(ends) or ends[0] != 0 or ends[-1] != len(self.rows) or (
                np.diff(ends) < 0).any():
            raise ArgumentError(f"RaggedRows: expected rows (R, C) and offsets that rise from 0 to R, got "
                                f"{self.rows.shape} and {ends.shape}")
        self._counts = np.diff(ends)
        self.shape = len(ends) - 1, max(1, int(self._counts.max(initial=1))), self.rows.shape[1]
        self.ndim, self.size, self.nbytes = 3, int(np.prod(self.shape)), self.rows.nbytes

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: Any) -> NDArray[np.float32]:
        """Return a padded batch (B, M, C); of one number that sample's rows (K, C)."""
        if isinstance(part, (int, np.integer)):
            return self.rows[self.offsets[part % len(self)] : self.offsets[part % len(self) + 1]]
        return padded(self.of(part))

    def of(self, part: Any) -> list[NDArray[np.float32]]:
        """Return the rows of some samples, a list of (K, C) arrays.

        Parameters
        ----------
        part : slice or array of int
        """
        numbers = np.arange(len(self))[part]
        return [self.rows[self.offsets[k] : self.offsets[k + 1]] for k in numbers.tolist()]

    def take(self, part: Any) -> "RaggedRows":
        """Return some of the samples.

        Parameters
        ----------
        part : slice or array of int
        """
        return RaggedRows.stacked(self.of(part), self.shape[2])

    def mapped(self, change: Callable[[int, NDArray[np.float32]], NDArray[Any]]) -> "RaggedRows":
        """Return the rows (K, C) of each sample changed by a function of its number and them."""
        return RaggedRows.stacked([change(k, rows) for k, rows in enumerate(self.of(slice(None)))], self.shape[2])

    @classmethod
    def stacked(cls, each: Sequence[NDArray[Any]], columns: int) -> "RaggedRows":
        """Return the rows of samples that are in arrays of their own, (K, C) each."""
        offsets = np.append(0, np.cumsum([len(one) for one in each], dtype=np.int64))
        rows = np.concatenate([np.zeros((0, columns), np.float32), *(np.asarray(one, np.float32) for one in each)])
        return cls(rows, offsets)


def padded(each: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Return arrays (K, C) as one batch (B, M, C), with rows of -1 after those of each; M is at least 1.

    Parameters
    ----------
    each : sequence of (K, C) arrays
    """
    most = max([1, *(len(one) for one in each)])
    batch = np.full((len(each), most, each[0].shape[1] if each else 0), PADDING, np.float32)
    for k, one in enumerate(each):
        batch[k, : len(one)] = one
    return batch
