"""A table (CSV) that names pictures or has features, read: labels, and optionally parts and weights."""

import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.datasets._columns import FILE, NOTHING_ASKED, SPLIT, Roles, TableColumns, roles_of
from fastcnn.datasets._delimited import read_lines
from fastcnn.datasets._features import Features
from fastcnn.datasets._table import Row, Table
from fastcnn.datasets._table_parts import PARTS, parts_of, require_something_to_learn
from fastcnn.datasets._targets import Targets, targets_of
from fastcnn.errors import DataError, unknown


class TableContents(NamedTuple):
    """All that was read of a table, in the order of its lines.

    Attributes
    ----------
    table : Table
    targets : Targets
    parts : dict of str to int64 arrays, or None
        The examples of ``"train"``, ``"test"`` and ``"dev"``; None without a column that says so.
    notes : list of str
    features : tuple of str
        None of pictures.
    x : (N, F) float32 array, or None of pictures
    """

    table: Table
    targets: Targets
    parts: dict[str, NDArray[np.int64]] | None
    notes: list[str]
    features: tuple[str, ...]
    x: NDArray[np.float32] | None


def read_table(path: Path, asked: TableColumns = NOTHING_ASKED) -> TableContents:
    """Read a table; pictures are not opened.

    Parameters
    ----------
    path : Path
        UTF-8, values separated by commas, semicolons or tabs. The first line names the columns: ``file`` (the path of
        a picture beside the table) and ``label``; optionally ``split`` (train, dev or test), ``weight`` and others.
        Without ``file`` all other columns are features.
    asked : TableColumns

    Raises
    ------
    ArgumentError
        A column that was asked for and is not there.
    DataError
        A file that cannot be read or lacks a column; in a line, other counts of values than of columns, empty cells, an
        unknown part, a weight that is none, text for a number; a picture in two lines; targets that nothing can be
        learned of; a class that is in no line for training; parts of which one is missing.
    """
    columns, lines = read_lines(path)
    roles = roles_of(path, columns, asked)
    features = Features(path, roles.features)
    kept = [(k, name) for k, name in enumerate(columns) if name not in roles.features]
    numbers = [columns.index(name) for name in roles.features]
    rows: dict[str, Row] = {}
    seen: dict[str, str] = {}
    for line, values in lines:
        cells = {name: values[k] for k, name in kept}
        row = Row(line, _weight(path, line, roles, cells), cells)
        _check_cells(path, line, roles, cells)
        if roles.is_of_pictures:
            name = cells[FILE]
            first = seen.setdefault(os.path.normpath(path.parent / name), name)
            if first in rows:
                raise _named_twice(path, roles, row, rows[first])
        else:
            name = f"line {line}"
            features.add(line, [values[k] for k in numbers])
        rows[name] = row
    table = Table(path, tuple(name for _, name in kept), rows, roles.weight)
    targets = _targets(table, roles, asked)
    parts, notes = parts_of(table, targets)
    require_something_to_learn(table, targets, None if parts is None else parts["train"])
    x = None if roles.is_of_pictures else features.array()
    return TableContents(table, targets, parts, notes, roles.features, x)


def _check_cells(path: Path, line: int, roles: Roles, cells: dict[str, str]) -> None:
    needed = [name for name in (FILE, SPLIT, roles.weight) if name in cells]
    empty = next((name for name in (*needed, *(roles.labels if len(roles.labels) == 1 else ())) if not cells[name]),
                 None)  # fmt: skip
    if empty is not None:
        raise DataError(f"{path}, line {line}: expected a value in each cell of the column {empty}, got an empty one; "
                        "fill it in, or remove the line")  # fmt: skip
    if "\0" in cells.get(FILE, ""):
        raise DataError(f"{path}, line {line}: expected the path of a picture, got {cells[FILE]!r}; write it anew")
    if cells.get(SPLIT, "train").lower() not in PARTS:
        raise DataError(f"{path}, line {line}: {unknown('split', cells[SPLIT], ('train', 'dev', 'test'))}")


def _named_twice(path: Path, roles: Roles, row: Row, first: Row) -> DataError:
    own, other = ([one.cells[name] for name in roles.labels] for one in (row, first))
    differs = "" if own == other else f" with another label ({', '.join(other)}, here {', '.join(own)})"
    return DataError(f"{path}, line {row.line}: expected each picture once, got {row.cells[FILE]}, which line "
                     f"{first.line} names{differs}; remove one of them")  # fmt: skip


def _weight(path: Path, line: int, roles: Roles, cells: dict[str, str]) -> float:
    if roles.weight is None or not cells[roles.weight]:
        return 1.0
    text = cells[roles.weight]
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise DataError(f"{path}, line {line}: expected a weight as a finite number of at least 0, got {text!r}; "
                        "correct it")  # fmt: skip
    return weight


def _targets(table: Table, roles: Roles, asked: TableColumns) -> Targets:
    every = list(table.rows.values())
    if not every:
        what = "pictures of at least two classes" if roles.is_of_pictures else "lines of numbers"
        raise DataError(f"{table.path}: expected {what}, got no line; add some")
    cells = {name: [row.cells[name] for row in every] for name in roles.labels}
    return targets_of(cells, lambda k, name: f"{table.path}, line {every[k].line}, column {name}", asked.regression)
