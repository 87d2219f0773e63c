"""The lines of a table on disk: UTF-8, values separated as its first line has them."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from fastcnn.errors import DataError
from fastcnn.formats.files import printable

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}  # the first is meant where a line has none


def read_lines(path: Path) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """Return the names of the columns, and an iterator over the number and the values of each line that is not empty.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        A file that cannot be read, here or on the way; columns of one name; a line of another number of values.
    """
    lines = _lines(path)
    number, _, names = next(lines, (1, ",", []))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{path}, line {number}: expected columns of different names, got {twice!r} twice; rename one")
    return tuple(names), _complete(path, tuple(names), lines)


def column_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns as they stand in the first line; none of a file that cannot be read."""
    try:
        return tuple(next(_lines(path))[2])
    except (DataError, StopIteration):
        return ()


def _lines(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = re.sub(r'"[^"]*"', "", next((line for line in file if line.strip()), ""))
            separator = max(_SEPARATORS, key=first.count)
            file.seek(0)
            reader = csv.reader(file, strict=True, delimiter=separator)
            for values in reader:
                if any(values):
                    yield reader.line_num, separator, [value.strip() for value in values]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: expected a table of UTF-8 with its values separated by commas, got: {error}; save it again"
        ) from error


def _complete(path: Path, columns: tuple[str, ...], lines: Iterator[tuple[int, str, list[str]]]
              ) -> Iterator[tuple[int, list[str]]]:
    for number, separator, values in lines:
        if len(values) != len(columns):
            raise DataError(f"{path}, line {number}: expected {len(columns)} values ({printable(', '.join(columns))}), "
                            f"separated by {_SEPARATORS[separator]} as in the first line, got {len(values)}; put a "
                            f"value with {separator!r} in it in double quotes")  # fmt: skip
        yield number, values
