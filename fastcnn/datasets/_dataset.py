"""The record every data set is loaded into, the checks it passes, and the split of data that comes unsplit."""

from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.datasets._fitting import Pictures
from fastcnn.datasets._table import Table
from fastcnn.errors import ArgumentError, DataError


@dataclass(frozen=True, eq=False)
class Origin:
    """Where the examples of a data set come from: what a split that is written down names them by.

    Attributes
    ----------
    files : dict of str to tuple of str, or None
        For each part, ``"train"``, ``"test"`` and ``"dev"``, the path of each picture within the folder.
    order : (N,) int64 array or None
        Where the data came without a test part: the place that each training and then each test example had.
    table : Table or None
        Where a table named the files: what its other columns say.
    """

    files: dict[str, tuple[str, ...]] | None = None
    order: NDArray[np.int64] | None = None
    table: Table | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels for training and testing, and what is known about them.

    Parameters
    ----------
    name : str
        ``"mnist"``, or the name of the folder or file it was read from.
    x_train, x_test : ndarray of uint8 or float32, (N, H, W, C)
        Images, channels last, C = 1 for grey.
    y_train, y_test : ndarray of int64, (N,)
        Labels from 0 to ``len(classes) - 1``.
    classes : tuple of str
        Names in the order of the labels.
    scale : float
        What pixel values are divided by to reach 0..1: 255, 16 for the digits, 1 for floats.
    source : str
        One line that says where the data came from.
    background : {"dark", "light"} or None
        The ground that grey ink stands on; None where there is no such thing, as in photographs.
    ink_box : float or None
        The share of height or width that the ink's longer side fills: 20 / 28 in MNIST. None without a background.
    pictures : Pictures or None
        How pictures were made into these images, so that others can be made so; None where there were no pictures.
    notes : tuple of str
        What a person should know of how the data was read: pictures resized, files skipped.
    x_dev, y_dev : ndarray or None
        Images and labels to decide on, where the data come with them: a folder ``val`` beside ``train`` and ``test``.
    w_train, w_test, w_dev : ndarray of float32 or None, (N,)
        Weights of the samples, where the data come with them: ``model.fit(x, y, sample_weight=data.w_train)``.
    origin : Origin

    Raises
    ------
    DataError
        As `check`, for either part; weights that are not (N,) or are 0 in all of training; images that are not
        (N, H, W, C) of uint8 or float32; parts of unlike sizes.
    """

    name: str
    x_train: NDArray[Any] = field(repr=False)
    y_train: NDArray[np.int64] = field(repr=False)
    x_test: NDArray[Any] = field(repr=False)
    y_test: NDArray[np.int64] = field(repr=False)
    classes: tuple[str, ...]
    scale: float
    source: str
    background: Literal["dark", "light"] | None = None
    ink_box: float | None = None
    pictures: Pictures | None = None
    notes: tuple[str, ...] = ()
    x_dev: NDArray[Any] | None = field(default=None, repr=False)
    y_dev: NDArray[np.int64] | None = field(default=None, repr=False)
    w_train: NDArray[np.float32] | None = field(default=None, repr=False)
    w_test: NDArray[np.float32] | None = field(default=None, repr=False)
    w_dev: NDArray[np.float32] | None = field(default=None, repr=False)
    origin: Origin = field(default=Origin(), repr=False)

    def __post_init__(self) -> None:
        for part, x, y in self._parts():
            who = f"{self.name}, {part} set"
            check(x, y, self.classes, who)
            if x.ndim != 4 or x.dtype not in (np.uint8, np.float32):
                raise DataError(f"{who}: expected uint8 or float32 images (N, H, W, C), got {x.dtype} {x.shape}")
            if x.shape[1:] != self.x_train.shape[1:]:
                raise DataError(
                    f"{self.name}: expected {part} images of {self.x_train.shape[1:]} like the training images, "
                    f"got {x.shape[1:]}; bring all images to one size and number of channels"
                )
        for (part, _, y), w in zip(self._parts(), (self.w_train, self.w_test, self.w_dev)):
            if w is not None and w.shape != y.shape:
                raise DataError(f"{self.name}, {part} set: expected weights ({len(y)},) as labels, got {w.shape}")
        if self.w_train is not None and not self.w_train.any():
            raise DataError(f"{self.name}: expected a training image with a weight above 0, got none; correct them")

    def _parts(self) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
        yield "training", self.x_train, self.y_train
        yield "test", self.x_test, self.y_test
        if self.x_dev is not None and self.y_dev is not None:
            yield "dev", self.x_dev, self.y_dev


def check(x: ArrayLike, y: ArrayLike, classes: int | Sized | None = None, who: str = "data") -> None:
    """Refuse images and labels that cannot be trained on.

    Parameters
    ----------
    x : array, (N, ...)
        Images of any shape behind the first axis.
    y : array of integers, (N,)
        Labels.
    classes : int, or a collection of names, optional
        The number of classes; labels are then at most that minus 1. Without it they are only refused below 0.
    who : str
        Whose data it is, for the error.

    Raises
    ------
    DataError
        No images, other counts of images than of labels, complex or object images, NaN or infinity in images,
        labels that are not integers, not (N,), or outside the classes.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim == 0 or len(x) == 0:
        raise DataError(f"{who}: expected at least one image, got an empty set of shape {x.shape}; check what was read")
    if x.dtype.kind not in "buif":
        raise DataError(f"{who}: expected images of integers or floats, got {x.dtype}; convert them with x.astype")
    if x.size == 0:
        raise DataError(f"{who}: expected images with at least one pixel, got shape {x.shape}; check what was read")
    if y.ndim != 1:
        hint = "take y.argmax(axis=1)" if y.ndim == 2 and y.shape[1] > 1 else "take y.ravel()"
        raise DataError(f"{who}: expected labels (N,), one integer an image, got shape {y.shape}; {hint}")
    if y.dtype.kind not in "iu":
        hint = "y.astype(int)" if y.dtype.kind in "fb" else "numpy.unique(y, return_inverse=True)[1]"
        raise DataError(f"{who}: expected integer labels, got {y.dtype}; number the classes from 0, as {hint} does")
    if len(x) != len(y):
        raise DataError(f"{who}: expected as many labels as images, got {len(x)} images and {len(y)} labels")
    if x.dtype.kind == "f":
        _check_finite(x, who)
    _check_range(y, classes, who)


def _check_finite(x: NDArray[Any], who: str) -> None:
    # NaN and infinity both show in the extremes, which need no memory, unlike isfinite(x).
    if not (np.isfinite(x.min()) and np.isfinite(x.max())):
        image = next(i for i, one in enumerate(x) if not np.isfinite(one).all())
        raise DataError(f"{who}: expected finite pixel values, got NaN or infinity in image {image}; repair or drop it")


def _check_range(y: NDArray[Any], classes: int | Sized | None, who: str) -> None:
    number = classes if classes is None or isinstance(classes, int) else len(classes)
    low, high = int(y.min()), int(y.max())
    if low < 0 or (number is not None and high >= number):
        worst = low if low < 0 else high
        expected = "from 0" if number is None else f"from 0 to {number - 1}"
        raise DataError(
            f"{who}: expected labels {expected}, got {worst} at index {int(np.argmax(y == worst))}; "
            "number the classes from 0 without gaps"
        )


def stratified_split(y: ArrayLike, every: int = 5) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split data into training and test by position alone: every fifth example of each class is a test example.

    Parameters
    ----------
    y : array, (N,)
        Labels.
    every : int
        Of each class, the examples number `every`, 2 `every`, ... in order of appearance go to the test set.

    Returns
    -------
    train_index, test_index : ndarray of int64
        Ascending indices that together are 0 .. N - 1.

    Raises
    ------
    ArgumentError
        `every` below 2, or labels that are not (N,).

    Examples
    --------
    >>> train, test = fc.datasets.stratified_split([0, 0, 0, 1, 1, 1], every=3)
    >>> test
    array([2, 5])
    """
    y = np.asarray(y)
    if y.ndim != 1 or every < 2:
        raise ArgumentError(
            f"stratified_split: expected labels (N,) and every of at least 2, got {y.shape} and {every}"
        )
    order = np.argsort(y, kind="stable")
    _, starts, counts = np.unique(y[order], return_index=True, return_counts=True)
    position = np.empty(len(y), np.int64)  # of each example within its class
    position[order] = np.arange(len(y)) - np.repeat(starts, counts)
    is_test = position % every == every - 1
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
