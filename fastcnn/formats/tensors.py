"""The tensors of a safetensors file: where they lie, what is read of them and when, and their digests.

Large ones can stay in the file (`StoredArray`): a network that predicts needs them once, to pack them for its kernels,
and would hold them for nothing afterwards. The file is kept open for that. It may be replaced by another one or removed
meanwhile, as saving does: what was opened stays as it was. It must not be written to in place; that is noticed by its
size and time, and whoever asks for an array then gets an error, unless its bytes have the digest that they had: some
file systems give a file another time later on, and so does who touches it. (The library safetensors reads a file as a
whole, or maps it: then one that is cut short ends the process.)
"""

import hashlib
import math
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fastcnn.errors import ModelFileError

#: The types that a file may have, by their names in it.
TYPES = {"F16": "float16", "F32": "float32", "F64": "float64", "BOOL": "bool", **{
    f"{letter}{bits}": f"{sign}int{bits}" for sign, letter in (("", "I"), ("u", "U")) for bits in (8, 16, 32, 64)}}

_STAYING = 1 << 16  # bytes of an array from which on it stays in its file
_WORTH = 1 << 24  # bytes of all of those together for which a file is kept open
_PIECE = 1 << 18  # bytes that are read at once for a digest: they are in the cache when they are digested
_THREADS = 4  # that make digests, at most


class TensorPlace(NamedTuple):
    """Type, shape and bytes of a tensor, which are counted from the end of the header."""

    dtype: np.dtype
    shape: tuple[int, ...]
    begin: int
    end: int


def places(entries: Mapping[str, Any], size: int) -> dict[str, TensorPlace]:
    """Return where tensors lie that a header names; one lies behind the other, and nothing is between or after them.

    Parameters
    ----------
    entries : dict
        Of the header, without its metadata.
    size : int
        Bytes behind the header.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the entries are no such thing.
    """
    found = {}
    for name, entry in entries.items():
        shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]
        if not all(type(n) is int and n >= 0 for n in (*shape, begin, end)):
            raise ValueError(f"{name!r} has strange sizes")
        dtype = np.dtype(TYPES[entry["dtype"]])
        if math.prod(shape) * dtype.itemsize != end - begin:
            raise ValueError(f"{name!r} of {end - begin} bytes has the shape {shape}")
        found[name] = TensorPlace(dtype, shape, begin, end)
    at = 0
    for name, place in sorted(found.items(), key=lambda one: one[1][2:]):
        if place.begin != at:
            raise ValueError(f"{name!r} begins at {place.begin} instead of {at}")
        at = place.end
    if at != size:
        raise ValueError(f"they end at {at}")
    return found


class _OpenFile:
    """A file that any thread reads anywhere, as long as it is what it was.

    Parameters
    ----------
    path : Path
        For messages.
    file : file
        Open; it may be closed afterwards.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._descriptor = path, os.dup(file.fileno())
        self._state = self._now()

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def _now(self) -> tuple[int, int]:
        told = os.fstat(self._descriptor)
        return told.st_size, told.st_mtime_ns  # not the time of its change of names: it may be replaced and removed

    def read_into(self, memory: memoryview, at: int) -> bool:
        """Fill memory with the bytes from a place on, and return whether nobody has written to the file."""
        try:
            while len(memory):
                got = os.preadv(self._descriptor, [memory], at)
                if not got:
                    raise self.changed()
                memory, at = memory[got:], at + got
            return self._now() == self._state
        except OSError as error:
            raise ModelFileError(f"{self._path}: expected to read weights that stay in the file, got: "
                                 f"{error.strerror}; load the model again") from error

    def changed(self) -> ModelFileError:
        """Return the error for who needs what was there."""
        return ModelFileError(f"{self._path}: expected the file as it was when the model was loaded, got one that "
                              f"was written to; load the model again, and replace files by renaming others")


class StoredArray:
    """An array that stays in its file.

    Parameters
    ----------
    file : _OpenFile
    place : TensorPlace
    at : int
        Where its bytes begin in the file.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    """

    def __init__(self, file: _OpenFile, place: TensorPlace, at: int) -> None:
        self.shape, self.dtype = place.shape, place.dtype
        self._file, self._at = file, at
        self._digest: str | None = None

    def read_into(self, array: np.ndarray) -> None:
        """Write its numbers to a C-contiguous array of its shape and type."""
        is_known = self._file.read_into(_bytes_of(array), self._at)
        if not is_known and hashlib.sha256(_bytes_of(array)).hexdigest() != self._digest:
            raise self._file.changed()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        array = np.empty(self.shape, self.dtype)
        self.read_into(array)
        return array if dtype is None else array.astype(dtype, copy=False)

    def digest(self) -> str:
        """Return the SHA-256 of its bytes, in little memory."""
        digest, memory = hashlib.sha256(), memoryview(bytearray(_PIECE))
        size = math.prod(self.shape) * self.dtype.itemsize
        for begin in range(0, size, _PIECE):
            piece = memory[: min(_PIECE, size - begin)]
            if not self._file.read_into(piece, self._at + begin):
                raise self._file.changed()
            digest.update(piece)
        self._digest = digest.hexdigest()
        return self._digest


def read(path: Path, file: BinaryIO, there: Mapping[str, TensorPlace], start: int, stay: bool
         ) -> Iterator[tuple[str, np.ndarray | StoredArray, str]]:
    """Yield the tensors of a file: name, numbers, and the SHA-256 of their bytes.

    Parameters
    ----------
    path : Path
        For messages.
    file : file
        Open.
    there : dict
        As of `places`.
    start : int
        Bytes before the tensors.
    stay : bool
        Whether large ones may stay in the file. Some systems read no file in several places at once, and let none be
        replaced that is open: there they do not.
    """
    large = [name for name, place in there.items() if stay and place.end - place.begin >= _STAYING]
    stored: dict[str, StoredArray] = {}
    if hasattr(os, "preadv") and sum(there[name].end - there[name].begin for name in large) >= _WORTH:
        opened = _OpenFile(path, file)
        stored = {name: StoredArray(opened, there[name], start + there[name].begin) for name in large}
    digests = _digests(stored)
    for name, place in there.items():
        if name in stored:
            yield name, stored[name], digests[name]
            continue
        array = np.empty(place.shape, place.dtype)
        memory = _bytes_of(array)
        file.seek(start + place.begin)
        while len(memory) and (got := file.readinto(memory)):  # type: ignore[attr-defined]
            memory = memory[got:]
        yield name, array, hashlib.sha256(_bytes_of(array)).hexdigest()


def _digests(arrays: dict[str, StoredArray]) -> dict[str, str]:
    """Return the digests of arrays, made by several threads: most of the time of reading is theirs."""
    found: dict[str, str] = {}
    errors: list[BaseException] = []
    todo = list(arrays.items())

    def work() -> None:
        try:
            while todo:
                name, array = todo.pop()
                found[name] = array.digest()
        except IndexError:  # another thread took the last one
            pass
        except BaseException as error:
            errors.append(error)

    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    others = [threading.Thread(target=work) for _ in range(min(_THREADS, cpus, len(todo)) - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
    return found


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
