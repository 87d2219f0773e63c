"""The records of CIFAR-10's binary version: one label byte, then 32 x 32 red, green and blue bytes, row by row."""

import tarfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._stream import take, unpacked
from fastcnn.errors import DataError

Split = tuple[NDArray[Any], NDArray[Any]]  # uint8; scripts keep the name for the scaled numbers
_RECORD = 1 + 3 * 32 * 32
_CLASSES = 10
_MOST = 60_000  # records in all of CIFAR-10: no file may hold more, whatever it unpacks to
_ADVICE = "delete it and fetch it again"


def read_records(paths: list[Path]) -> Split:
    """Read files of records, plain or packed by xz or gzip, one after the other.

    Returns
    -------
    x : ndarray of uint8, (N, 32, 32, 3)
    y : ndarray of uint8, (N,)

    Raises
    ------
    DataError
        A missing or damaged file, a length that is no multiple of 3073 bytes, a label above 9.
    """
    blocks = []
    for path in paths:
        with unpacked(path) as stream:
            blocks.append(_parse(str(path), stream))
    return _to_images(blocks)


def read_archive(path: Path, train: tuple[str, ...], test: tuple[str, ...]) -> tuple[Split, Split]:
    """Read records straight from the published ``tar.gz``, which is not unpacked to disk.

    Parameters
    ----------
    path : Path
        The archive.
    train, test : tuple of str
        Names of the files in it, without their folder.

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
                        blocks[name] = _parse(f"{path}: {name}", cast(BinaryIO, file))
        except tarfile.TarError as error:
            raise DataError(f"{path}: expected a tar.gz archive, got a damaged one ({error}); {_ADVICE}") from error
        take(stream, _MOST)  # gzip compares its checksum at the end, and tar's own padding is left before it
    missing = [name for name in train + test if name not in blocks]
    if missing:
        raise DataError(
            f"{path}: expected {', '.join(missing)} in the archive, got {sorted(blocks) or 'none'}; {_ADVICE}"
        )
    return _to_images([blocks[name] for name in train]), _to_images([blocks[name] for name in test])


def _parse(who: str, stream: BinaryIO) -> NDArray[np.uint8]:
    """Return the records (N, 3073) that a stream holds."""
    data = take(stream, _MOST * _RECORD + 1)
    if len(data) > _MOST * _RECORD:
        raise DataError(f"{who}: expected at most {_MOST} records of {_RECORD} bytes, got more; {_ADVICE}")
    if len(data) == 0 or len(data) % _RECORD:
        raise DataError(f"{who}: expected records of {_RECORD} bytes each, got {len(data)} bytes; {_ADVICE}")
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() >= _CLASSES:
        at = int(np.argmax(labels >= _CLASSES))
        raise DataError(f"{who}: expected labels from 0 to {_CLASSES - 1}, got {labels[at]} in record {at}; {_ADVICE}")
    return records


def _to_images(blocks: list[NDArray[np.uint8]]) -> Split:
    count = sum(map(len, blocks))
    x, y = np.empty((count, 32, 32, 3), np.uint8), np.empty(count, np.uint8)
    end = 0
    for block in blocks:
        begin, end = end, end + len(block)
        y[begin:end] = block[:, 0]
        x[begin:end] = block[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return x, y
