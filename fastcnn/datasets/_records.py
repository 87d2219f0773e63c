"""The records of CIFAR's binary versions: label bytes, then 32 x 32 red, green and blue bytes, row by row."""

import tarfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._stream import take, unpacked
from fastcnn.errors import DataError

Split = tuple[NDArray[Any], NDArray[Any]]  # uint8; scripts keep the name for the scaled numbers
_PIXELS = 3 * 32 * 32
_CIFAR10 = (10,)
_MOST = 60_000  # records in all of CIFAR: no file may hold more, whatever it unpacks to
_ADVICE = "delete it and fetch it again"


def read_records(paths: list[Path], ranges: tuple[int, ...] = _CIFAR10) -> Split:
    """Read files of records, plain or packed by xz or gzip, one after the other.

    Parameters
    ----------
    paths : list of Path
    ranges : tuple of int
        Below which each of a record's labels lies.

    Returns
    -------
    x : ndarray of uint8, (N, 32, 32, 3)
    y : ndarray of uint8, (N,), or (N, labels) of several

    Raises
    ------
    DataError
        A missing or damaged file, a length that is no multiple of a record's, a label that is too large.
    """
    blocks = []
    for path in paths:
        with unpacked(path) as stream:
            blocks.append(_parse(str(path), stream, ranges))
    return _to_images(blocks, len(ranges))


def read_archive(path: Path, train: tuple[str, ...], test: tuple[str, ...], ranges: tuple[int, ...] = _CIFAR10
                 ) -> tuple[Split, Split]:
    """Read records straight from the published ``tar.gz``, which is not unpacked to disk.

    Parameters
    ----------
    path : Path
        The archive.
    train, test : tuple of str
        Names of the files in it, without their folder.
    ranges : tuple of int
        As of `read_records`.

    Raises
    ------
    DataError
        As `read_records`; also an archive that lacks one of the files.
    """
    blocks: dict[str, NDArray[np.uint8]] = {}
    with unpacked(path) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:  # "|": forward only, nothing is unpacked twice
                for member in archive:
                    name = Path(member.name).name
                    file = archive.extractfile(member) if name in train + test and member.isfile() else None
                    if file is not None:
                        blocks[name] = _parse(f"{path}: {name}", cast(BinaryIO, file), ranges)
        except tarfile.TarError as error:
            raise DataError(f"{path}: expected a tar.gz archive, got a damaged one ({error}); {_ADVICE}") from error
        take(stream, _MOST)  # gzip compares its checksum at the end, and tar's own padding is left before it
    missing = [name for name in train + test if name not in blocks]
    if missing:
        raise DataError(
            f"{path}: expected {', '.join(missing)} in the archive, got {sorted(blocks) or 'none'}; {_ADVICE}"
        )
    parts = [_to_images([blocks[name] for name in names], len(ranges)) for names in (train, test)]
    return parts[0], parts[1]


def _parse(who: str, stream: BinaryIO, ranges: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the records (N, labels + 3072) that a stream holds."""
    length = len(ranges) + _PIXELS
    data = take(stream, _MOST * length + 1)
    if len(data) > _MOST * length:
        raise DataError(f"{who}: expected at most {_MOST} records of {length} bytes, got more; {_ADVICE}")
    if len(data) == 0 or len(data) % length:
        raise DataError(f"{who}: expected records of {length} bytes each, got {len(data)} bytes; {_ADVICE}")
    records = np.frombuffer(data, np.uint8).reshape(-1, length)
    for k, classes in enumerate(ranges):
        labels = records[:, k]
        if labels.max() >= classes:
            at = int(np.argmax(labels >= classes))
            raise DataError(f"{who}: expected labels from 0 to {classes - 1}, got {labels[at]} in record {at}; "
                            f"{_ADVICE}")
    return records


def _to_images(blocks: list[NDArray[np.uint8]], labels: int) -> Split:
    count = sum(map(len, blocks))
    x, y = np.empty((count, 32, 32, 3), np.uint8), np.empty((count, labels), np.uint8)
    end = 0
    for block in blocks:
        begin, end = end, end + len(block)
        y[begin:end] = block[:, :labels]
        x[begin:end] = block[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return x, y[:, 0].copy() if labels == 1 else y
