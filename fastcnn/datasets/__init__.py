"""Data sets: four by name, and a user's own from idx files, an .npz file or folders of pictures.

``fastcnn.datasets.mnist.load_data()`` is Keras's; `load` returns the same data as a `Dataset`, which also knows
the class names, the scale of the pixels and where they came from.
"""

import os
from pathlib import Path

from fastcnn.datasets import cifar10, digits, fashion_mnist, image, mnist
from fastcnn.datasets._dataset import Dataset, check, stratified_split
from fastcnn.datasets._own import dataset_at
from fastcnn.errors import ArgumentError, unknown

__all__ = [
    "Dataset",
    "check",
    "cifar10",
    "digits",
    "fashion_mnist",
    "image",
    "load",
    "mnist",
    "names",
    "stratified_split",
]

_by_name = {"digits": digits, "mnist": mnist, "fashion_mnist": fashion_mnist, "cifar10": cifar10}
names = tuple(_by_name)


def load(name_or_path: str | os.PathLike[str], data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """Load a data set by its name, or a user's own by its path.

    Parameters
    ----------
    name_or_path : str or path-like
        ``"digits"``, ``"mnist"``, ``"fashion_mnist"`` (or ``"fashion-mnist"``) or ``"cifar10"``; else a path of

        - an ``.npz`` file with x_train, y_train, x_test, y_test, or with x and y (every fifth image of each class
          is then a test image), and optionally the names of the classes as strings in ``classes``;
        - a folder of four idx files with MNIST's names, packed by gzip or not, images (N, H, W) or (N, H, W, C);
        - a folder with CIFAR-10's binary version;
        - a folder of pictures of one size with one sub-folder a class, optionally in ``train`` and ``test`` above.

        A folder that is called like a data set is named by a path: ``"./mnist"``.
    data_dir : path-like, optional
        For names: the folder of the data set or its parent. Without it, the folder that the environment variable
        FASTCNN_DATA names is looked into, and then the data set is downloaded once into the user's cache.

    Returns
    -------
    dataset : Dataset

    Raises
    ------
    ArgumentError
        Neither a known name nor an existing path; `data_dir` with a path.
    DataError
        Files that are missing, damaged, or hold what cannot be trained on; a download without an answer.
    ImportError
        Pictures, without Pillow.
    """
    if isinstance(name_or_path, str) and name_or_path.replace("-", "_") in _by_name:
        return _by_name[name_or_path.replace("-", "_")].dataset(data_dir)
    if not isinstance(name_or_path, str | os.PathLike) or not os.fspath(name_or_path):
        raise ArgumentError(unknown("datasets.load: data set", name_or_path, names) + ", or the path of your own")
    path = Path(name_or_path).expanduser()
    if not path.exists():
        raise ArgumentError(
            unknown("datasets.load: data set", str(name_or_path), names) + "; no file or folder has that name either"
        )
    if data_dir is not None:
        raise ArgumentError(
            f"datasets.load: expected data_dir only with one of the names {', '.join(names)}, "
            f"got it with the path {path}; leave data_dir out"
        )
    return dataset_at(path)
