"""CIFAR-10: 60,000 photographs, 32 x 32, colour."""

import os
from pathlib import Path

import numpy as np

from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fetch import download, find_local
from fastcnn.datasets._records import Split, read_archive, read_records

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
_TEST = ("test_batch.bin",)
_ARCHIVE = "cifar-10-binary.tar.gz"
_SUBSET_TRAIN, _SUBSET_TEST = ("train_20k.bin.xz",), ("test_10k.bin.xz",)
_URLS = ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",)
_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
_EXPECTED = f"data_batch_1.bin to data_batch_5.bin and test_batch.bin, or {_ARCHIVE},"


def load_data(data_dir: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Load CIFAR-10, (50000, 32, 32, 3) for training and (10000, 32, 32, 3) for testing.

    The binary version is read from `data_dir`, else from the folder that the environment variable FASTCNN_DATA names
    (the data set's own folder, or one with a folder ``cifar10`` or ``cifar-10-batches-bin``), as it was downloaded
    (tar.gz) or unpacked; else it is downloaded once into the user's cache. A subset in the files ``train_20k.bin.xz``
    and ``test_10k.bin.xz`` (also in a folder ``cifar10-subset``) is read too: it has 20000 training images.

    Parameters
    ----------
    data_dir : path-like, optional
        Where the files are, if they shall not be downloaded.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (N, 32, 32, 3), labels uint8 (N, 1) as in Keras.

    Raises
    ------
    DataError
        No or damaged files in `data_dir`, or no mirror that answers.

    References
    ----------
    Krizhevsky: Learning multiple layers of features from tiny images, technical report, University of Toronto, 2009.
    """
    (x_train, y_train), (x_test, y_test) = _read(_find(data_dir))
    return (x_train, y_train[:, None]), (x_test, y_test[:, None])


def find(folder: Path) -> list[Path] | None:
    """Return the paths of the whole set, of its archive, or of the subset in a folder; None where it holds none.

    Parameters
    ----------
    folder : Path
    """
    for names in ((*_TRAIN, *_TEST), (_ARCHIVE,), (*_SUBSET_TRAIN, *_SUBSET_TEST)):
        paths = [folder / name for name in names]
        if all(path.is_file() for path in paths):
            return paths
    return None


def _find(data_dir: str | os.PathLike[str] | None) -> list[Path]:
    return find_local("cifar10", data_dir, find, _EXPECTED) or [download("cifar10", _ARCHIVE, _SHA256, _URLS)]


def _read(paths: list[Path]) -> tuple[Split, Split]:
    if len(paths) == 1:
        return read_archive(paths[0], _TRAIN, _TEST)
    return read_records(paths[:-1]), read_records(paths[-1:])


def dataset(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """As `load_data`, as a `Dataset`.

    Parameters
    ----------
    data_dir : path, optional
        As of `load_data`.
    """
    return dataset_of(_find(data_dir))


def dataset_of(paths: list[Path]) -> Dataset:
    """Return the `Dataset` in files that `find` found.

    Parameters
    ----------
    paths : list of Path
    """
    (x_train, y_train), (x_test, y_test) = _read(paths)
    part = "" if len(x_train) == 50_000 else f" ({len(x_train)} of 50000 training images)"
    return Dataset(
        name="cifar10",
        x_train=x_train,
        y_train=y_train.astype(np.int64),
        x_test=x_test,
        y_test=y_test.astype(np.int64),
        classes=CLASSES,
        scale=255.0,
        source=f"CIFAR-10, A. Krizhevsky, V. Nair and G. Hinton, 2009{part}, read from {paths[0].parent}",
    )
