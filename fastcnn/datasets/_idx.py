"""The idx format of MNIST: two zero bytes, a type, the number of dimensions, their big-endian sizes, the data."""

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._stream import refuse_bomb, take, unpacked
from fastcnn.errors import DataError

Split = tuple[NDArray[Any], NDArray[Any]]  # uint8; scripts keep the name for the scaled numbers
_UBYTE = 0x08
_DIMENSIONS = {"images": (3, 4), "labels": (1,)}
_ADVICE = "delete it and fetch it again"


def read(path: Path, kind: str) -> NDArray[np.uint8]:
    """Read one idx file of unsigned bytes, packed by gzip or not.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"images", "labels"}
        What it must hold: images (N, H, W) or (N, H, W, C), or labels (N,).

    Returns
    -------
    data : ndarray of uint8
        Writable, in the shape of the header.

    Raises
    ------
    DataError
        A missing, empty or damaged file, another magic number, fewer or more bytes than the header promises.
    """
    with unpacked(path) as stream:
        dims = _read_header(path, kind, bytes(take(stream, 4)), stream)
        promised = math.prod(dims)
        shape = " x ".join(map(str, dims))
        if promised == 0:
            raise DataError(f"{path}: expected at least one of {kind}, got the shape {shape} in its header; {_ADVICE}")
        refuse_bomb(path, promised)
        # The byte too many shows trailing data, and makes gzip compare its checksum.
        data = take(stream, promised + 1)
    if len(data) != promised:
        found = f"only {len(data)}" if len(data) < promised else "more"
        raise DataError(
            f"{path}: expected the {promised} bytes of {kind} its header promises ({shape}), got {found}; {_ADVICE}"
        )
    return np.frombuffer(data, np.uint8).reshape(dims)


def _read_header(path: Path, kind: str, magic: bytes, stream: BinaryIO) -> tuple[int, ...]:
    if len(magic) < 4:
        raise DataError(f"{path}: expected an idx file of {kind}, got {len(magic)} bytes; {_ADVICE}")
    dimensions = _DIMENSIONS[kind]
    if magic[:3] != bytes((0, 0, _UBYTE)) or magic[3] not in dimensions:
        expected = " or ".join(bytes((0, 0, _UBYTE, d)).hex(" ") for d in dimensions)
        other = "labels" if kind == "images" else "images"
        swapped = magic[:3] == bytes((0, 0, _UBYTE)) and magic[3] in _DIMENSIONS[other]
        advice = f"it is a file of {other}, two files may have swapped names" if swapped else _ADVICE
        raise DataError(
            f"{path}: expected an idx file of {kind}, which starts with {expected}, got {magic.hex(' ')}; {advice}"
        )
    sizes = take(stream, 4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{path}: expected {magic[3]} sizes of 4 bytes in its header, got {len(sizes)}; {_ADVICE}")
    return tuple(int(size) for size in np.frombuffer(sizes, ">u4"))


def file_names(part: str, kind: str) -> tuple[str, ...]:
    """Return the names under which ``part`` ("train", "t10k") of ``kind`` may lie, the published one first."""
    return tuple(
        f"{part}-{kind}{mark}idx{d}-ubyte{packed}"
        for d in _DIMENSIONS[kind]
        for packed in (".gz", "")
        for mark in ("-", ".")
    )


FILES = tuple((part, kind) for part in ("train", "t10k") for kind in ("images", "labels"))
EXPECTED = ", ".join(file_names(part, kind)[0] for part, kind in FILES) + " (or unpacked, without .gz)"


def find(folder: Path) -> list[Path | None]:
    """Return the paths of `FILES` in a folder, None where one is missing."""
    return [
        next((folder / name for name in file_names(part, kind) if (folder / name).is_file()), None)
        for part, kind in FILES
    ]


def find_all(folder: Path) -> list[Path] | None:
    """Return the paths of `FILES` in a folder, or None unless all four are there."""
    paths = [path for path in find(folder) if path is not None]
    return paths if len(paths) == len(FILES) else None


def read_all(paths: list[Path]) -> tuple[Split, Split]:
    """Read the four files in the order of `FILES` as ``(x_train, y_train), (x_test, y_test)``.

    Raises
    ------
    DataError
        As `read`; also other counts of images than of labels, and test images of another size.
    """
    x_train, y_train, x_test, y_test = (read(path, kind) for path, (_, kind) in zip(paths, FILES))
    for x, y, at in ((x_train, y_train, 0), (x_test, y_test, 2)):
        if len(x) != len(y):
            raise DataError(
                f"{paths[at + 1]}: expected {len(x)} labels, one for each image of {paths[at].name}, got {len(y)}; "
                "both files must come from the same data set"
            )
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{paths[2]}: expected images of {x_train.shape[1:]} as in {paths[0].name}, got {x_test.shape[1:]}; "
            "both files must come from the same data set"
        )
    return (x_train, y_train), (x_test, y_test)


def with_channels(x: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (N, H, W) or (N, H, W, C) as (N, H, W, C), without a copy."""
    return x if x.ndim == 4 else x[..., None]
