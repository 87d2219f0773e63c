"""Writers of small files in the formats that `fastcnn.datasets` reads."""

import gzip
import struct
from pathlib import Path

import numpy as np

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def idx(array) -> bytes:
    """Return an array of uint8 in the idx format."""
    array = np.asarray(array, np.uint8)
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def header(*dims, kind=8) -> bytes:
    """Return the header of an idx file that promises these sizes."""
    return bytes((0, 0, kind, len(dims))) + struct.pack(f">{len(dims)}I", *dims)


def digits_like(count=20, size=6, channels=None, seed=0):
    """Return random images (count, size, size) or (..., channels) and labels 0, 1, 2, 0, 1, 2 ..."""
    rng = np.random.default_rng(seed)
    shape = (count, size, size) if channels is None else (count, size, size, channels)
    return rng.integers(0, 256, shape, dtype=np.uint8), (np.arange(count) % 3).astype(np.uint8)


def write_idx_folder(folder: Path, packed=True, count=20, channels=None, names=NAMES):
    """Write four idx files and return ``(x_train, y_train), (x_test, y_test)``."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test = digits_like(count, channels=channels), digits_like(count // 2, channels=channels, seed=1)
    for name, array in zip(names, (*train, *test)):
        content = idx(array)
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    return train, test


def records(count=10, seed=0) -> bytes:
    """Return `count` records of CIFAR-10's binary version."""
    table = np.random.default_rng(seed).integers(0, 256, (count, 3073), dtype=np.uint8)
    table[:, 0] %= 10
    return table.tobytes()
