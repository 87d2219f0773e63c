"""A data set decoded once into arrays that are read where they lie: what ``fastcnn data pack`` leaves.

The folder holds ``x.npy``, the images of all parts, one part after the other, ``y_train.npy`` and so on, which any
reader of NumPy's format opens, and an index, which is written last: without it the folder is no data set.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._dataset import Dataset, Origin
from fastcnn.datasets._fitting import Pictures
from fastcnn.datasets._table import Row, Table
from fastcnn.errors import DataError
from fastcnn.formats.files import printable, write_atomically

INDEX, IMAGES = "packed.json", "x.npy"
PARTS = ("train", "test", "dev")
_VERSION = 1
_PLAIN = ("name", "classes", "scale", "background", "ink_box", "notes", "source")
_OF_TABLES = ("task", "targets", "features")  # which packs of version 1 may lack
_ADVICE = "pack the data anew"


def is_packed(path: Path) -> bool:
    """Return whether a folder is what ``fastcnn data pack`` leaves."""
    return (path / INDEX).is_file()


def write_index(folder: Path, data: Dataset) -> None:
    """Write all but the images of a data set; their files are there."""
    for part in PARTS:
        for letter in ("y", "w"):
            array = getattr(data, f"{letter}_{part}")
            if array is not None:
                np.save(folder / f"{letter}_{part}.npy", array, allow_pickle=False)
    origin = data.origin
    if origin.order is not None:
        np.save(folder / "order.npy", origin.order, allow_pickle=False)
    index = {"version": _VERSION, **{name: getattr(data, name) for name in _PLAIN + _OF_TABLES}, "files": origin.files,
             "pictures": None if data.pictures is None else data.pictures._asdict()}  # fmt: skip
    if origin.table is not None:
        table = origin.table
        index["table"] = {"path": printable(table.path), "columns": table.columns, "rows": table.rows,
                          "weight": table.weight}  # fmt: skip
    write_atomically(folder / INDEX, json.dumps(index, ensure_ascii=False).encode())


def read_packed(folder: Path) -> Dataset:
    """Return a packed data set; its images are memory maps, read where they lie.

    Raises
    ------
    DataError
        Damaged or missing files, those of another version, arrays that do not fit one another.
    """
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_bytes())
        if index["version"] != _VERSION:
            raise DataError(f"{folder / INDEX}: expected version {_VERSION}, got {index['version']!r}; {_ADVICE}")
        files, pictures, table = index["files"], index["pictures"], index.get("table")
        origin = Origin(
            None if files is None else {part: tuple(names) for part, names in files.items()},
            _array(folder / "order.npy") if (folder / "order.npy").exists() else None,
            None if table is None else Table(
                Path(table["path"]), tuple(table["columns"]),
                {name: Row(*row) for name, row in table["rows"].items()}, table.get("weight")),
        )  # fmt: skip
        if pictures is not None:
            size = pictures["image_size"]
            pictures = Pictures(**pictures | {"image_size": None if size is None else tuple(size)})
        known = {name: index[name] for name in _PLAIN} | {name: tuple(index[name]) for name in ("classes", "notes")}
        known |= {name: index[name] if name == "task" else tuple(index[name]) for name in _OF_TABLES if name in index}
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder / INDEX}: expected the index of packed data, got a damaged one "
                        f"({type(error).__name__}: {error}); {_ADVICE}") from error  # fmt: skip
    arrays: dict[str, Any] = {}
    x, end = _array(folder / IMAGES, mapped=True), 0
    for part in PARTS:
        if part != "dev" or (folder / "y_dev.npy").exists():
            arrays[f"y_{part}"] = _array(folder / f"y_{part}.npy")
            begin, end = end, end + len(arrays[f"y_{part}"])
            arrays[f"x_{part}"] = x[begin:end]
            if (folder / f"w_{part}.npy").exists():
                arrays[f"w_{part}"] = _array(folder / f"w_{part}.npy")
            names = None if origin.files is None else origin.files.get(part, ())
            if names is not None and len(names) != len(arrays[f"y_{part}"]):
                raise DataError(f"{folder}: expected a name for each of {len(arrays[f'y_{part}'])} images of {part}, "
                                f"got {len(names)}; {_ADVICE}")  # fmt: skip
    if end != len(x):
        raise DataError(f"{folder / IMAGES}: expected {end} images, as there are labels, got {len(x)}; {_ADVICE}")
    return Dataset(**known, **arrays, pictures=pictures, origin=origin)


def _array(path: Path, mapped: bool = False) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: expected a whole array, got: {error}; {_ADVICE}") from error
    return array
