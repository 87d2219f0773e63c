"""CIFAR-100: 60,000 photographs, 32 x 32, colour, of 100 classes in 20 groups."""

import os
from pathlib import Path

import numpy as np

from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fetch import download, find_local
from fastcnn.datasets._records import Split, read_archive, read_records
from fastcnn.errors import ArgumentError

_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm"""
_GROUPS = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
    insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2"""
CLASSES, GROUPS = (tuple(names.split()) for names in (_CLASSES, _GROUPS))
_TRAIN, _TEST = ("train.bin",), ("test.bin",)
_ARCHIVE = "cifar-100-binary.tar.gz"
_URLS = ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",)
_SHA256 = "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
_EXPECTED = f"train.bin and test.bin, or {_ARCHIVE},"
_LABELS = {"coarse": 0, "fine": 1}  # their places in a record
_RANGES = (len(GROUPS), len(CLASSES))


def load_data(label_mode: str = "fine", data_dir: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Load CIFAR-100, (50000, 32, 32, 3) for training and (10000, 32, 32, 3) for testing.

    The binary version is read from `data_dir`, else from the folder that the environment variable FASTCNN_DATA names
    (the data set's own folder, or one with a folder ``cifar100`` or ``cifar-100-binary``), as it was downloaded
    (tar.gz) or unpacked; else it is downloaded once into the user's cache.

    Parameters
    ----------
    label_mode : str
        "fine" for the 100 classes, "coarse" for the 20 groups.
    data_dir : path-like, optional
        Where the files are, if they shall not be downloaded.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (N, 32, 32, 3), labels uint8 (N, 1) as in Keras.

    Raises
    ------
    ArgumentError
        If `label_mode` is none of these.
    DataError
        No or damaged files in `data_dir`, or no mirror that answers.

    References
    ----------
    Krizhevsky: Learning multiple layers of features from tiny images, technical report, University of Toronto, 2009.
    """
    if label_mode not in _LABELS:
        raise ArgumentError(f'cifar100.load_data: expected label_mode "fine" or "coarse", got {label_mode!r}')
    (x_train, y_train), (x_test, y_test) = _read(_find(data_dir))
    which = slice(_LABELS[label_mode], _LABELS[label_mode] + 1)
    return (x_train, y_train[:, which].copy()), (x_test, y_test[:, which].copy())


def _found(folder: Path) -> list[Path] | None:
    for names in ((*_TRAIN, *_TEST), (_ARCHIVE,)):
        paths = [folder / name for name in names]
        if all(path.is_file() for path in paths):
            return paths
    return None


def _find(data_dir: str | os.PathLike[str] | None) -> list[Path]:
    return find_local("cifar100", data_dir, _found, _EXPECTED) or [download("cifar100", _ARCHIVE, _SHA256, _URLS)]


def _read(paths: list[Path]) -> tuple[Split, Split]:
    if len(paths) == 1:
        return read_archive(paths[0], _TRAIN, _TEST, _RANGES)
    return read_records(paths[:1], _RANGES), read_records(paths[1:], _RANGES)


def dataset(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """As `load_data` with the labels of the 100 classes, as a `Dataset`.

    Parameters
    ----------
    data_dir : path, optional
        As of `load_data`.
    """
    paths = _find(data_dir)
    (x_train, y_train), (x_test, y_test) = _read(paths)
    return Dataset(
        name="cifar100", x_train=x_train, y_train=y_train[:, 1].astype(np.int64), x_test=x_test,
        y_test=y_test[:, 1].astype(np.int64), classes=CLASSES, scale=255.0,
        source=f"CIFAR-100, A. Krizhevsky, V. Nair and G. Hinton, 2009, read from {paths[0].parent}")
