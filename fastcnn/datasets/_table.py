"""A table (CSV) that names pictures: their files, labels, and optionally parts, weights and whatever else is known."""

import csv
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fastcnn.datasets._folders import DEV, TEST, TRAIN, LabelledFiles, Layout
from fastcnn.errors import DataError, unknown
from fastcnn.formats.files import printable

ENDING = ".csv"
_KNOWN = ("file", "label", "split", "weight")
_PARTS = {name: part for part, names in (("train", TRAIN), ("dev", DEV), ("test", TEST)) for name in names}


class Row(NamedTuple):
    """A line of a table.

    Attributes
    ----------
    line : int
        Its number in the file, from 1.
    weight : float
        Of the sample; 1 without such a column.
    cells : dict of str to str
        What its columns say.
    """

    line: int
    weight: float
    cells: dict[str, str]


class Table(NamedTuple):
    """What a table says of its pictures.

    Attributes
    ----------
    path : Path
    columns : tuple of str
    rows : dict of str to Row
        By the name of the file as the table has it.
    """

    path: Path
    columns: tuple[str, ...]
    rows: dict[str, Row]

    def where(self, name: str) -> str:
        """Return which line names a picture, for messages."""
        return f"{self.path}, line {self.rows[name].line}"


def read_table(path: Path) -> tuple[Layout, Table]:
    """Read a table; the pictures are not opened.

    Parameters
    ----------
    path : Path
        UTF-8, values separated by commas. The first line names the columns: ``file`` (its path beside the table) and
        ``label`` (the name of its class); optionally ``split`` (train, dev or test), ``weight`` and others.

    Raises
    ------
    DataError
        A file that cannot be read or lacks a column; in a line, other counts of values than of columns, empty cells, an
        unknown part, a weight that is none; a picture in two lines; fewer than two classes; a class that is in no line
        for training; parts of which one is missing.
    """
    lines = _lines(path)
    columns = _columns(path, next(lines, (1, []))[1])
    rows: dict[str, Row] = {}
    seen: dict[str, int] = {}
    for number, values in lines:
        who = f"{path}, line {number}"
        if len(values) != len(columns):
            raise DataError(f"{who}: expected {len(columns)} values ({', '.join(columns)}), got {len(values)}; a value "
                            "with a comma in it stands in double quotes")  # fmt: skip
        cells = dict(zip(columns, values))
        empty = next((name for name in _KNOWN if cells.get(name, "x") == ""), None)
        if empty is not None:
            raise DataError(f"{who}: expected a value in each cell of the column {empty}, got an empty one; fill it "
                            "in, or remove the line")  # fmt: skip
        if "\0" in cells["file"]:
            raise DataError(f"{who}: expected the path of a picture, got {cells['file']!r}; write it anew")
        first = seen.setdefault(os.path.normpath(path.parent / cells["file"]), number)
        if first != number:
            raise DataError(f"{who}: expected each picture once, got {cells['file']}, which line {first} names; "
                            "remove one of them")  # fmt: skip
        if cells.get("split", "train").lower() not in _PARTS:
            raise DataError(f"{who}: {unknown('split', cells['split'], ('train', 'dev', 'test'))}")
        rows[cells["file"]] = Row(number, _weight(who, cells.get("weight", "1")), cells)
    table = Table(path, columns, rows)
    return _layout(table), table


def require_files(table: Table) -> None:
    """Raise DataError where a picture is not there; asked before any is decoded, as that takes long."""
    for name in table.rows:
        file = table.path.parent / name
        if not file.is_file():
            raise DataError(f"{table.where(name)}: expected a picture {printable(file)}, got "
                            f"{'a folder' if file.is_dir() else 'nothing'} there; paths begin at the table's folder; "
                            "skip_damaged=True or --skip-damaged passes over such lines")  # fmt: skip


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the values of each line that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for values in reader:
                if any(values):
                    yield reader.line_num, [value.strip() for value in values]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: expected a table of UTF-8 with its values separated by commas, got: {error}; save it again"
        ) from error


def _columns(path: Path, names: list[str]) -> tuple[str, ...]:
    missing = [name for name in ("file", "label") if name not in names]
    if missing:
        raise DataError(f"{path}, line 1: expected columns named file and label, separated by commas, got "
                        f"{printable(', '.join(names)) or 'nothing'}; name them in the first line")  # fmt: skip
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{path}, line 1: expected columns of different names, got {twice!r} twice; rename one")
    return tuple(names)


def _weight(who: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise DataError(f"{who}: expected a weight as a finite number of at least 0, got {text!r}; correct it")
    return weight


def _layout(table: Table) -> Layout:
    """Return classes and files by their parts: numbers as classes in the order of numbers, other names by letters."""
    labels = {row.cells["label"] for row in table.rows.values()}
    are_numbers = all(label.isdecimal() for label in labels)
    classes = tuple(sorted(labels, key=lambda label: (int(label) if are_numbers else 0, label)))
    if len(classes) < 2:
        got = f"the label {classes[0]} alone" if classes else "no line"
        raise DataError(f"{table.path}: expected pictures of at least two classes, got {got}; add some")
    number = {name: k for k, name in enumerate(classes)}
    parts: dict[str, LabelledFiles] = {}
    for name, row in table.rows.items():
        part = parts.setdefault(_PARTS[row.cells.get("split", "train").lower()], LabelledFiles([], [], []))
        part.files.append(table.path.parent / name)
        part.labels.append(number[row.cells["label"]])
        part.names.append(name)
    if "split" not in table.columns:
        return Layout(classes, parts["train"], None, [])
    if "train" not in parts or len(parts) < 2:
        raise DataError(f"{table.path}: expected train and test, or train, dev and test, in the column split, got "
                        f"{', '.join(parts)} alone; without that column parts are made")  # fmt: skip
    learned = set(parts["train"].labels)
    for part in parts.values():
        for name, label in zip(part.names, part.labels):
            if label not in learned:
                raise DataError(f"{table.where(name)}: expected a label that a line of train has, got "
                                f"{classes[label]}; add pictures of it to train, or remove the line")  # fmt: skip
    test, dev, notes = parts.get("test"), parts.get("dev"), []
    if test is None:
        test, dev = dev, None
        notes.append("the part dev of the table is what is tested on")
    return Layout(classes, parts["train"], test, notes, dev)
