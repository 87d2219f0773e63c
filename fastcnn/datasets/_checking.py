"""Samples and targets that can be trained on: what is refused of arrays before anything is done with them."""

from collections.abc import Sized
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn import finite
from fastcnn.data.mapped_rows import MappedRows
from fastcnn.data.strata import are_labels
from fastcnn.errors import DataError


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
    _check(x if isinstance(x, MappedRows) else np.asarray(x), np.asarray(y), classes, who)


def _check(x: Any, y: NDArray[Any], classes: int | Sized | None, who: str) -> None:
    """As `check`; pictures that stay files are not decoded for a look."""
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
    if isinstance(x, np.ndarray) and not finite.are_finite(x):
        raise DataError(f"{who}: expected finite pixel values, got {finite.told(x, what='image')}; repair or drop them")
    _check_range(y, classes, who)


def check_targets(x: NDArray[Any], y: NDArray[Any], names: tuple[str, ...], are_yes_or_no: bool, who: str) -> None:
    """Refuse targets that are no numbers, or no labels of yes and no.

    Parameters
    ----------
    x : (N, ...) array
    y : (N,) or (N, K) array of floats
    names : tuple of str
        Of the K columns.
    are_yes_or_no : bool
        Whether each must be 1, 0, or -1 for an unknown one.
    who : str
        Whose they are, for the error.

    Raises
    ------
    DataError
    """
    shapes = [(len(x), len(names))] + ([(len(x),)] if len(names) == 1 and not are_yes_or_no else [])
    if len(x) == 0 or y.shape not in shapes or y.dtype.kind != "f":
        raise DataError(f"{who}: expected floats {' or '.join(map(str, shapes))}, a column for each of "
                        f"{', '.join(names)}, got {y.dtype} {y.shape}")  # fmt: skip
    if are_yes_or_no and not (are_labels(y) and np.isfinite(y).all()):
        raise DataError(f"{who}: expected labels of 1, 0, or -1 where nobody knows, got others; correct them")
    if not finite.are_finite(y):
        raise DataError(f"{who}: expected finite targets, got {finite.told(y)}; repair or drop them")


def check_features(x: NDArray[Any], names: tuple[str, ...], who: str) -> None:
    """Refuse features that are not finite float32 (N, F).

    Parameters
    ----------
    x : array
    names : tuple of str
        Of the F columns.
    who : str
        Whose they are, for the error.

    Raises
    ------
    DataError
    """
    if x.dtype != np.float32 or x.shape != (len(x), len(names)):
        raise DataError(f"{who}: expected float32 features {len(x), len(names)}, a column for each name, got {x.dtype} "
                        f"{x.shape}")  # fmt: skip
    if not finite.are_finite(x):
        columns = [name for name, column in zip(names, x.T, strict=True) if not finite.are_finite(column)]
        raise DataError(f"{who}: expected finite features, got {finite.told(x, what='row')} ({', '.join(columns)}); "
                        "repair or drop them")  # fmt: skip


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
