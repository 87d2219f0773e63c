"""Runs in folders: what they were made of, and what they reached."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from fastcnn.cli._config import as_given, read_config
from fastcnn.cli._resume import is_complete
from fastcnn.cli._run import HISTORY
from fastcnn.cli._satisficing import known_rates
from fastcnn.errors import ArgumentError, ModelFileError, unknown
from fastcnn.formats.files import expanded
from fastcnn.tuning.limits import RATES
from fastcnn.tuning.measuring import COSTS, costs

_CONDITION = re.compile(r"\s*([\w-]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*")
_DEPTH = 3  # folders of searches and folds hold runs
_SELF_TELLING = ("model_digest",)


class FoundRun(NamedTuple):
    """A run.

    Attributes
    ----------
    folder : Path
    options : dict
        What it was made of, by the names of options; None where nothing was said.
    name : str or None
        What is measured on dev.
    figure : float or None
        Its value after the last epoch.
    epochs : int
        That are over.
    seconds : float
    is_complete : bool
        Whether there is a model.
    """

    folder: Path
    options: dict[str, Any]
    name: str | None
    figure: float | None
    epochs: int
    seconds: float
    is_complete: bool

    def entry(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {"run": str(self.folder), "dev": self.figure, "metric": self.name, "epochs_done": self.epochs,
                "seconds": round(self.seconds, 3), "is_complete": self.is_complete,
                "options": {name: value for name, value in self.options.items() if value is not None}}  # fmt: skip


def find(folders: Sequence[str]) -> list[FoundRun]:
    """Return the runs in some folders, or that are these folders.

    Raises
    ------
    ArgumentError
        A folder that is not there, or without a run.
    """
    found: dict[Path, FoundRun] = {}
    for given in folders:
        folder = expanded(given)
        if not folder.is_dir():
            raise ArgumentError(f"{folder}: expected a folder of runs, got nothing there; `fastcnn train` makes runs/")
        here = list(_within(folder, _DEPTH))
        if not here:
            raise ArgumentError(f"{folder}: expected runs in it, got none; name their folder")
        found |= {one.folder: one for one in here}
    return list(found.values())


def _within(folder: Path, depth: int) -> Iterator[FoundRun]:
    try:
        config = read_config(folder)
    except ModelFileError:  # of another version, or damaged: the others are worth a list
        return
    if config is not None:
        options = {name.replace("_", "-"): value for name, value in as_given(config).items()
                   if name not in _SELF_TELLING}  # fmt: skip
        yield FoundRun(folder, options, *_reached(folder), is_complete(folder))
    elif depth:
        for one in sorted(folder.iterdir()):
            if one.is_dir():
                yield from _within(one, depth - 1)


def _reached(folder: Path) -> tuple[str | None, float | None, int, float]:
    try:
        lines = (folder / HISTORY).read_bytes().split(b"\n")[:-1]  # without one that is being written
    except OSError:  # none yet
        lines = []
    entries = [msgspec.json.decode(line) for line in lines]
    last = entries[-1] if entries else {}
    names = [name for name in last if name.startswith("val_") and name != "val_loss"]
    name = names[-1] if names else None
    return (None if name is None else name.removeprefix("val_"), None if name is None else float(last[name]),
            len(entries), sum(one.get("seconds", 0.0) for one in entries))


def condition(text: str) -> Callable[[FoundRun], bool]:
    """Return whether a run is as a text says.

    Parameters
    ----------
    text : str
        The name of an option, or dev, epochs-done, seconds; what a model costs, latency_ms say, which is measured; or
        what came of its threshold on dev, false_positive_rate say. A relation; a value.

    Raises
    ------
    ArgumentError
        Another form; raised for a name that no run has when it is asked.
    """
    form = _CONDITION.fullmatch(text)
    if form is None:
        raise ArgumentError(f"--where {text!r}: expected a name, a relation and a value, such as 'lr<=0.01'")
    name, relation, wanted = form.groups()

    def holds(run: FoundRun) -> bool:
        known = {**run.options, "dev": run.figure, "epochs-done": run.epochs, "seconds": run.seconds}
        if name in known:
            return _is(known[name], relation, wanted)
        if name not in (*COSTS, *RATES):
            raise ArgumentError(unknown("--where", name, (*known, *COSTS, *RATES)))
        if not run.is_complete:  # there is nothing yet to measure
            return False
        found = costs(run.folder, {name}) if name in COSTS else known_rates(run.folder)
        return _is(found.get(name), relation, wanted)

    return holds


def _is(value: Any, relation: str, wanted: str) -> bool:
    if relation in ("=", "!="):
        same = str(value) == wanted or (_number(value) is not None and _number(value) == _number(wanted))
        return same == (relation == "=")
    a, b = _number(value), _number(wanted)
    if b is None:
        raise ArgumentError(f"--where: expected a number after {relation}, got {wanted!r}")
    if a is None:
        return False
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[relation]


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
