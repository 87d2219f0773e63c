"""What the label columns of a table ask of a network: one of several classes, yes or no of several labels, numbers."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import DataError

#: What a data set asks of a network.
Task = Literal["classification", "multilabel", "regression"]
UNKNOWN = -1  # what `losses.MaskedBinaryCrossentropy` takes for a label that nobody knows

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_ADVICE = "correct it, or remove the line"

Where = Callable[[int, str], str]


class Targets(NamedTuple):
    """What is learned of a table.

    Attributes
    ----------
    task : Task
    names : tuple of str
        Of the classes, of the labels, or of the columns of numbers.
    y : array
        As in `Dataset`: int64 (N,), float32 (N, K), or float64 (N,) or (N, K).
    """

    task: Task
    names: tuple[str, ...]
    y: NDArray[Any]


def targets_of(columns: dict[str, list[str]], where: Where, regression: bool | None = None) -> Targets:
    """Return the targets that label columns hold.

    One column of numbers of which some are written with a point or an exponent is a regression, any other one has the
    names of classes. Several columns of 1 and 0 are labels of yes and no, of which an empty cell is unknown; several of
    numbers, each with a point somewhere, are a regression.

    Parameters
    ----------
    columns : dict of str to list of str
        The cells of each.
    where : function
        From the number of a row, counted from 0, and a column to the words for that cell.
    regression : bool, optional
        Whether cells are numbers to learn; None: as told above.

    Raises
    ------
    DataError
        An empty cell where one column is the label; text among numbers; numbers that are not finite.
    """
    if regression is None:
        regression = _is_regression(columns, where)
    if regression:
        numbers = np.stack([_numbers(name, cells, where) for name, cells in columns.items()], axis=1)
        return Targets("regression", tuple(columns), numbers[:, 0] if len(columns) == 1 else numbers)
    if len(columns) > 1:
        known = [_yes_or_no(name, cells, where) for name, cells in columns.items()]
        return Targets("multilabel", tuple(columns), np.stack(known, axis=1))
    ((name, cells),) = columns.items()
    if "" in cells:
        raise DataError(f"{where(cells.index(''), name)}: expected a value in each cell of the label, got an empty "
                        "one; fill it in, or remove the line")  # fmt: skip
    are_numbers = all(cell.isdecimal() for cell in cells)
    classes = tuple(sorted(set(cells), key=lambda cell: (int(cell) if are_numbers else 0, cell)))
    number = {cell: k for k, cell in enumerate(classes)}
    return Targets("classification", classes, np.array([number[cell] for cell in cells], np.int64))


def _is_regression(columns: dict[str, list[str]], where: Where) -> bool:
    """Return what the cells look like: numbers, all written in digits, of which some have a point or an exponent."""
    if len(columns) == 1:
        (cells,) = columns.values()
        return _have_a_point(cells) and sum(map(_is_number, cells)) > len(cells) / 2
    fractions, other = list[str](), None  # columns with fractions; the first cell of another one that is not 1 or 0
    for name, cells in columns.items():
        if any(_is_number(cell) and float(cell) % 1 for cell in cells):
            fractions.append(name)
        elif other is None:
            other = next(((row, name, cell) for row, cell in enumerate(cells)
                          if cell and not (_is_number(cell) and float(cell) in (0, 1))), None)  # fmt: skip
    if other is not None:
        row, name, cell = other
        raise DataError(f"{where(row, name)}: expected 1, 0 or nothing in columns of several labels, got {cell!r}; "
                        "for numbers to learn say so (regression=True or --loss mse)")  # fmt: skip
    if fractions and len(fractions) < len(columns):
        name = next(name for name in columns if name not in fractions)
        raise DataError(f"{where(0, name)}: expected numbers with fractions, as in {fractions[0]}, got 0 and 1 alone; "
                        "give labels of yes and no, or numbers (regression=True or --loss mse)")  # fmt: skip
    return bool(fractions)


def _have_a_point(cells: Sequence[str]) -> bool:
    return any(_is_number(cell) and not cell.lstrip("+-").isdecimal() for cell in cells)


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _numbers(name: str, cells: Sequence[str], where: Where) -> NDArray[np.float64]:
    bad = [row for row, cell in enumerate(cells) if not _is_number(cell) or not math.isfinite(float(cell))]
    if bad:
        got = repr(cells[bad[0]]) if cells[bad[0]] else "an empty cell"
        others = f" (and {len(bad) - 1} more in the column)" if len(bad) > 1 else ""
        raise DataError(f"{where(bad[0], name)}: expected a finite number to learn, got {got}{others}; {_ADVICE}")
    return np.array(cells, np.float64)


def _yes_or_no(name: str, cells: Sequence[str], where: Where) -> NDArray[np.float32]:
    found = np.full(len(cells), UNKNOWN, np.float32)
    for row, cell in enumerate(cells):
        if cell:
            if not _is_number(cell) or float(cell) not in (0, 1):
                raise DataError(f"{where(row, name)}: expected 1, 0 or nothing (unknown), got {cell!r}; {_ADVICE}")
            found[row] = float(cell)
    return found
