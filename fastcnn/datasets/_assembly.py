"""Arrays of a user's own made into a Dataset, once what people get wrong about them has been looked for."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn._warnings import warn
from fastcnn.datasets._background import measure_background
from fastcnn.datasets._checking import check
from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._fitting import Pictures
from fastcnn.datasets._targets import Task
from fastcnn.errors import DataError
from fastcnn.formats.files import printable

_MOST_CLASSES = 1 << 16
_NAMED = 5  # classes that a message names
Split = tuple[NDArray[Any], NDArray[Any]]


def assemble(
    path: Path,
    train: Split,
    test: Split,
    classes: tuple[str, ...] | None,
    kind: str,
    *,
    dev: Split | None = None,
    task: Task = "classification",
    **known: Any,
) -> Dataset:
    """Return images and labels of two parts as a Dataset.

    Parameters
    ----------
    path : Path
        Where they were read from.
    train, test : (x, y)
    classes : tuple of str or None
        None: numbers.
    kind : str
        Of the files, for `Dataset.source`.
    dev : (x, y) or None
    task : Task
        Of another than classification, `classes` are the names of labels or targets.
    known
        ``pictures``, ``notes``, ``origin`` and weights of the `Dataset`.

    Raises
    ------
    DataError
        As `check`; also labels of one class alone, images of other shapes or with channels first, integers beyond
        eight bits, parts of unlike types.
    """
    parts = {"training": train, "test": test} | ({} if dev is None else {"dev": dev})
    if task == "classification":
        for part, (x, y) in parts.items():
            check(x, y, classes, f"{path}, {part} set")
        classes = _named(path, train[1], np.concatenate([y for _, y in parts.values()]), classes)
        y_train, y_test, *y_dev = (y.astype(np.int64) for _, y in parts.values())
    else:
        y_train, y_test, *y_dev = (y for _, y in parts.values())
    x_train, x_test, *x_dev = images = [_images(path, x) for x, _ in parts.values()]
    _require_one_type(path, {part: x for part, (x, _) in parts.items()}, images)
    scale = _white(*images)
    # Standardized floats have no black and white.
    is_scaled = x_train.dtype == np.uint8 or (x_train.min() >= 0 and x_train.max() <= scale)
    pictures: Pictures | None = known.get("pictures")
    is_fitted = pictures is not None and pictures.image_size is not None  # others will come as these came, without ink
    background, ink_box = measure_background(x_train, scale) if is_scaled and not is_fitted else (None, None)
    return Dataset(
        name=printable(path.stem if path.is_file() else path.resolve().name),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        x_dev=None if dev is None else x_dev[0],
        y_dev=None if dev is None else y_dev[0],
        **known,
        task=task,
        classes=() if task == "regression" else classes or (),
        targets=classes or () if task == "regression" else (),
        scale=scale,
        source=f"{kind} read from {printable(path)}",
        background=background,
        ink_box=ink_box,
    )


def _named(path: Path, train: NDArray[Any], every: NDArray[Any], classes: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the names of the classes, once there are two; warn of those that nothing is learned of."""
    if classes is None:
        number = 1 + int(every.max())
        if number > _MOST_CLASSES:
            raise DataError(
                f"{path}: expected labels below {_MOST_CLASSES}, got {number - 1}; number the classes from 0 on"
            )
        classes = tuple(map(str, range(number)))
    count = np.bincount(train, minlength=len(classes))
    there = np.flatnonzero(count)
    if len(there) < 2:
        raise DataError(
            f"{path}: expected training images of at least two classes, got the class {classes[there[0]]} alone; "
            "there is nothing to tell apart"
        )
    if len(there) < len(classes):
        warn(
            f"{path}: {_listed(classes, count == 0)} without a training image, which the network never learns to name; "
            "number the classes from 0 without gaps"
        )
    return classes


def _require_one_type(path: Path, given: dict[str, NDArray[Any]], images: list[NDArray[Any]]) -> None:
    """Raise DataError, with the types as they were given, unless all images came to one type."""
    first, *others = given
    for part, other in zip(others, images[1:], strict=True):
        if images[0].dtype != other.dtype:
            raise DataError(
                f"{path}: expected {first} and {part} images of one type, got {given[first].dtype} and "
                f"{given[part].dtype}; save both as uint8 or as float32"
            )


def warn_of_untested(path: Path, data: Dataset) -> None:
    """Warn of classes so small that the split by fives leaves no image of them for testing."""
    in_train, in_test = (np.bincount(y, minlength=len(data.classes)) for y in (data.y_train, data.y_test))
    untested = (in_train > 0) & (in_test == 0)
    if untested.any():
        warn(
            f"{path}: {_listed(data.classes, untested)} of fewer than five images, of which none is for testing; add "
            "some, or split them into training and test yourself"
        )


def _listed(classes: tuple[str, ...], chosen: NDArray[Any]) -> str:
    names = [classes[i] for i in np.flatnonzero(chosen)]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} of {len(classes)} classes ({', '.join(names[:_NAMED])}{more})"


def _white(*parts: NDArray[Any]) -> float:
    """Return the value of white: 255 for bytes, also where floats hold them, else 1."""
    if parts[0].dtype == np.uint8:
        return 255.0
    low, high = min(float(x.min()) for x in parts), max(float(x.max()) for x in parts)
    holds_bytes = low >= 0 and 1 < high <= 255 and all((one == np.rint(one)).all() for x in parts for one in x)
    return 255.0 if holds_bytes else 1.0


def _images(path: Path, x: NDArray[Any]) -> NDArray[Any]:
    """Return images as (N, H, W, C) of uint8 or float32."""
    own = ", ".join(["N", *map(str, x.shape[1:])])
    if x.ndim not in (3, 4):
        raise DataError(f"{path}: expected images (N, H, W) or (N, H, W, C), got shape ({own}); reshape them")
    if _has_channels_first(x.shape):
        raise DataError(
            f"{path}: expected images (N, H, W, C) with the channels last, got ({own}), which has them first; "
            "save numpy.moveaxis(x, 1, -1)"
        )
    x = x if x.ndim == 4 else x[..., None]
    if x.dtype == np.uint8:
        return x
    if x.dtype.kind in "fb":
        largest = max(float(x.max()), -float(x.min()))
        if largest > float(np.finfo(np.float32).max):
            raise DataError(f"{path}: expected pixel values within float32, got {largest:g}; scale them to 0..1")
        return x.astype(np.float32, copy=False)
    low, high = int(x.min()), int(x.max())
    if low < 0 or high > 255:
        raise DataError(
            f"{path}: expected integer pixels from 0 to 255, got {low} to {high}; save them as floats from 0 to 1"
        )
    return x.astype(np.uint8, copy=False)


def _has_channels_first(shape: tuple[int, ...]) -> bool:
    """Return whether (N, a, b, c) is rather (N, C, H, W) than images of 1, 3 or 4 rows.

    A signal is an image of one row, (N, 1, length, channels), and has few channels: it is none of those meant.
    """
    if len(shape) != 4 or shape[1] not in (1, 3, 4) or min(shape[2:]) <= 4:
        return False
    return shape[2] == shape[3] or shape[3] > 16 or shape[1] > 1
