"""A user's own data: idx files, an .npz file or folders of pictures, made into a Dataset."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets import _idx, cifar10
from fastcnn.datasets._dataset import Dataset, check, stratified_split
from fastcnn.datasets._ground import measure_ground
from fastcnn.datasets._image_folder import read_image_folder
from fastcnn.datasets._npz import keys, read_npz
from fastcnn.errors import DataError

_MOST_CLASSES = 1 << 16
_PARTS = ("x_train", "y_train", "x_test", "y_test")
Split = tuple[NDArray[Any], NDArray[Any]]


def dataset_at(path: Path) -> Dataset:
    """Return the data set at a path: see `fastcnn.datasets.load` for the kinds.

    Raises
    ------
    DataError
        A file of another kind, or one of the faults that the readers and `Dataset` name.
    """
    if path.is_file():
        if path.suffix.lower() != ".npz":
            raise DataError(f"{path}: expected an .npz file or a folder, got a file of another kind; name its folder")
        return _from_npz(path)
    if any(_idx.find(path)):
        return _from_idx(path)
    records = cifar10.find(path)
    if records is not None:
        return cifar10.dataset_of(records)
    train, test, classes = read_image_folder(path)
    return _assemble(path, train, test, classes, "pictures")


def _from_idx(folder: Path) -> Dataset:
    paths = _idx.find_all(folder)
    if paths is None:
        missing = [_idx.file_names(*file)[0] for file, at in zip(_idx.FILES, _idx.find(folder)) if at is None]
        raise DataError(f"{folder}: expected also {' and '.join(missing)}, got the other idx files; add it")
    train, test = _idx.read_all(paths)
    return _assemble(folder, train, test, None, "idx files")


def _from_npz(path: Path) -> Dataset:
    found = keys(path)
    classes = None
    if "classes" in found:
        names = read_npz(path, ("classes",))["classes"]
        if names.dtype.kind != "U" or names.ndim != 1:
            raise DataError(
                f"{path}: expected classes as strings (K,), got {names.dtype} {names.shape}; save names or nothing"
            )
        classes = tuple(map(str, names))
    if "x_train" not in found and {"x", "y"} <= set(found):
        arrays = read_npz(path, ("x", "y"))
        x, y = arrays["x"], _labels(arrays["y"])
        check(x, y, classes, str(path))
        train, test = stratified_split(y)
        if len(test) == 0:
            raise DataError(
                f"{path}: expected at least five images in a class, as every fifth is for testing, got fewer in each; "
                "add images, or save x_train, y_train, x_test and y_test"
            )
        return _assemble(path, (x[train], y[train]), (x[test], y[test]), classes, "npz file")
    if "x_train" not in found:
        raise DataError(
            f"{path}: expected arrays named x_train, y_train, x_test, y_test, or x and y, "
            f"got {', '.join(found) or 'none'}; save it with those names"
        )
    x_train, y_train, x_test, y_test = read_npz(path, _PARTS).values()
    return _assemble(path, (x_train, _labels(y_train)), (x_test, _labels(y_test)), classes, "npz file")


def _labels(y: NDArray[Any]) -> NDArray[Any]:
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _assemble(path: Path, train: Split, test: Split, classes: tuple[str, ...] | None, kind: str) -> Dataset:
    for part, (x, y) in (("training", train), ("test", test)):
        check(x, y, classes, f"{path}, {part} set")
    if classes is None:
        number = 1 + max(int(train[1].max()), int(test[1].max()))
        if number > _MOST_CLASSES:
            raise DataError(
                f"{path}: expected labels below {_MOST_CLASSES}, got {number - 1}; number the classes from 0 on"
            )
        classes = tuple(map(str, range(number)))
    (x_train, scale), (x_test, test_scale) = (_images(path, x) for x, _ in (train, test))
    if scale != test_scale:
        raise DataError(
            f"{path}: expected training and test images of one type, got {train[0].dtype} and {test[0].dtype}; "
            "save both as uint8 or as float32"
        )
    is_scaled = x_train.min() >= 0 and x_train.max() <= scale  # standardized floats have no black and white
    background, ink_box = measure_ground(x_train, scale) if is_scaled else (None, None)
    return Dataset(
        name=path.stem if path.is_file() else path.resolve().name,
        x_train=x_train,
        y_train=train[1].astype(np.int64),
        x_test=x_test,
        y_test=test[1].astype(np.int64),
        classes=classes,
        scale=scale,
        source=f"{kind} read from {path}",
        background=background,
        ink_box=ink_box,
    )


def _images(path: Path, x: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Return images as (N, H, W, C) of uint8 or float32, and the value of white."""
    if x.ndim not in (3, 4):
        own = ", ".join(["N", *map(str, x.shape[1:])])
        raise DataError(f"{path}: expected images (N, H, W) or (N, H, W, C), got shape ({own}); reshape them")
    x = x if x.ndim == 4 else x[..., None]
    if x.dtype.kind in "fb":
        largest = max(float(x.max()), -float(x.min()))
        if largest > float(np.finfo(np.float32).max):
            raise DataError(f"{path}: expected pixel values within float32, got {largest:g}; scale them to 0..1")
        return x.astype(np.float32, copy=False), 1.0
    low, high = int(x.min()), int(x.max())
    if low < 0 or high > 255:
        raise DataError(
            f"{path}: expected integer pixels from 0 to 255, got {low} to {high}; save them as floats from 0 to 1"
        )
    return x.astype(np.uint8, copy=False), 255.0
