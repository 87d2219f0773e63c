"""What annotation files tell, before it is known whether it can be true."""

import math
from typing import NamedTuple

#: What an object is: it counts, is a crowd, or difficult. `metrics.MeanAveragePrecision` takes them so.
COUNTS, CROWD, DIFFICULT = range(3)

Values = tuple[float, float, float, float]
NO_VALUES: Values = math.nan, math.nan, math.nan, math.nan


class ParsedBox(NamedTuple):
    """A box as a file tells it.

    Attributes
    ----------
    line : int or None
    label : str or int
        The name of a class, or its number.
    values : four floats
        In the file's own form.
    kind : int
        `COUNTS`, `CROWD` or `DIFFICULT`.
    area : float
        Of the object, NaN where it is not told.
    problem : str or None
        Why it is no box.
    """

    line: int | None
    label: str | int
    values: Values
    kind: int = COUNTS
    area: float = math.nan
    problem: str | None = None


class Annotation(NamedTuple):
    """What is told of one picture.

    Attributes
    ----------
    source : str
        The annotation file, within the data set's folder.
    line : int or None
    picture : str
        As the file names it.
    size : (int, int) or None
        Height and width, where they are told.
    boxes : list of ParsedBox
    problem : str or None
        Why nothing of it can be used.
    """

    source: str
    line: int | None
    picture: str
    size: tuple[int, int] | None
    boxes: list[ParsedBox]
    problem: str | None = None


def number_of(text: object) -> float:
    """Return a finite number that a text tells, NaN if it tells none."""
    try:
        value = float(str(text).strip()) if not isinstance(text, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan
    return value if math.isfinite(value) and "_" not in str(text) else math.nan


def shown(value: object) -> str:
    """Return what a file has in the place of a number, short enough for a message."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
