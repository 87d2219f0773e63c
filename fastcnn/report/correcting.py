"""Corrections of labels: a file beside the data, which themselves stay as they are."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import DataError, unknown
from fastcnn.formats.files import write_atomically

_COLUMNS = ("example", "label", "correct")


def read_corrections(path: Any) -> dict[str, tuple[str, str]]:
    """Return the corrections of a file: of each example the label that it had, and the right one.

    The file has the columns example, label and correct; rows whose last cell is empty are left as they are.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    DataError
        If it is not there, or no such file; an example that stands there twice.

    Examples
    --------
    >>> fc.report.write_corrections("corrections.csv", [("cats/7.png", "cat", "dog")])
    >>> fc.report.read_corrections("corrections.csv")
    {'cats/7.png': ('cat', 'dog')}
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected corrections of labels, got: {error}; make them on the page of a report"
                        ) from error
    if not lines or tuple(lines[0]) != _COLUMNS:
        raise DataError(f"{path}: expected the columns {','.join(_COLUMNS)}, got "
                        f"{','.join(lines[0]) if lines else 'nothing'}; restore the file")
    found: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(_COLUMNS):
            raise DataError(f"{path}, line {number}: expected {len(_COLUMNS)} values, got {len(line)}; restore it")
        if line[0] in found:
            raise DataError(f"{path}, line {number}: expected each example once, got {line[0]} twice; remove one")
        if line[2]:
            found[line[0]] = line[1], line[2]
    return found


def write_corrections(path: Any, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write corrections of labels: example, label, and the right label or "".

    Parameters
    ----------
    path : path-like
    rows : sequence of (str, str, str)

    Examples
    --------
    >>> fc.report.write_corrections("corrections.csv", [("cats/7.png", "cat", "dog")])
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(rows)
    write_atomically(Path(path), text.getvalue().encode())


def corrected(labels: Any, examples: Sequence[str], classes: Sequence[str],
              corrections: Mapping[str, tuple[str, str]]) -> NDArray[Any]:
    """Return labels (N,) with the corrections of those examples that have one.

    Parameters
    ----------
    labels : (N,) array of int
    examples : sequence of N str
    classes : sequence of str
    corrections : dict
        As `read_corrections` returns it.

    Raises
    ------
    DataError
        If a right label is no class, or an example has not the label that was corrected: the data were changed since.

    Examples
    --------
    >>> fc.report.corrected(np.array([0]), ["7.png"], ["cat", "dog"], {"7.png": ("cat", "dog")}).tolist()
    [1]
    """
    found, number = np.array(labels), {name: k for k, name in enumerate(classes)}
    for place, example in enumerate(examples):
        if example not in corrections:
            continue
        was, right = corrections[example]
        if classes[int(found[place])] != was:
            raise DataError(f"corrections: expected {example} to be labelled {was}, got "
                            f"{classes[int(found[place])]}; make the corrections anew")
        if right not in number:
            raise DataError(f"corrections: {example}: {unknown('class', right, classes)}")
        found[place] = number[right]
    return found
