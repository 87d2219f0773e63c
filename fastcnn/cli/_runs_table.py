"""The list of ``fastcnn runs``: a column for each option that differs, or lines where the columns are too many."""

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastcnn.cli._runs import FoundRun

_FIGURES = ("dev", "epochs", "seconds")
_WIDEST = 10_000
_LAST = "seed"  # differs wherever nobody gave one


def show(console: Any, runs: Sequence[FoundRun]) -> None:
    """Print runs, what they reached and the options that differ.

    A run is one line where the columns fit, and for programs however wide that is; else it has lines of its own, with
    what most runs were not given.
    """
    from rich.measure import Measurement

    names = [name for name in (runs[0].options if runs else ()) if len({_value(one, name) for one in runs}) > 1]
    names.sort(key=lambda name: name == _LAST)
    table = _columns(runs, names)
    width = Measurement.get(console, console.options.update(width=_WIDEST), table).maximum
    if not console.is_terminal:
        console.width = max(width, console.width)
    if width <= console.width:
        console.print(table, soft_wrap=False)
    else:
        _print_lines(console, runs, names)


def _columns(runs: Sequence[FoundRun], names: Sequence[str]) -> Any:
    table = _empty_table()
    table.add_column("run", no_wrap=True)
    for name in _FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    for name in names:
        table.add_column(f"--{name}", no_wrap=True)
    for one in runs:
        table.add_row(str(one.folder), *_figures(one), *(_value(one, name) for name in names))
    return table


def _print_lines(console: Any, runs: Sequence[FoundRun], names: Sequence[str]) -> None:
    usual = {}
    for name in names:
        value, count = Counter(_value(one, name) for one in runs).most_common(1)[0]
        if 2 * count > len(runs):
            usual[name] = value
    table = _empty_table()
    for name in _FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("run, and its options", overflow="fold")
    for one in runs:
        own = [_given(name, _value(one, name)) for name in names if _value(one, name) != usual.get(name)]
        table.add_row(*_figures(one), "\n".join(filter(None, (str(one.folder), " ".join(own)))))
    console.print(table, soft_wrap=False)
    told = " ".join(_given(name, value) for name, value in usual.items() if value)
    if told:
        console.print(f"where nothing else is said: {told}", soft_wrap=False)


def _empty_table() -> Any:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False)


def _figures(run: FoundRun) -> tuple[str, str, str]:
    return ("" if run.figure is None else f"{run.figure:.4f}", str(run.epochs) + ("" if run.is_complete else " ..."),
            f"{run.seconds:.0f}")


def _value(run: FoundRun, name: str) -> str:
    value = run.options.get(name)
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _given(name: str, value: str) -> str:
    """Return an option as one gives it."""
    return f"--{name}={shlex.quote(value)}" if value else f"no --{name}"
