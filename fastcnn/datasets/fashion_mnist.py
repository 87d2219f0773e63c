"""Fashion-MNIST: 70,000 pieces of clothing, 28 x 28, grey."""

import os
from pathlib import Path

import numpy as np

from fastcnn.datasets import _idx
from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fetch import download, find_local
from fastcnn.datasets._idx import Split

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # has no https; the checksums vouch for the files
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
_SHA256 = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


def load_data(data_dir: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Load Fashion-MNIST, (60000, 28, 28) for training and (10000, 28, 28) for testing.

    Files are found as `fastcnn.datasets.mnist.load_data` finds them; the folder is ``fashion_mnist`` or
    ``fashion-mnist``.

    Parameters
    ----------
    data_dir : path-like, optional
        Where the idx files are, if they shall not be downloaded.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (N, 28, 28), labels uint8 (N,).

    Raises
    ------
    DataError
        No or damaged files in `data_dir`, or no mirror that answers.

    References
    ----------
    Xiao, Rasul, Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms,
    arXiv:1708.07747, 2017.
    """
    return _idx.read_all(_find(data_dir))


def _find(data_dir: str | os.PathLike[str] | None) -> list[Path]:
    return find_local("fashion_mnist", data_dir, _idx.find_all, _idx.EXPECTED) or [
        download("fashion_mnist", file, sha256, [mirror + file for mirror in _MIRRORS])
        for file, sha256 in _SHA256.items()
    ]


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
        name="fashion_mnist",
        x_train=_idx.with_channels(x_train),
        y_train=y_train.astype(np.int64),
        x_test=_idx.with_channels(x_test),
        y_test=y_test.astype(np.int64),
        classes=CLASSES,
        scale=255.0,
        source=f"Fashion-MNIST, H. Xiao, K. Rasul and R. Vollgraf, Zalando, MIT licence, read from {paths[0].parent}",
        background="dark",
        ink_box=1.0,  # the longer side of each piece was brought to 28 pixels
    )
