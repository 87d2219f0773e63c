"""Which column of a table is what: the file of a picture, labels, parts, weights, features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.formats.files import printable

FILE, SPLIT = "file", "split"
_LABEL = "label"
_LABELS = tuple(f"{_LABEL}{mark}" for mark in "_:.- ")  # how the names of several labels begin


class TableColumns(NamedTuple):
    """What is asked of a table.

    Attributes
    ----------
    labels : tuple of str
        TableColumns to learn. None: ``label``, or those whose names begin with ``label_``.
    ignore : tuple of str
        TableColumns that are no features.
    regression : bool or None
        Whether labels are numbers to learn; None: their cells decide.
    group : str or None
        A column that is no feature, if there is one of that name.
    features : tuple of str
        The columns that are features, in this order; none: all that are nothing else.
    """

    labels: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    regression: bool | None = None
    group: str | None = None
    features: tuple[str, ...] = ()


NOTHING_ASKED = TableColumns()


class Roles(NamedTuple):
    """What the columns of a table are.

    Attributes
    ----------
    labels, features : tuple of str
        No features where it names pictures.
    weight : str or None
    is_of_pictures : bool
    """

    labels: tuple[str, ...]
    features: tuple[str, ...]
    weight: str | None
    is_of_pictures: bool


def check_columns(labels: Any, ignore: Any, regression: Any, who: str) -> TableColumns:
    """Return arguments as they are asked of a table.

    Raises
    ------
    ArgumentError
        Names that are none.
    """
    names = []
    for argument, value in (("labels", labels), ("ignore", ignore)):
        some = (value,) if isinstance(value, str) else () if value is None else value
        if not isinstance(some, Sequence) or not all(isinstance(name, str) and name for name in some):
            raise ArgumentError(f"{who}: expected {argument} as the names of columns, got {value!r}")
        names.append(tuple(some))
    if regression not in (None, True, False):
        raise ArgumentError(f"{who}: expected regression=True, False or None, got {regression!r}")
    return TableColumns(names[0], names[1], regression)


def roles_of(path: Path, columns: tuple[str, ...], asked: TableColumns) -> Roles:
    """Return what the columns of a table are.

    Raises
    ------
    ArgumentError
        A column that was asked for and is not there.
    DataError
        No column to learn, or nothing to learn from.
    """
    for name in (*asked.labels, *asked.ignore, *(() if FILE in columns else asked.features)):
        if name not in columns:
            raise ArgumentError(unknown(f"{path}: column", name, columns))
    both = next((name for name in asked.labels if name in (*asked.ignore, FILE, SPLIT)
                 or asked.labels.count(name) > 1), None)  # fmt: skip
    if both is not None:
        raise ArgumentError(f"{path}: expected each column in one role, got {both} to learn and to something else; "
                            "leave one out")  # fmt: skip
    of_pictures = FILE in columns
    several = tuple(name for name in columns if name.lower().startswith(_LABELS) and name not in asked.ignore)
    labels = asked.labels or ((_LABEL,) if _LABEL in columns else several)
    if not labels:
        raise DataError(f"{path}, line 1: expected columns named {FILE if of_pictures else 'file (or features)'} and "
                        f"label, or label_... for several labels, got {printable(', '.join(columns)) or 'nothing'}; "
                        "name them in the first line, or give their names (labels=[...], --label)")  # fmt: skip
    weights = ("sample_weight", "weight") if of_pictures else ("sample_weight",)
    weight = next((name for name in weights if name in columns and name not in labels), None)
    if of_pictures:
        return Roles(labels, (), weight, True)
    if asked.features:
        return Roles(labels, asked.features, weight, False)
    no_feature = {*labels, *asked.ignore, SPLIT, weight, asked.group}
    features = tuple(name for name in columns if name not in no_feature)
    leak = next((name for name in features if name == _LABEL or name in several), None)
    if leak is not None and not asked.labels:
        raise DataError(f"{path}, line 1: expected the column {labels[0]} alone to be learned, got {leak} beside it; "
                        "say which are (labels=[...], --label), and which are no features (ignore=[...], "
                        "--ignore)")  # fmt: skip
    if not features:
        raise DataError(f"{path}, line 1: expected a column file, or columns of numbers to learn from, got "
                        f"{printable(', '.join(columns))}; add some")  # fmt: skip
    return Roles(labels, features, weight, False)


def require_no_columns(asked: TableColumns, what: object) -> None:
    """Raise ArgumentError if something was asked for of a table, where there is none."""
    given = next((name for name in ("labels", "ignore", "regression") if getattr(asked, name) not in ((), None)), None)
    if given is not None:
        raise ArgumentError(f"datasets.load: expected {given} with a table alone, a .csv file, got {what}; leave it "
                            "out")  # fmt: skip
