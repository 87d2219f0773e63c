"""How good a model is on each group of examples: the mean over groups, each counting alike, and the worst."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastcnn.cli._examples import Examples
from fastcnn.cli._split import groups_of
from fastcnn.cli._task import Score, told
from fastcnn.errors import DataError

_SHOWN = 20  # groups, the worst first


class GroupFigures(NamedTuple):
    """The figure that decides, of each group.

    Attributes
    ----------
    by : str
        What tells the group.
    figure : str
        Its name.
    groups : dict of str to (float, int)
        Value and examples, the worst first; groups that have no value come last.
    """

    by: str
    figure: str
    groups: dict[str, tuple[float, int]]

    @property
    def mean(self) -> float:
        """Over the groups."""
        return float(np.nanmean([value for value, _ in self.groups.values()]))

    @property
    def worst(self) -> tuple[str, float]:
        """Name and value."""
        name, (value, _) = next(iter(self.groups.items()))
        return name, value

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"by": self.by, "figure": self.figure, "mean": self.mean, "worst": self.worst[1],
                "worst_group": self.worst[0], "groups": {name: value if value == value else None
                                                         for name, (value, _) in self.groups.items()}}

    def show(self, console: Any) -> None:
        """Print a line for each group, with an interval where the figure is a share of examples."""
        from rich import box
        from rich.table import Table

        from fastcnn.report import wilson

        is_share = self.figure == "accuracy"
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(self.by, overflow="fold")
        for name in (self.figure, *(("95 %",) if is_share else ()), "examples"):
            table.add_column(name, justify="right")
        for name, (value, count) in list(self.groups.items())[:_SHOWN]:
            low, high = wilson(round(value * count), count) if is_share else (0, 0)
            interval = (f"{low:.4f} to {high:.4f}",) if is_share else ()
            table.add_row(name, told(self.figure, value) if value == value else "-", *interval, f"{count:,}")
        console.print(table, soft_wrap=False)
        if len(self.groups) > _SHOWN:
            console.print(f"{len(self.groups) - _SHOWN} more groups, which are better")
        console.print(f"{self.figure} by {self.by}: mean over {len(self.groups)} groups "
                      f"{told(self.figure, self.mean)}, worst {told(self.figure, self.worst[1])} ({self.worst[0]})")


def by_group(by: str, part: Examples, table: Any, measure: Callable[[Any], Score]) -> GroupFigures:
    """Return the figure that decides for each group of a part.

    Parameters
    ----------
    by : str
        A column of the table, or a regular expression for the names of pictures.
    part : Examples
    table : Table or None
    measure : function
        From the indices of some examples to how good the model is on them.

    Raises
    ------
    ArgumentError, DataError
        As `groups_of`; fewer than two groups.
    """
    found = groups_of({"part": part}, by, table, "--by")
    assert found is not None
    own = np.array([found[str(name)] for name in part.names])
    names = np.unique(own)
    if len(names) < 2:
        raise DataError(f"--by {by}: expected two groups or more, got {', '.join(map(str, names)) or 'none'} alone")
    values, figure = {}, ""
    for name in names:
        index = np.flatnonzero(own == name)
        figure, value = list(measure(index).figures.items())[-1]
        values[str(name)] = (float(value), len(index))
    upwards = figure not in ("MAE", "RMSE")
    order = sorted(values.items(), key=lambda one: (one[1][0] != one[1][0], one[1][0] if upwards else -one[1][0]))
    return GroupFigures(by, figure, dict(order))
