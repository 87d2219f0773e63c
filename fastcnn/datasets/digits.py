"""UCI handwritten digits, 8 x 8: small enough to ship, so that a first run needs no network."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._dataset import Dataset
from fastcnn.datasets._stratified import stratified_split

Split = tuple[NDArray[Any], NDArray[Any]]  # uint8; scripts keep the name for the scaled numbers
CLASSES = tuple("0123456789")
_FILE = Path(__file__).with_name("digits.npz")
_SOURCE = (
    "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998, "
    "CC BY 4.0, DOI 10.24432/C50P49 (the test part, as scikit-learn ships it)"
)


def load_data(data_dir: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Load the digits, (N, 8, 8) with values 0 to 16: 1,442 for training and 355 for testing.

    The published set has no split of these images; here every fifth of each class, in the original order, is a
    test image (see `fastcnn.datasets.stratified_split`).

    Parameters
    ----------
    data_dir : path-like, optional
        Accepted so that all data sets are called alike. The digits come with the package wherever it points.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (N, 8, 8), labels uint8 (N,); yours to change.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = fc.datasets.digits.load_data()
    >>> x_train.shape, x_test.shape
    ((1442, 8, 8), (355, 8, 8))
    """
    x, y = _unpack()
    train, test = stratified_split(y)
    return (x[train], y[train]), (x[test], y[test])


@cache
def _unpack() -> Split:
    with np.load(_FILE, allow_pickle=False) as file:
        labels, pixels = file["labels"], file["pixels"]
    # The file holds the images sorted by label and pixel by pixel: see digits-README.md.
    x = np.empty((len(labels), *pixels.shape[:2]), np.uint8)
    x[np.argsort(labels, kind="stable")] = pixels.transpose(2, 0, 1)
    return x, labels


def dataset(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """As `load_data`, as a `Dataset` with images (N, 8, 8, 1) and scale 16.

    Parameters
    ----------
    data_dir : None
        As of `load_data`.

    Examples
    --------
    >>> fc.datasets.digits.dataset().x_train.shape
    (1442, 8, 8, 1)
    """
    (x_train, y_train), (x_test, y_test) = load_data(data_dir)
    return Dataset(
        name="digits",
        x_train=x_train[..., None],
        y_train=y_train.astype(np.int64),
        x_test=x_test[..., None],
        y_test=y_test.astype(np.int64),
        classes=CLASSES,
        scale=16.0,
        source=_SOURCE,
        background="dark",
        ink_box=1.0,  # every digit touches the first and the last row
    )
