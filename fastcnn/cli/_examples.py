"""The examples of a data set by their parts: as they came, and as ``split.csv`` of a run has them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._run import SPLIT
from fastcnn.data import PARTS, split_file
from fastcnn.data.mapped_rows import joined, taken
from fastcnn.datasets import Dataset
from fastcnn.errors import ArgumentError, DataError

_NAMED = 3  # examples that a message names


class Examples(NamedTuple):
    """Some examples of a data set.

    Attributes
    ----------
    x : (n, H, W, C) or (n, F) array, or `MappedRows` of what is read where it lies
    y : (n,) or (n, K) array
        As `Dataset` has it.
    names : (n,) object array of str
        What ``split.csv`` calls them.
    weights : (n,) float32 array or None
        Of the samples, in training.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    names: NDArray[Any]
    weights: NDArray[Any] | None = None

    def some(self, index: NDArray[Any]) -> "Examples":
        """Return the examples of some indices."""
        return Examples(taken(self.x, index), *(None if one is None else one[index] for one in self[1:]))  # type: ignore[arg-type]

    @classmethod
    def joined(cls, parts: Iterable["Examples"]) -> "Examples":
        """Return the examples of several parts, one after the other."""
        x, *others = zip(*parts)
        return cls(joined(x), *(None if each[0] is None else np.concatenate(each) for each in others))  # type: ignore[arg-type]


def whole(data: Dataset) -> dict[str, Examples]:
    """Return the data set by the parts it came with; all of it as ``train`` if it came without."""
    files, order = data.origin.files, data.origin.order
    parts = {"train": (data.x_train, data.y_train, data.w_train), "test": (data.x_test, data.y_test, data.w_test)}
    if data.x_dev is not None and data.y_dev is not None:
        parts["dev"] = data.x_dev, data.y_dev, data.w_dev
    found = {name: Examples(x, y, _in_arrays(f"x_{name}", len(y)) if files is None else texts(files[name]), weights)
             for name, (x, y, weights) in parts.items()}  # fmt: skip
    if order is None:
        return found
    every = Examples.joined(found.values()).some(np.argsort(order))
    return {"train": every if files is not None else every._replace(names=_in_arrays("x", len(order)))}


def write_split(folder: Path, parts: dict[str, Any], groups: dict[str, str], data: Any) -> None:
    """Write ``split.csv`` into the folder of a run."""
    split_file.write(folder / SPLIT, (split_file.SplitRow(name, example, label, groups.get(example, ""))
                                      for name, part in parts.items()
                                      for example, label in zip(part.names, label_texts(data, part.y))))  # fmt: skip


def label_texts(data: Any, y: NDArray[Any]) -> list[str]:
    """Return targets as ``split.csv`` has them: a class by its name, labels as ``1 0 ?``, numbers, texts."""
    if y.dtype == object:
        return list(y)
    if data.task == "classification":
        return [data.classes[label] for label in y]
    if data.task == "multilabel":
        return [" ".join("?" if label < 0 else f"{label:.0f}" for label in row) for row in y]
    return [" ".join(map(repr, row)) for row in y.reshape(len(y), -1).tolist()]


def restored(path: Path, data: Dataset) -> dict[str, Examples]:
    """Return the parts of a data set as a file says.

    Raises
    ------
    DataError
        A file that is no split, or that of other data: pictures that are gone, new, or of another class.
    """
    rows = split_file.read(path)
    every = whole(data)
    pool = Examples.joined(every.values())
    place = {name: k for k, name in enumerate(pool.names)}
    gone = [row.example for row in rows if row.example not in place]
    if gone or len(rows) != len(place):
        known = {row.example for row in rows}
        new = [name for name in place if name not in known]
        some, many = (gone, "that are gone") if gone else (new, "that it does not name")
        raise DataError(
            f"{path}: expected the examples of {data.name} that it was made of, got {len(some)} {many}: "
            f"{', '.join(some[:_NAMED])}{' ...' if len(some) > _NAMED else ''}; restore them, or train anew"
        )
    labels = label_texts(data, pool.y)
    other = next((row for row in rows if labels[place[row.example]] != row.label), None)
    if other is not None:
        what = "of the class" if data.task == "classification" else "with"
        raise DataError(f"{path}: expected {other.example} {what} {other.label}, got it as "
                        f"{labels[place[other.example]]}; restore it, or train anew")  # fmt: skip
    index: dict[str, list[int]] = {}
    for row in rows:
        index.setdefault(row.part, []).append(place[row.example])
    return {name: pool.some(np.array(index[name])) for name in PARTS if name in index}


def part_of(data: Dataset, path: Path | None, name: str, who: str) -> Examples:
    """Return one part of a data set: by the file of a run, else as the data set came.

    Raises
    ------
    ArgumentError
        A part that there is not.
    DataError
        As `restored`.
    """
    if path is not None:
        parts = restored(path, data)
    elif name == "test":
        return Examples(data.x_test, data.y_test, np.empty(len(data.y_test), object), data.w_test)
    else:
        parts = {}
    if name not in parts:
        has = f"{', '.join(parts)} alone" if parts else "no split.csv of this data set, so that test alone is known"
        raise ArgumentError(f"{who}: expected a part {name}, got {has}; name another --part")
    return parts[name]


def _in_arrays(name: str, number: int) -> NDArray[Any]:
    return texts([f"{name}[{k}]" for k in range(number)])


def texts(of: Sequence[str]) -> NDArray[Any]:
    """Return text as an array of objects, which an index picks from."""
    found = np.empty(len(of), object)
    found[:] = of
    return found
