"""What a model must satisfy, whatever else it is good at: ``latency_ms<=2``."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fastcnn.errors import ArgumentError, unknown

#: What comes of a threshold, on dev: a training tells them where it has one.
RATES = ("false_positive_rate", "recall", "precision", "f1")
_FORM = re.compile(r"\s*([A-Za-z_][\w@.: -]*?)\s*(<=|>=|<|>)\s*([-+.\deE]+)\s*")


class Limit(NamedTuple):
    """A figure and how far it may go: a *satisficing* metric.

    Attributes
    ----------
    figure : str
    relation : {"<=", ">=", "<", ">"}
    limit : float
    """

    figure: str
    relation: str
    limit: float

    def excess(self, figures: Mapping[str, float]) -> float:
        """Return by how much figures are beyond the limit; not above 0 is good.

        Raises
        ------
        ArgumentError
            If there is no such figure.
        """
        name = self.figure if self.figure in figures else f"dev_{self.figure}"  # which trainings call a rate on dev
        if name not in figures:
            raise ArgumentError(unknown("--subject-to", self.figure, figures))
        beyond = figures[name] - self.limit
        beyond = beyond if self.relation[0] == "<" else -beyond
        return max(beyond, 1e-12) if len(self.relation) == 1 and beyond >= 0 else beyond

    def __str__(self) -> str:
        return f"{self.figure}{self.relation}{self.limit:g}"


def limit_of(text: str) -> Limit:
    """Return what a text says.

    Parameters
    ----------
    text : str
        A figure, a relation and a number.

    Raises
    ------
    ArgumentError
        If it has another form.

    Examples
    --------
    >>> fc.tuning.limit_of("latency_ms<=2")
    Limit(figure='latency_ms', relation='<=', limit=2.0)
    """
    found = _FORM.fullmatch(text)
    try:
        return Limit(found[1], found[2], float(found[3]))  # type: ignore[index]  # None is an error, too
    except (TypeError, ValueError):
        raise ArgumentError(f"--subject-to {text!r}: expected a figure, <= or >=, and a number, such as 'latency_ms<=2'"
                            ) from None


def satisfied(constraints: Sequence[Limit], figures: Mapping[str, float]) -> bool:
    """Return whether figures are within all limits."""
    return all(one.excess(figures) <= 0 for one in constraints)
