"""The record that every data set is loaded into."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._checking import check, check_features, check_targets
from fastcnn.datasets._fitting import Pictures
from fastcnn.datasets._table import Table
from fastcnn.datasets._targets import Task
from fastcnn.errors import DataError


@dataclass(frozen=True, eq=False)
class Origin:
    """Where the examples of a data set come from: what a split that is written down names them by.

    Attributes
    ----------
    files : dict of str to tuple of str, or None
        For each part, ``"train"``, ``"test"`` and ``"dev"``, the path of each picture within the folder; of features
        the line of the table, as ``"line 7"``.
    order : (N,) int64 array or None
        Where the data came without a test part: the place that each training and then each test example had.
    table : Table or None
        Where the data are a table: what its other columns say.
    """

    files: dict[str, tuple[str, ...]] | None = None
    order: NDArray[np.int64] | None = None
    table: Table | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images, or rows of features, and what they are for training and testing; and what is known about them.

    Parameters
    ----------
    name : str
        ``"mnist"``, or the name of the folder or file it was read from.
    x_train, x_test : ndarray of uint8 or float32, (N, H, W, C)
        Images, channels last, C = 1 for grey. Of features: float32 (N, F), as the table has them. Of pictures that stay
        files, what reads them when they are asked for: `fit` takes it, a slice or an index gives an array.
    y_train, y_test : ndarray
        By the `task`:

        - classification: labels from 0 to ``len(classes) - 1``, int64 (N,);
        - multilabel: 1, 0, or -1 where nobody knows, float32 (N, K), as `losses.MaskedBinaryCrossentropy` takes them;
        - regression: numbers in the table's unit, float64 (N,), or (N, K) of several columns.
    classes : tuple of str
        Names in the order of the labels; none in regression.
    scale : float
        What pixel values are divided by to reach 0..1: 255, 16 for the digits, 1 for floats and for features.
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
    task : {"classification", "multilabel", "regression"}
    targets : tuple of str
        In regression, the columns of the table that are learned.
    features : tuple of str
        Where `x_train` has rows of features: their columns in the table.

    Raises
    ------
    DataError
        As `check`, for either part; weights that are not (N,) or are 0 in all of training; images that are not
        (N, H, W, C) of uint8 or float32; features or targets that are not as told above, or not finite; parts of unlike
        sizes.
    """

    name: str
    x_train: NDArray[Any] = field(repr=False)
    y_train: NDArray[Any] = field(repr=False)
    x_test: NDArray[Any] = field(repr=False)
    y_test: NDArray[Any] = field(repr=False)
    classes: tuple[str, ...]
    scale: float
    source: str
    background: Literal["dark", "light"] | None = None
    ink_box: float | None = None
    pictures: Pictures | None = None
    notes: tuple[str, ...] = ()
    x_dev: NDArray[Any] | None = field(default=None, repr=False)
    y_dev: NDArray[Any] | None = field(default=None, repr=False)
    w_train: NDArray[np.float32] | None = field(default=None, repr=False)
    w_test: NDArray[np.float32] | None = field(default=None, repr=False)
    w_dev: NDArray[np.float32] | None = field(default=None, repr=False)
    origin: Origin = field(default=Origin(), repr=False)
    task: Task = "classification"
    targets: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part, x, y in self._parts():
            who = f"{self.name}, {part} set"
            if self.task == "classification":
                check(x, y, self.classes, who)
            else:
                check_targets(x, y, self.outputs, self.task == "multilabel", who)
            if self.features:
                check_features(x, self.features, who)
                continue
            if x.ndim != 4 or x.dtype not in (np.uint8, np.float32):
                raise DataError(f"{who}: expected uint8 or float32 images (N, H, W, C), got {x.dtype} {x.shape}")
            if x.shape[1:] != self.x_train.shape[1:]:
                raise DataError(
                    f"{self.name}: expected {part} images of {self.x_train.shape[1:]} like the training images, "
                    f"got {x.shape[1:]}; bring all images to one size and number of channels"
                )
        for (part, _, y), w in zip(self._parts(), (self.w_train, self.w_test, self.w_dev)):
            if w is not None and w.shape != y.shape[:1]:
                raise DataError(f"{self.name}, {part} set: expected weights ({len(y)},) as labels, got {w.shape}")
        if self.w_train is not None and not self.w_train.any():
            raise DataError(f"{self.name}: expected a training image with a weight above 0, got none; correct them")

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the outputs of a network for it are: the names of the classes, or of the targets in regression."""
        return self.targets if self.task == "regression" else self.classes

    def _parts(self) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
        yield "training", self.x_train, self.y_train
        yield "test", self.x_test, self.y_test
        if self.x_dev is not None and self.y_dev is not None:
            yield "dev", self.x_dev, self.y_dev
