"""The numbers that a table without pictures has in a row: features."""

from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import DataError

LARGEST = float(np.finfo(np.float32).max)


class Features:
    """Rows of numbers as they are read.

    Parameters
    ----------
    path : Path
        Of the table, for errors.
    names : tuple of str
        The columns.
    """

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self.path, self.names = path, names
        self._numbers, self._lines = array("d"), array("q")

    def add(self, line: int, cells: list[str]) -> None:
        """Take a row.

        Raises
        ------
        DataError
            A cell that is no finite number; the message names line and column.
        """
        self._lines.append(line)
        try:
            if "_" in "".join(cells):  # which Python takes for a space between digits
                raise ValueError
            self._numbers.extend(map(float, cells))
        except ValueError:
            column, cell = next((name, cell) for name, cell in zip(self.names, cells) if not _is_number(cell))
            raise self._refused(line, column, repr(cell) if cell else "an empty cell") from None

    def array(self) -> NDArray[np.float32]:
        """Return all rows, (N, F).

        Raises
        ------
        DataError
            As `add`; numbers whose differences float32 cannot tell.
        """
        rows = np.frombuffer(self._numbers, np.float64).reshape(-1, len(self.names)) if self._lines else np.zeros(
            (0, len(self.names)))  # fmt: skip
        bad = np.argwhere(~(np.abs(rows) <= LARGEST))
        if len(bad):
            row, column = bad[0]
            others = f" (and {len(bad) - 1} more in the table)" if len(bad) > 1 else ""
            raise self._refused(self._lines[row], self.names[column], f"{rows[row, column]}{others}")
        x = rows.astype(np.float32)
        for k, name in enumerate(self.names):
            if len(rows) and is_blurred(rows[:, k], x[:, k]):
                low, high = rows[:, k].min(), rows[:, k].max()
                raise DataError(f"{self.path}, column {name}: expected numbers whose differences float32 can tell, got "
                                f"{low:.10g} to {high:.10g}; subtract {low:.10g} from each")  # fmt: skip
        return x

    def _refused(self, line: int, column: str, got: str) -> DataError:
        return DataError(f"{self.path}, line {line}, column {column}: expected a finite number, as features are, got "
                         f"{got}; make it one, remove the line, or leave the column out (ignore=[...], --ignore); "
                         "pictures are named in a column called file")  # fmt: skip


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def is_blurred(column: NDArray[np.float64], narrow: NDArray[np.float32]) -> bool:
    """Return whether half of the different numbers, or more, become equal as float32, in which networks compute."""
    if np.ptp(column) > 1e-4 * np.abs(column).max():
        return False
    return 2 * len(np.unique(narrow)) <= len(np.unique(column))
