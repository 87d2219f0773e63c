"""MNIST: 70,000 handwritten digits, 28 x 28, grey."""

import os
from pathlib import Path

import numpy as np

from fastcnn.datasets import _idx
from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fetch import download, find_local
from fastcnn.datasets._idx import Split
from fastcnn.datasets._npz import read_npz
from fastcnn.errors import ArgumentError, DataError
from fastcnn.formats.files import expanded

CLASSES = tuple("0123456789")
_KERAS_FILE = "mnist.npz"
_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def load_data(path: str = _KERAS_FILE, data_dir: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Load MNIST, (60000, 28, 28) for training and (10000, 28, 28) for testing.

    The four idx files are read from `data_dir`, else from the folder that the environment variable FASTCNN_DATA
    names (the data set's own folder, or one with a folder ``mnist``), else downloaded once into the user's cache.

    Parameters
    ----------
    path : str
        Another name than Keras's ``"mnist.npz"`` is the path of such a file, which then is read and must exist.
    data_dir : path-like, optional
        Where the idx files are, if they shall not be downloaded.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (N, 28, 28), labels uint8 (N,).

    Raises
    ------
    ArgumentError
        Both a `path` and a `data_dir`.
    DataError
        No or damaged files in `data_dir` or at `path`, or no mirror that answers.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, Proc. IEEE 86, 1998.
    """
    if path != _KERAS_FILE:
        if data_dir is not None:
            raise ArgumentError(f"mnist.load_data: expected path or data_dir, got {path} and {data_dir}; leave one out")
        return _load_keras_file(expanded(path))
    return _idx.read_all(_find(data_dir))


def _find(data_dir: str | os.PathLike[str] | None) -> list[Path]:
    return find_local("mnist", data_dir, _idx.find_all, _idx.EXPECTED) or [
        download("mnist", file, sha256, [mirror + file for mirror in _MIRRORS]) for file, sha256 in _SHA256.items()
    ]


def _load_keras_file(path: Path) -> tuple[Split, Split]:
    arrays = read_npz(path, ("x_train", "y_train", "x_test", "y_test"))
    for key, array in arrays.items():
        if array.dtype != np.uint8 or array.ndim != (3 if key.startswith("x") else 1):
            raise DataError(
                f"{path}: expected uint8 images (N, H, W) and labels (N,) as in Keras's mnist.npz, "
                f"got {key} of {array.dtype} {array.shape}; for your own data call fastcnn.datasets.load"
            )
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def dataset(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """As `load_data`, as a `Dataset` with images (N, 28, 28, 1).

    Parameters
    ----------
    data_dir : path, optional
        As of `load_data`.
    """
    paths = _find(data_dir)
    (x_train, y_train), (x_test, y_test) = _idx.read_all(paths)
    return Dataset(
        name="mnist",
        x_train=_idx.with_channels(x_train),
        y_train=y_train.astype(np.int64),
        x_test=_idx.with_channels(x_test),
        y_test=y_test.astype(np.int64),
        classes=CLASSES,
        scale=255.0,
        source=f"MNIST, Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0, read from {paths[0].parent}",
        background="dark",
        ink_box=20 / 28,
    )
