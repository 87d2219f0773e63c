"""What a table (CSV) says of its examples besides what they are: where they stand in it, weights, groups."""

from pathlib import Path
from typing import NamedTuple

from fastcnn.errors import DataError
from fastcnn.formats.files import printable


class Row(NamedTuple):
    """A line of a table.

    Attributes
    ----------
    line : int
        Its number in the file, from 1.
    weight : float
        Of the sample; 1 without such a column.
    cells : dict of str to str
        What its columns say, but for features.
    """

    line: int
    weight: float
    cells: dict[str, str]


class Table(NamedTuple):
    """What a table says of its examples.

    Attributes
    ----------
    path : Path
    columns : tuple of str
        All but features.
    rows : dict of str to Row
        By the name of the file as the table has it; of features by ``line 7``.
    weight : str or None
        The column of weights.
    """

    path: Path
    columns: tuple[str, ...]
    rows: dict[str, Row]
    weight: str | None = None

    def where(self, name: str) -> str:
        """Return which line names a picture, for messages."""
        return f"{self.path}, line {self.rows[name].line}"


def require_files(table: Table) -> None:
    """Raise DataError where a picture is not there; asked before any is decoded, as that takes long."""
    for name in table.rows:
        file = table.path.parent / name
        if not file.is_file():
            raise DataError(f"{table.where(name)}: expected a picture {printable(file)}, got "
                            f"{'a folder' if file.is_dir() else 'nothing'} there; paths begin at the table's folder; "
                            "skip_damaged=True or --skip-damaged passes over such lines")  # fmt: skip
