"""A user's own data: idx files, an .npz file, folders of pictures or a table of them, made into a Dataset."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets import _idx, cifar10
from fastcnn.datasets._assembly import assemble
from fastcnn.datasets._checking import check
from fastcnn.datasets._columns import FILE, NOTHING_ASKED, TableColumns, require_no_columns
from fastcnn.datasets._dataset import Dataset, Origin
from fastcnn.datasets._delimited import column_names
from fastcnn.datasets._fitting import Pictures, require_in_memory, require_none
from fastcnn.datasets._folders import Layout, layout_of
from fastcnn.datasets._image_folder import read_pictures
from fastcnn.datasets._npz import keys, read_npz
from fastcnn.datasets._packed import is_packed, read_packed
from fastcnn.datasets._picture_files import Filing
from fastcnn.datasets._read_table import read_table
from fastcnn.datasets._reading import Reading
from fastcnn.datasets._stratified import stratified_split
from fastcnn.datasets._table import Table
from fastcnn.datasets._table_datasets import from_features, table_layout
from fastcnn.errors import DataError
from fastcnn.formats.files import printable

ENDING = ".csv"
_PARTS = ("x_train", "y_train", "x_test", "y_test")


def dataset_at(path: Path, pictures: Pictures, columns: TableColumns = NOTHING_ASKED, in_memory: bool = True
               ) -> Dataset:
    """Return the data set at a path: see `fastcnn.datasets.load` for the kinds, and `TableColumns` for a table's.

    Raises
    ------
    DataError
        A file of another kind, or one of the faults that the readers and `Dataset` name.
    ArgumentError
        Arguments for pictures, where there are none; for a table, where there is none.
    """
    if not is_table(path):
        require_no_columns(columns, path)
    if holds_pictures(path):
        return from_pictures(path, pictures, Reading if in_memory else Filing, columns)
    require_none(pictures, path)
    require_in_memory(in_memory, path)
    if is_table(path):
        return from_features(path, read_table(path, columns))
    if is_packed(path):
        return read_packed(path)
    if path.is_file():
        if path.suffix.lower() != ".npz":
            raise DataError(f"{path}: expected an .npz file, a .csv table or a folder, got a file of another kind; "
                            "name its folder")  # fmt: skip
        return _from_npz(path)
    folder = _idx_folder(path)
    if folder is not None:
        return _from_idx(folder)
    records = cifar10.find(path)
    assert records is not None  # else it were a folder of pictures
    return cifar10.dataset_of(records)


def is_picture_folder(path: Path) -> bool:
    """Return whether what lies at a path is taken for pictures: a folder that is none of the other kinds.

    Parameters
    ----------
    path : Path
    """
    return path.is_dir() and not is_packed(path) and _idx_folder(path) is None and cifar10.find(path) is None


def holds_pictures(path: Path) -> bool:
    """Return whether what lies at a path is taken for pictures: such a folder, or a table that names them.

    Parameters
    ----------
    path : Path
    """
    return FILE in column_names(path) if is_table(path) else not path.is_file() and is_picture_folder(path)


def is_table(path: Path) -> bool:
    """Return whether what lies at a path is taken for a table, of pictures or of features."""
    return path.is_file() and path.suffix.lower() == ENDING


def layout_at(path: Path, columns: TableColumns = NOTHING_ASKED) -> tuple[Layout, Table | None]:
    """Return which pictures a folder or a table has, and the table."""
    if path.is_file():
        contents = read_table(path, columns)
        return table_layout(contents), contents.table
    return layout_of(path), None


def _idx_folder(path: Path) -> Path | None:
    """Return the folder itself or its ``raw``, where torchvision puts them, if idx files are there."""
    return next((folder for folder in (path, path / "raw") if any(_idx.find(folder))), None)


def from_pictures(root: Path, asked: Pictures, read: Callable[..., Reading] = Reading,
                  columns: TableColumns = NOTHING_ASKED) -> Dataset:
    """Return the data set of a folder or a table of pictures: see `read_pictures` for `read`."""
    layout, table = layout_at(root, columns)
    found = read_pictures(root, layout, asked, table, read)
    kind = "pictures" if table is None else "pictures of a table"
    return assemble(root, found.train, found.test, found.classes, kind, task=layout.task,
                    dev=found.dev, origin=found.origin, pictures=found.pictures, notes=found.notes,
                    **{f"w_{part}": weights for part, weights in found.weights.items()})  # fmt: skip


def _from_idx(folder: Path) -> Dataset:
    paths = _idx.find_all(folder)
    if paths is None:
        missing = [_idx.file_names(*file)[0] for file, at in zip(_idx.FILES, _idx.find(folder)) if at is None]
        raise DataError(f"{folder}: expected also {' and '.join(missing)}, got the other idx files; add it")
    train, test = _idx.read_all(paths)
    return assemble(folder, train, test, None, "idx files")


def _from_npz(path: Path) -> Dataset:
    found = keys(path)
    classes = None
    if "classes" in found:
        names = read_npz(path, ("classes",))["classes"]
        if names.dtype.kind != "U" or names.ndim != 1:
            raise DataError(
                f"{path}: expected classes as strings (K,), got {names.dtype} {names.shape}; save names or nothing"
            )
        classes = tuple(printable(str(name)) for name in names)
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
        origin = Origin(order=np.concatenate([train, test]))
        return assemble(path, (x[train], y[train]), (x[test], y[test]), classes, "npz file", origin=origin)
    if "x_train" not in found:
        raise DataError(
            f"{path}: expected arrays named x_train, y_train, x_test, y_test, or x and y, "
            f"got {', '.join(found) or 'none'}; save it with those names"
        )
    x_train, y_train, x_test, y_test = read_npz(path, _PARTS).values()
    return assemble(path, (x_train, _labels(y_train)), (x_test, _labels(y_test)), classes, "npz file")


def _labels(y: NDArray[Any]) -> NDArray[Any]:
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
