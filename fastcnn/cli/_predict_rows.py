"""The rows of a table as a model of features takes them, for predictions: raw values, by the names of the columns."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fastcnn.cli._saved import Saved
from fastcnn.cli._table_columns import columns_in
from fastcnn.datasets._delimited import read_lines
from fastcnn.datasets._features import Features
from fastcnn.errors import DataError


def rows_of(saved: Saved, path: str) -> tuple[list[int], NDArray[Any]]:
    """Return the numbers of the lines of a table, and its features (N, F).

    Parameters
    ----------
    saved : Saved
        Its file tells the columns. Without, all columns are features.
    path : str

    Raises
    ------
    DataError
        A file that is no table, or lacks a column, or has something else than numbers there.
    """
    if not Path(path).is_file():
        raise DataError(f"{path}: expected a table with a line for each row of features, got "
                        f"{'a folder' if Path(path).is_dir() else 'nothing'} there; name a .csv file")  # fmt: skip
    known, number = columns_in(saved.metadata), saved.model.input_shape[1]
    names, lines = read_lines(Path(path))
    wanted = names if known is None else known.features
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(f"{path}, line 1: expected the columns {', '.join(wanted)}, on which {saved.path} was trained, "
                        f"got none called {', '.join(missing)}; add them")  # fmt: skip
    if len(wanted) != number:
        raise DataError(f"{path}, line 1: expected {number} columns of features, as {saved.path} takes them, got "
                        f"{len(wanted)}; leave out the others")  # fmt: skip
    features, numbers = Features(Path(path), wanted), []
    index = [names.index(name) for name in wanted]
    for line, values in lines:
        features.add(line, [values[k] for k in index])
        numbers.append(line)
    if not numbers:
        raise DataError(f"{path}: expected lines behind the names of the columns, got none; add some")
    return numbers, features.array()
