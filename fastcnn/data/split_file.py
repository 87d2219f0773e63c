"""``split.csv``: which example is in which part, written down, so that a test part stays one."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fastcnn.data.splitting import PARTS
from fastcnn.errors import DataError, unknown
from fastcnn.formats.files import write_atomically

_COLUMNS = ("part", "example", "label", "group")


class SplitRow(NamedTuple):
    """One example of a split.

    Attributes
    ----------
    part : str
        One of `fastcnn.data.PARTS`, or ``fold 1`` and so on.
    example : str
        The path of its picture within the folder; its place in an array, ``x_train[17]``, where there are no files.
    label : str
        The name of its class.
    group : str
        What keeps it together with others; empty without groups.
    """

    part: str
    example: str
    label: str
    group: str = ""


def write(path: Path, rows: Iterable[SplitRow]) -> None:
    """Write a split as UTF-8 with one line an example."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def read(path: Path) -> list[SplitRow]:
    """Read a split.

    Raises
    ------
    DataError
        A file that cannot be read or is none; a part that nobody knows; an example in two lines.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected a split as fastcnn writes it, got: {error}; restore it") from error
    if not lines or tuple(lines[0]) not in (_COLUMNS, _COLUMNS[:3]):
        got = ",".join(lines[0]) if lines else "nothing"
        raise DataError(f"{path}: expected the columns {','.join(_COLUMNS)}, got {got}; restore the file")
    rows, seen = [], set[str]()
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(lines[0]):
            raise DataError(f"{path}, line {number}: expected {len(lines[0])} values, got {len(line)}; restore it")
        row = SplitRow(*line)
        if row.part not in PARTS and not row.part.startswith("fold "):
            raise DataError(f"{path}, line {number}: {unknown('part', row.part, PARTS)}")
        if row.example in seen:
            raise DataError(f"{path}, line {number}: expected each example once, got {row.example} twice; remove one")
        seen.add(row.example)
        rows.append(row)
    return rows
