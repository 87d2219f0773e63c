"""Which examples of a data set train, which are decided on and which are for the last figure: made, written, read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._run import SPLIT
from fastcnn.data import PARTS, folds, share_for, split, split_file
from fastcnn.data.mapped_rows import joined, taken
from fastcnn.datasets import Dataset
from fastcnn.errors import ArgumentError, DataError

_NAMED = 3  # examples that a message names


class Examples(NamedTuple):
    """Some examples of a data set.

    Attributes
    ----------
    x : (n, H, W, C) array, or `MappedRows` of what is read where it lies
    y : (n,) int64 array
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


class Asked(NamedTuple):
    """What the command line says of parts; None where it says nothing.

    Attributes
    ----------
    dev, train_dev, test : float or None
        Shares of the whole data set.
    group_by : str or None
        What tells the group that stays in one part: the name of a table's column, or a regular expression that finds it
        in the path of a picture.
    seed : int
    """

    dev: float | None = None
    train_dev: float | None = None
    test: float | None = None
    group_by: str | None = None
    seed: int = 0


def whole(data: Dataset) -> dict[str, Examples]:
    """Return the data set by the parts it came with; all of it as ``train`` if it came without."""
    files, order = data.origin.files, data.origin.order
    parts = {"train": (data.x_train, data.y_train, data.w_train), "test": (data.x_test, data.y_test, data.w_test)}
    if data.x_dev is not None and data.y_dev is not None:
        parts["dev"] = data.x_dev, data.y_dev, data.w_dev
    found = {name: Examples(x, y, _in_arrays(f"x_{name}", len(y)) if files is None else _texts(files[name]), weights)
             for name, (x, y, weights) in parts.items()}  # fmt: skip
    if order is None:
        return found
    every = Examples.joined(found.values()).some(np.argsort(order))
    return {"train": every if files is not None else every._replace(names=_in_arrays("x", len(order)))}


def made(data: Dataset, asked: Asked) -> tuple[dict[str, Examples], dict[str, str]]:
    """Return the parts of a data set, and the group of each example by its name.

    The parts that the data came with stay; the others are dealt out of the training part. Shares are of the whole.

    Raises
    ------
    ArgumentError
        A share for a part that the data came with.
    DataError
        A class that is missing from a part; a picture in which the expression finds no group.
    """
    parts = whole(data)
    total = sum(len(part.y) for part in parts.values())
    shares = {}
    for name in PARTS[1:]:
        share = getattr(asked, name)
        if name in parts:
            if share is not None:
                raise ArgumentError(f"--{name}: expected none, as {data.name} has its own {name} part of "
                                    f"{len(parts[name].y):,} images, got {share:g}; leave it out")  # fmt: skip
            continue
        share = (0.0 if name == "train_dev" else share_for(total)) if share is None else share
        shares[name] = min(1.0, share * total / len(parts["train"].y))
    pool = parts["train"]
    groups = groups_of(parts, asked.group_by, data.origin.table)
    if sum(shares.values()) > 0:
        of_pool = None if groups is None else _texts([groups[name] for name in pool.names]).astype(str)
        index = split(pool.y, shares, groups=of_pool, seed=asked.seed, names=data.classes)
        parts |= {name: pool.some(own) for name, own in index.items()}
    _require_no_shared_group(parts, groups)
    return {name: parts[name] for name in PARTS if name in parts}, groups or {}


def made_folds(data: Dataset, count: int, asked: Asked) -> Iterator[tuple[dict[str, Examples], dict[str, str]]]:
    """Yield parts for each of some folds, and the groups: the fold is dev, the others train; test stays as it is."""
    parts, groups = made(data, asked._replace(dev=0.0))
    pool = parts["train"]
    of_pool = None if not groups else _texts([groups[name] for name in pool.names]).astype(str)
    every = folds(pool.y, count, groups=of_pool, seed=asked.seed, names=data.classes)
    for dev in every:
        train = np.setdiff1d(np.arange(len(pool.y)), dev)
        yield {"train": pool.some(train), "dev": pool.some(dev), **_without(parts, "train", "dev")}, groups


def groups_of(parts: dict[str, Examples], group_by: str | None, table: Any = None) -> dict[str, str] | None:
    """Return the group of each example by its name; None without what tells it.

    Parameters
    ----------
    parts : dict of str to Examples
    group_by : str or None
        As in `Asked`.
    table : Table or None
        A column of it goes before a regular expression of that text.

    Raises
    ------
    ArgumentError
        An expression that is none, or examples that have no files.
    DataError
        A name in which it finds nothing; an empty cell of the column.
    """
    if group_by is None:
        return None
    if table is not None and group_by in table.columns:
        return _groups_in(table, group_by)
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        column = "" if table is None else f"one of the columns {', '.join(table.columns)} or "
        raise ArgumentError(
            f"--group-by: expected {column}a regular expression, got {group_by!r}: {error}"
        ) from None
    groups = {}
    for part in parts.values():
        for name in part.names:
            if re.fullmatch(r"x\w*\[\d+\]", name):
                raise ArgumentError("--group-by: expected a folder of pictures, whose names tell the group, got arrays")
            found = pattern.search(name)
            if found is None:
                no_column = "" if table is None else f", and no column of {', '.join(table.columns)} is called so"
                raise DataError(f"--group-by {group_by}: expected it to be found in the name of each picture, "
                                f"got {name} without it{no_column}")  # fmt: skip
            groups[name] = found[1] if found.re.groups else found[0]
    return groups


def _groups_in(table: Any, column: str) -> dict[str, str]:
    groups = {name: row.cells[column] for name, row in table.rows.items()}
    empty = next((name for name, group in groups.items() if not group), None)
    if empty is not None:
        raise DataError(f"{table.where(empty)}: expected a group in the column {column}, got an empty cell; fill it in")
    return groups


def write_split(folder: Path, parts: dict[str, Examples], groups: dict[str, str], classes: Sequence[str]) -> None:
    """Write ``split.csv`` into the folder of a run."""
    split_file.write(folder / SPLIT, (split_file.SplitRow(name, example, classes[label], groups.get(example, ""))
                                      for name, part in parts.items()
                                      for example, label in zip(part.names, part.y)))  # fmt: skip


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
    other = next((row for row in rows if data.classes[pool.y[place[row.example]]] != row.label), None)
    if other is not None:
        raise DataError(f"{path}: expected {other.example} of the class {other.label}, got it as "
                        f"{data.classes[pool.y[place[other.example]]]}; restore it, or train anew")  # fmt: skip
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


def _without(parts: dict[str, Examples], *names: str) -> dict[str, Examples]:
    return {name: part for name, part in parts.items() if name not in names}


def _require_no_shared_group(parts: dict[str, Examples], groups: dict[str, str] | None) -> None:
    """Raise DataError where the parts that the data came with share a group."""
    where: dict[str, str] = {}
    for part, examples in parts.items() if groups else ():
        for name in examples.names:
            other = where.setdefault(groups[name], part)  # type: ignore[index]
            if other != part:
                raise DataError(f"--group-by: expected each group in one part, got {groups[name]} in {other} "  # type: ignore[index]
                                f"and {part}; move its pictures to one")  # fmt: skip


def _in_arrays(name: str, number: int) -> NDArray[Any]:
    return _texts([f"{name}[{k}]" for k in range(number)])


def _texts(texts: Sequence[str]) -> NDArray[Any]:
    found = np.empty(len(texts), object)
    found[:] = texts
    return found
