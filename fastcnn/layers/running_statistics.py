"""Mean and variance of data that come block by block, in float64: what a layer adapts to."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import DataError

_BLOCK = 1 << 22  # elements of data that are turned into float64 at once


class RunningStatistics:
    """Mean and variance over all axes but some, of all blocks so far.

    Chan, Golub and LeVeque, 1983, equation 2.1b.

    Parameters
    ----------
    kept : tuple of int
        Axes that have a mean and a variance for each place.
    sizes : tuple of int
        Of these axes.

    Attributes
    ----------
    count : int
        Numbers behind each mean.
    mean : array
    """

    def __init__(self, kept: tuple[int, ...], sizes: tuple[int, ...]) -> None:
        self._kept, self.count = kept, 0
        self.mean = self._distances = np.zeros(sizes)

    def add(self, data: np.ndarray) -> None:
        """Count data in, (N, ...), of any integer or floating type."""
        axes = tuple(axis for axis in range(data.ndim) if axis not in self._kept)
        each = math.prod(data.shape[axis] for axis in axes[1:])
        rows = max(1, _BLOCK * len(data) // data.size)
        for begin in range(0, len(data), rows):
            block = data[begin:begin + rows].astype(np.float64)
            before, count = self.count, len(block) * each
            delta = block.mean(axis=axes) - self.mean
            self.mean = self.mean + delta * (count / (before + count))
            self._distances = (self._distances + block.var(axis=axes) * count
                               + delta**2 * (before * count / (before + count)))
            self.count = before + count

    @property
    def variance(self) -> np.ndarray:
        found: np.ndarray = self._distances / self.count
        return found


def batches_of(data: Any, who: str) -> Iterator[np.ndarray]:
    """Yield what a layer is to adapt to, as arrays: an array, or each x of an iterable of x, (x, y), (x, y, weights).

    Parameters
    ----------
    data : array, list of numbers, iterable of arrays or tuples, or an object that gives them by number
    who : str
        For errors.

    Raises
    ------
    DataError
        For what is no array of numbers, or empty, and where there is none.
    """
    is_empty = True
    for batch in _each(data):
        goes_with_others = isinstance(batch, (tuple, list)) and batch and (len(batch) == 1 or device.is_array(batch[0]))
        x = batch[0] if goes_with_others else batch
        try:
            array = np.asarray(device.get(x) if device.is_array(x) else x)
        except ValueError:  # rows of several lengths
            array = np.empty(0, object)
        if array.dtype.kind not in "buif" or array.ndim < 1 or not array.size:
            raise DataError(f"{who}: expected arrays of numbers to adapt to, got {array.dtype} of shape {array.shape}")
        is_empty = False
        yield array
    if is_empty:
        raise DataError(f"{who}: expected an array or batches to adapt to, got none")


def _each(data: Any) -> Iterable[Any]:
    """Return batches; what is one array is one batch, alone in a tuple."""
    if device.is_array(data):
        return [(data,)]
    if isinstance(data, (list, tuple)):
        of_arrays = all(device.is_array(one) or (isinstance(one, (tuple, list)) and one and device.is_array(one[0]))
                        for one in data) and len(data) > 0
        # One row of a vector each, as NumPy takes them, is an array; batches have two dimensions at least.
        return data if of_arrays and np.ndim(data[0] if device.is_array(data[0]) else data[0][0]) > 1 else [(data,)]
    if hasattr(data, "__iter__"):
        return data  # type: ignore[no-any-return]
    count = getattr(data, "num_batches", None) if not hasattr(data, "__len__") else len(data)
    return (data[k] for k in range(count)) if count is not None else [(data,)]
