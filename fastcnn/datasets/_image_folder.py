"""Images in folders: one sub-folder a class, with or without ``train`` and ``test`` above."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._dataset import stratified_split
from fastcnn.datasets._pillow import read_picture
from fastcnn.errors import DataError

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")


def read_image_folder(root: Path) -> tuple[Split, Split, tuple[str, ...]]:
    """Read a folder of pictures, all of one size, with one sub-folder a class.

    Parameters
    ----------
    root : Path
        Holds the class folders, or ``train`` and ``test`` that hold them. Without ``test``, every fifth picture of
        each class, by name, is a test picture. Hidden files, and files beside class folders, do not count.

    Returns
    -------
    (x_train, y_train), (x_test, y_test), classes
        Images uint8 (N, H, W, C), C = 1 where all pictures are grey, otherwise 3; labels int64 (N,); sorted names.

    Raises
    ------
    DataError
        Fewer than two classes, a class without pictures, a file that is no picture, pictures of unlike sizes, a class
        of ``test`` that ``train`` lacks, other folders beside ``train``.
    """
    train = root / "train"
    if not (train.is_dir() and _folders(train)):
        return _read_one(root)
    others = [folder.name for folder in _folders(root) if folder.name not in ("train", "test")]
    if others:
        raise DataError(f"{root}: expected only train and test in it, got also {', '.join(others)}; move that away")
    if not (root / "test").is_dir():
        return _read_one(train)
    classes = _class_names(train)
    files, labels = _list(train, classes)
    test_files, test_labels = _list(root / "test", classes)
    x = _stack([*files, *test_files])
    count = len(files)
    return (x[:count], np.array(labels)), (x[count:], np.array(test_labels)), classes


def _read_one(root: Path) -> tuple[Split, Split, tuple[str, ...]]:
    classes = _class_names(root)
    files, labels = _list(root, classes)
    x, y = _stack(files), np.array(labels)
    train, test = stratified_split(y)
    if len(test) == 0:
        raise DataError(
            f"{root}: expected at least five pictures in a class, as every fifth is for testing, got fewer in each; "
            "add pictures, or sort them into train and test"
        )
    return (x[train], y[train]), (x[test], y[test]), classes


def _visible(folder: Path) -> list[Path]:
    entries = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return sorted(entry for entry in entries if entry.name.lower() not in _SYSTEM_FILES)


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in _visible(folder) if entry.is_dir()]


def _class_names(root: Path) -> tuple[str, ...]:
    classes = tuple(folder.name for folder in _folders(root))
    if len(classes) < 2:
        raise DataError(
            f"{root}: expected a sub-folder of pictures for each of at least two classes, "
            f"got {classes[0] if classes else 'none'}; see the documentation of fastcnn.datasets.load for what it reads"
        )
    return classes


def _list(root: Path, classes: tuple[str, ...]) -> tuple[list[Path], list[int]]:
    """Return the files of all class folders in `root`, which may lack some, and their labels."""
    files: list[Path] = []
    labels: list[int] = []
    for folder in _folders(root):
        if folder.name not in classes:
            raise DataError(f"{folder}: expected one of the classes {', '.join(classes)}, got {folder.name}; rename it")
        inside = _visible(folder)
        if not inside:
            raise DataError(f"{folder}: expected pictures of the class {folder.name}, got an empty folder; remove it")
        files += inside
        labels += [classes.index(folder.name)] * len(inside)
    if not files:
        raise DataError(f"{root}: expected class folders {', '.join(classes)}, got none; add them")
    return files, labels


def _stack(files: list[Path]) -> NDArray[np.uint8]:
    """Return the pictures as (N, H, W, C), grey ones made RGB where there is one in colour."""
    pictures: list[NDArray[np.uint8]] = []
    for file in files:
        picture, _ = read_picture(file)
        if picture.shape[:2] != (pictures[0] if pictures else picture).shape[:2]:
            (height, width), (first_height, first_width) = picture.shape[:2], pictures[0].shape[:2]
            raise DataError(
                f"{file}: expected {first_width} x {first_height} pixels (width x height) like {files[0]}, "
                f"got {width} x {height}; bring all pictures to one size"
            )
        pictures.append(picture)
    channels = max(picture.shape[2] for picture in pictures)
    x = np.empty((len(pictures), *pictures[0].shape[:2], channels), np.uint8)
    for i, picture in enumerate(pictures):
        x[i] = picture  # one channel is repeated by broadcasting
    return x
