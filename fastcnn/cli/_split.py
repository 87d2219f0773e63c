"""Parts made of a data set: which examples train, which are decided on and which are for the last figure."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastcnn.cli._examples import Examples, texts, whole
from fastcnn.data import PARTS, folds, share_for, split
from fastcnn.datasets import Dataset
from fastcnn.errors import ArgumentError, DataError


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
        of_pool = None if groups is None else texts([groups[name] for name in pool.names]).astype(str)
        index = split(pool.y, shares, groups=of_pool, seed=asked.seed, names=data.classes)
        parts |= {name: pool.some(own) for name, own in index.items()}
    _require_no_shared_group(parts, groups)
    return {name: parts[name] for name in PARTS if name in parts}, groups or {}


def made_folds(data: Dataset, count: int, asked: Asked) -> Iterator[tuple[dict[str, Examples], dict[str, str]]]:
    """Yield parts for each of some folds, and the groups: the fold is dev, the others train; test stays as it is."""
    parts, groups = made(data, asked._replace(dev=0.0))
    pool = parts["train"]
    of_pool = None if not groups else texts([groups[name] for name in pool.names]).astype(str)
    every = folds(pool.y, count, groups=of_pool, seed=asked.seed, names=data.classes)
    for dev in every:
        train = np.setdiff1d(np.arange(len(pool.y)), dev)
        yield {"train": pool.some(train), "dev": pool.some(dev), **_without(parts, "train", "dev")}, groups


def groups_of(parts: dict[str, Examples], group_by: str | None, table: Any = None,
              who: str = "--group-by") -> dict[str, str] | None:
    """Return the group of each example by its name; None without what tells it.

    Parameters
    ----------
    parts : dict of str to Examples
    group_by : str or None
        As in `Asked`.
    table : Table or None
        A column of it goes before a regular expression of that text.
    who : str
        The option, for errors.

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
            f"{who}: expected {column}a regular expression, got {group_by!r}: {error}"
        ) from None
    groups = {}
    for part in parts.values():
        for name in part.names:
            if name is None or re.fullmatch(r"x\w*\[\d+\]", name):
                raise ArgumentError(f"{who}: expected a folder of pictures, whose names tell the group, got arrays")
            found = pattern.search(name)
            if found is None:
                no_column = "" if table is None else f", and no column of {', '.join(table.columns)} is called so"
                raise DataError(f"{who} {group_by}: expected it to be found in the name of each picture, "
                                f"got {name} without it{no_column}")  # fmt: skip
            groups[name] = found[1] if found.re.groups else found[0]
    return groups


def _groups_in(table: Any, column: str) -> dict[str, str]:
    groups = {name: row.cells[column] for name, row in table.rows.items()}
    empty = next((name for name, group in groups.items() if not group), None)
    if empty is not None:
        raise DataError(f"{table.where(empty)}: expected a group in the column {column}, got an empty cell; fill it in")
    return groups


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
