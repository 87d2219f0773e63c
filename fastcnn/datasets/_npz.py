"""Arrays from an .npz file, checked before they are allocated and never unpickled."""

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._stream import refuse_bomb
from fastcnn.errors import DataError

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# What zipfile raises is wide: RuntimeError for a password, NotImplementedError for a compression it does not know.
_DAMAGE = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, RuntimeError, MemoryError)


def keys(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays in an .npz file.

    Raises
    ------
    DataError
        A missing file, or one that is no zip archive.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise DataError(f"{path}: expected an .npz file, got {found}; check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist())
    except _DAMAGE as error:
        raise DataError(f"{path}: expected an .npz file, got a damaged one ({error}); save it again") from error


def read_npz(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read arrays of numbers or strings from an .npz file.

    Parameters
    ----------
    path : Path
        The file, as `numpy.savez` or `numpy.savez_compressed` writes it.
    names : sequence of str
        The arrays to read.

    Returns
    -------
    arrays : dict
        In the order of `names`.

    Raises
    ------
    DataError
        A missing or damaged file, a missing array (the message names those found), arrays of objects or records,
        a header that promises more than the file holds.
    """
    found = keys(path)
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"{path}: expected arrays named {', '.join(names)}, got {', '.join(found) or 'none'}; save those"
        )
    with zipfile.ZipFile(path) as archive:
        return {name: _read_array(path, archive, name) for name in names}


def _read_array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    who = f"{path}: {name}"
    try:
        info = archive.getinfo(f"{name}.npy" if f"{name}.npy" in archive.namelist() else name)
        refuse_bomb(path, info.file_size)
        with archive.open(info) as file:
            version = np.lib.format.read_magic(file)
            if version not in _HEADERS:  # 3.0 only differs for records, which are refused anyway
                raise DataError(f"{who}: expected an array of numbers, got one of records; save plain arrays")
            shape, _, dtype = _HEADERS[version](file)
            if dtype.kind not in "buifcSU":
                raise DataError(f"{who}: expected an array of numbers, got dtype {dtype}; save plain arrays of numbers")
            promised, there = math.prod(shape) * dtype.itemsize, info.file_size - file.tell()
            if promised != there:
                raise DataError(
                    f"{who}: expected the {promised} bytes that its header promises, got {there}; save the file again"
                )
        with archive.open(info) as file:
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
            file.read(1)  # reaching the end makes zipfile compare its checksum
            return array
    except DataError:  # a ValueError, which the next clause would take for damage
        raise
    except _DAMAGE as error:
        raise DataError(f"{who}: expected a whole array, got a damaged one ({error}); save the file again") from error
