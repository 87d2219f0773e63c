"""Samples and targets where they lie, handed out in batches: what `fit`, `evaluate` and `predict` go through.

Data may be larger than memory: a memory map is read batch by batch. What the kernel that gathers a batch takes as it is
goes through it; of the rest, a small array is converted once, and a large one batch by batch.
"""

import copy
import hashlib
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import numba
import numpy as np

from fastcnn import device, finite
from fastcnn.data.mapped_rows import MappedRows, taken
from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.data.reading_ahead import read_ahead
from fastcnn.errors import ArgumentError, DataError

_KNOWN = frozenset(map(np.dtype, (np.uint8, np.float32, np.float64)))  # the types that the kernel is compiled for
_HOST = np.empty(0)  # where rows are read to that lie in no array
_SMALL = 32 << 20  # bytes: converting once is faster in every epoch, and so much memory is nothing
_DIGESTED = 64 << 20  # bytes of an array that a digest looks at
_SPREAD = 4  # times its own bytes that a sample may be spread over and still be read fast


class Batch(NamedTuple):
    """Some samples: inputs, targets and weights, with a list entry for each input or output.

    Attributes
    ----------
    xs : list of (B, ...) arrays
    ys : list of (B, ...) arrays
        None where an output has no targets.
    weights : list of (B, ...) arrays, or None
    """

    xs: list[np.ndarray]
    ys: list[Any]
    weights: list[Any] | None


class Data:
    """Samples and targets, checked once and handed out in batches of the model's type.

    Parameters
    ----------
    xs : list of (N, ...) arrays of any integer or floating type
        One for each input. Read-only ones and memory maps stay where they are.
    ys : list of (N, ...) arrays, or `RaggedRows`
        Targets, one for each output; None where there is none.
    shapes : list of tuple
        The model's inputs, with None for the batch.
    dtype : dtype
        The model's.
    who : str
        For errors.
    weights : list of (N, ...) arrays, optional
        Of the samples, for each output.
    lasts : bool
        Whether the samples are gone through again and again, so that a conversion once for all is worth its memory.

    Raises
    ------
    DataError
        If there are no samples, or arrays differ in number, or a type is no number.
    ArgumentError
        If the model has another input shape.
    """

    def __init__(self, xs: Sequence[Any], ys: Sequence[Any], shapes: Sequence[Any], dtype: np.dtype, who: str,
                 weights: Sequence[Any] | None = None, lasts: bool = True) -> None:
        self.xs = [_inputs(x, shape, dtype, who, _SMALL if lasts else 0) for x, shape in zip(xs, shapes, strict=True)]
        self.ys: list[Any] = [y if y is None or isinstance(y, RaggedRows) else np.asarray(y) for y in ys]
        self.weights = None if weights is None or all(w is None for w in weights) else [
            None if w is None else np.ascontiguousarray(w, dtype) for w in weights]
        for y in self.ys:
            if y is not None and y.dtype.kind not in "buif":
                raise DataError(f"{who}: expected numbers in y, got {y.dtype}; number the classes from 0")
        for name, arrays in (("targets", self.ys), ("samples in each input", self.xs),
                             ("sample weights", self.weights or [])):
            for one in arrays:
                if one is not None and len(one) != len(self.xs[0]):
                    raise DataError(f"{who}: expected as many {name} as samples, got {len(one)} for {len(self.xs[0])}")
        self.dtype = dtype
        self._as_they_lie = [not isinstance(x, MappedRows) and x.dtype == self.kind_of(x) and x.flags.carray
                             for x in self.xs]
        self._in_turn: dict[int, Callable[[np.ndarray, Any], None]] = {}  # inputs that are looked at batch by batch

    def __len__(self) -> int:
        return len(self.xs[0])

    def require_finite(self, who: str, names: Sequence[str], unless: Callable[[], bool] = lambda: False) -> None:
        """Refuse inputs that are not finite in the model's type: now, or of memory maps when a batch is read.

        Parameters
        ----------
        who : str
            For errors.
        names : sequence of str
            What the inputs are called there.
        unless : callable
            Whether such inputs are taken all the same; it is asked once there are some.

        Raises
        ------
        DataError
            Which numbers, how many rows have some, and where the first of them is.
        """
        for k, (x, name) in enumerate(zip(self.xs, names, strict=True)):
            def look(found: np.ndarray, rows: Any = None, name: str = name) -> None:
                if not finite.are_finite(found, self.dtype) and not unless():
                    raise DataError(f"{who}: expected finite numbers in {name}, got "
                                    f"{finite.told(found, self.dtype, rows=rows)}; repair or drop them")

            if not _is_mapped(x):
                look(x)
            elif x.dtype.kind == "f" and not (isinstance(x, MappedRows) and x.is_whole):
                self._in_turn[k] = look

    def batches(self, size: int, order: np.ndarray | None = None, begin_at: int = 0, epoch: int | None = None
                ) -> Generator[Batch]:
        """Yield batches of at most `size` samples.

        Parameters
        ----------
        size : int
        order : (N,) array of int, optional
            In this order; as they lie if absent.
        begin_at : int
            The first sample.
        epoch : int, optional
            Of a training; absent in evaluation. It matters to data that differ from epoch to epoch.
        """
        bounds = ((begin, min(begin + size, len(self))) for begin in range(begin_at, len(self), size))
        parts = (slice(begin, end) if order is None else order[begin:end] for begin, end in bounds)
        slow = [k for k, x in enumerate(self.xs) if isinstance(x, MappedRows) and x.is_made]
        if not slow:
            yield from (self.batch(part, epoch) for part in parts)
            return
        empty = lambda x, rows: device.of(_HOST).empty((rows, *x.shape[1:]), self.kind_of(x))
        for part, found in read_ahead([self.xs[k] for k in slow], parts, size, empty, numba.get_num_threads()):
            yield self.batch(part, epoch, dict(zip(slow, found, strict=True)))

    def batch(self, part: Any, epoch: int | None = None, known: dict[int, np.ndarray] | None = None) -> Batch:
        """Return some samples.

        Parameters
        ----------
        part : slice, or array of int
            Their numbers.
        epoch : int, optional
            As `batches`.
        known : dict of int to array, optional
            Inputs that are read already.
        """
        known = known or {}
        xs = [known[k] if k in known else self.read(k, part) for k in range(len(self.xs))]
        return Batch(xs, [None if y is None else y[part] for y in self.ys],
                     None if self.weights is None else [None if w is None else w[part] for w in self.weights])

    def read(self, k: int, part: Any) -> np.ndarray:
        """Return some samples of an input, in the type that batches of it are made of."""
        x, kind = self.xs[k], self.kind_of(self.xs[k])
        lies = isinstance(part, slice) and self._as_they_lie[k]
        found: np.ndarray = x[part] if lies else gather(x, part, kind)
        if k in self._in_turn:
            self._in_turn[k](found, range(len(self))[part] if isinstance(part, slice) else part)
        return found

    def kind_of(self, x: Any) -> np.dtype:
        """Return the type that batches of an input are made of."""
        return self.dtype

    def digest(self) -> str:
        """Return the SHA-256 of the arrays; of large ones, of their shape and some rows from all over them."""
        found = hashlib.sha256()
        for array in (*self.xs, *self.ys, *(self.weights or ())):
            if isinstance(array, RaggedRows):
                found.update(array.told())
                continue
            found.update(b"none" if array is None else f"{array.dtype.str}{array.shape}".encode())
            if array is not None:
                if isinstance(array, MappedRows) and array.is_made:
                    found.update(b"".join(array.told()))
                    continue
                rows = array if array.nbytes <= _DIGESTED else array[:: -(-array.nbytes // _DIGESTED)]
                found.update(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)
        return found.hexdigest()

    def part(self, samples: slice) -> "Data":
        """Return some of the samples, in the same memory."""
        some = copy.copy(self)
        some.xs = [taken(x, samples) for x in self.xs]
        some.ys = [None if y is None else y.take(samples) if isinstance(y, RaggedRows) else y[samples]
                   for y in self.ys]
        some.weights = None if self.weights is None else [None if w is None else w[samples] for w in self.weights]
        return some

    def weighted(self, weights: Sequence[np.ndarray]) -> "Data":
        """Return the same samples with these weights, for each output."""
        other = copy.copy(self)
        other.weights = [np.ascontiguousarray(w, self.dtype) for w in weights]
        return other


def gather(x: np.ndarray | MappedRows, index: np.ndarray | slice, dtype: np.dtype) -> np.ndarray:
    """Return the rows ``x[index]`` in a type, on memory of the device.

    Parameters
    ----------
    x : (N, ...) array of any integer or floating type, in any order of bytes and axes, or `MappedRows`
    index : (B,) int64 array, or slice
    dtype : dtype
    """
    d, rows = device.of(_HOST if isinstance(x, MappedRows) else x), index
    if isinstance(rows, slice):
        rows = np.arange(*rows.indices(len(x)))
    out = d.empty((len(rows), *x.shape[1:]), dtype)
    if isinstance(x, MappedRows):
        fast = all(map(_is_for_the_kernel, x.arrays))
        x.read(rows, out, (lambda to, base, at: _gather(d, to, base, at)) if fast else None)
    elif _is_for_the_kernel(x):
        _gather(d, out.reshape(len(rows), -1), x.reshape(len(x), -1), rows)
    elif isinstance(index, slice):
        out[...] = x[index]
    else:
        for k, row in enumerate(rows.tolist()):  # x[index] would be fresh memory in each step
            out[k] = x[row]
    return out


def _gather(d: Any, out: np.ndarray, x: np.ndarray, rows: np.ndarray) -> None:
    """Write ``x[rows]``, (B, F) and C-contiguous: by NumPy where bytes are only copied, since it does it as fast."""
    if out.dtype == x.dtype == np.uint8:
        np.take(x, rows, 0, out, "clip")  # unlike "raise" it needs no copy; all rows are there
    else:
        d.kernels.gather(out, d.lend(x), rows)


def _is_mapped(x: Any) -> bool:
    """Return whether the numbers of an array lie in a file, which is not to be read for a look alone."""
    while isinstance(x, np.ndarray) and not isinstance(x, np.memmap):
        x = x.base
    return isinstance(x, MappedRows | np.memmap)


def _is_for_the_kernel(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype in _KNOWN and x.flags.c_contiguous and x.flags.aligned


def _inputs(x: Any, shape: Any, dtype: np.dtype, who: str, small: int) -> Any:
    """Return one input, checked, as `gather` reads it fast: converted where it has at most `small` bytes."""
    x = x if isinstance(x, MappedRows) else np.asarray(x)
    if x.dtype.kind not in "buif":
        raise DataError(f"{who}: expected numbers in x, got {x.dtype}; convert it with x.astype('float32')")
    if x.shape[1:] != shape[1:] and not isinstance(x, MappedRows):
        x = _with_rank(x, shape)
    if not _fits(x.shape[1:], shape[1:]):
        wanted = ", ".join(map(str, shape[1:]))
        raise ArgumentError(f"{who}: expected x of shape (N, {wanted}), got {x.shape}{_hint(x.shape, shape)}")
    if isinstance(x, MappedRows) or _is_for_the_kernel(x) or (x.size * dtype.itemsize > small and _lies_together(x)):
        return x
    return np.array(x, x.dtype if x.dtype in _KNOWN else dtype, order="C")


def _fits(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Return whether a sample has the sizes that a model takes, of which None are open."""
    return len(got) == len(wanted) and all(m is None or n == m for n, m in zip(got, wanted, strict=True))


def _with_rank(x: np.ndarray, shape: Any) -> np.ndarray:
    """Return an array with a last dimension of 1 more or less where the model takes it so: images (N, H, W) of grey."""
    if x.ndim == len(shape) - 1 and shape[-1] == 1 and _fits(x.shape[1:], shape[1:-1]):
        return x[..., None]
    if x.ndim == len(shape) + 1 and x.shape[-1] == 1 and _fits(x.shape[1:-1], shape[1:]):
        return x[..., 0]
    return x


def _hint(got: tuple[int, ...], shape: Any) -> str:
    """Return what to do about a shape that is nearly right, after a semicolon."""
    if got == shape[1:]:
        return "; one sample is x[None]"
    if len(got) == len(shape) > 2 and (*got[2:], got[1]) == shape[1:]:
        return "; put the channels last with numpy.moveaxis(x, 1, -1)"
    if len(got) == len(shape) > 2 and got[-1] == shape[-1]:
        return f"; model.for_shape({(None, *got[1:])}) is the model for it"
    return ""


def _lies_together(x: np.ndarray) -> bool:
    """Return whether the numbers of one sample are near one another in memory, unlike in Fortran's order."""
    reach = x.itemsize + sum((n - 1) * abs(step) for n, step in zip(x.shape[1:], x.strides[1:]))
    return bool(reach <= _SPREAD * x.itemsize * (x.size // max(1, len(x))))
