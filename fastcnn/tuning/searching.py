"""The search: which trials there are, and what is known of them so far."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.errors import ArgumentError
from fastcnn.formats.files import expanded, write_atomically
from fastcnn.tuning.journal import Journal, alone_in
from fastcnn.tuning.limits import RATES, Limit, limit_of
from fastcnn.tuning.measuring import COSTS
from fastcnn.tuning.own_objective import scored
from fastcnn.tuning.sampling import optuna, values_of
from fastcnn.tuning.space import Range, Space, space_of
from fastcnn.tuning.study import Study
from fastcnn.tuning.trainings import Plan, run_all
from fastcnn.tuning.trial import TuningTrial

SETTINGS = "search.json"
Objective = Callable[[dict[str, Any]], float | Mapping[str, float]]
Tell = Callable[[TuningTrial], None]


def search(given: Mapping[str, Any] | str | Path, objective: Objective | None = None, *, trials: int = 40,
           processes: int = 1, out: str | Path | None = None, seed: int = 0, sampler: str = "tpe",
           halving: int | None = None, metric: str | None = None, is_maximized: bool | None = None,
           subject_to: Sequence[str | Limit] = (), tell: Tell | None = None) -> Study:
    """Train with one set of values after the other, and find the best.

    Each trial is a run, made by ``fastcnn train`` in a process of its own. Trial 0 is the configuration as it stands,
    for comparison. A search that is killed and called again goes on with the trials that it would have had; those that
    were under way go on from their checkpoints, to the same bits.

    Parameters
    ----------
    given : dict or path of a TOML file
        What every training has, by the names of the options of ``fastcnn train``, and under "space" what is searched,
        as `space_of` takes it.
    objective : function, optional
        From a dict of values to a score, or to figures of which the first is the score: in place of trainings. What it
        raises ends the search, but for `ArithmeticError`, which makes a trial fail.
    trials : int
        With trial 0, which an objective has not.
    processes : int
        Trainings side by side. One always gives the same trials; several know, for each, what was over when it began.
    out : path-like, optional
        The folder of the search; trainings need one.
    seed : int
        Of the trials' values; and of the trainings, where the configuration has none.
    sampler : {"tpe", "random"}
    halving : int, optional
        One trial of so many trains on, again and again: needs epochs in the configuration.
    metric : str, optional
        The figure that decides: one of a line that training prints. Default: accuracy on dev, or R2.
    is_maximized : bool, optional
        Default: where the name of the metric has no "loss" or "error".
    subject_to : sequence of str
        Limits: "latency_ms<=2", measured by the prediction of one image, "memory_mb<=10", "parameters<=1e5",
        "megabytes<=1"; "false_positive_rate<=0.01", "recall", "precision" or "f1" on dev, where the configuration has a
        threshold; or any figure of the last line.
    tell : function, optional
        Called with each trial that is over.

    Returns
    -------
    Study

    Raises
    ------
    ArgumentError
        What cannot be searched or trained; a folder of another search.
    ImportError
        Without Optuna.

    Examples
    --------
    >>> space = {"space": {"x": {"low": 0.0, "high": 4.0}}}
    >>> study = fc.tuning.search(space, lambda values: (values["x"] - 3) ** 2, trials=15, seed=1, is_maximized=False)
    >>> len(study.trials), 2 < study.best.values["x"] < 4
    (15, True)
    """
    if not isinstance(given, Mapping):
        given = read(expanded(given))
    fixed = {name: value for name, value in given.items() if name != "space"}
    space = space_of(given.get("space", {}))
    limits = [one if isinstance(one, Limit) else limit_of(one) for one in subject_to]
    upwards = is_maximized if is_maximized is not None else not any(
        word in (metric or "") for word in ("loss", "error"))
    for name, value in (("trials", trials), ("processes", processes)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ArgumentError(f"search: expected {name} to be a positive integer, got {value!r}")
    hear = tell or (lambda trial: None)
    draw = lambda number, known: values_of(space, seed, number, known, sampler, upwards)
    if objective is not None:
        if halving is not None or processes != 1:
            raise ArgumentError("search: expected neither halving nor processes beside an objective of your own; leave "
                                "them out")
        return scored(objective, space, draw, trials, limits, upwards, hear, None if out is None else expanded(out))
    if out is None:
        raise ArgumentError("search: expected a folder for the trainings, got None; name one with out=")
    for one in limits:
        if one.figure in RATES:
            if "threshold" not in fixed:
                raise ArgumentError(f"subject_to {one}: expected a configuration with a threshold, at which it is "
                                    "counted, got one without; add threshold = 'f1'")
        elif one.figure not in COSTS and not one.figure.startswith(("dev_", "val_")):
            raise ArgumentError(f"subject_to {one}: expected {', '.join((*COSTS, *RATES))}, or what training prints of "
                                f"dev, such as val_loss, got {one.figure}")
    optuna()  # or its absence is told before a folder is made
    folder = expanded(out)
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan({"seed": seed, **fixed}, space, draw, trials, processes, halving, metric, limits, upwards, hear)
    with alone_in(folder):
        _require_same(folder, {"given": msgspec.to_builtins(dict(given)), "seed": seed, "sampler": sampler,
                               "halving": halving, "metric": metric, "subject_to": [str(one) for one in limits],
                               "trials": trials if halving else None})
        journal = Journal(folder, space, upwards)
        run_all(folder, plan, journal)
        return Study(folder, space, journal.trials(), upwards)


def read(path: Path) -> dict[str, Any]:
    """Return what a TOML file says.

    Raises
    ------
    ArgumentError
        No such file, or no TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise ArgumentError(f"{path}: expected a file of TOML, got none ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{path}: expected TOML, got none: {error}") from None


def around(space: Space, values: Mapping[str, Any]) -> Space:
    """Return a finer space: of each range the half around a value, on the range's own scale.

    Parameters
    ----------
    space : dict
    values : dict
        Of a run or a trial; names without a value keep their range.

    Examples
    --------
    >>> space = fc.tuning.space_of({"lr": {"low": 1e-4, "high": 1.0, "scale": "log"}})
    >>> fine = fc.tuning.around(space, {"lr": 1e-2})["lr"]
    >>> round(fine.low, 6), round(fine.high, 6)
    (0.001, 0.1)
    """
    found = {}
    for name, one in space.items():
        value = values.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if isinstance(one, Range) and is_number and not one.low <= value <= one.high:  # type: ignore[operator]
            raise ArgumentError(f"around: expected {name} between {one.low} and {one.high}, got {value}; widen the "
                                "range")
        found[name] = one.around(value) if not isinstance(one, Range) or is_number else one
    return found


def _require_same(folder: Path, settings: dict[str, Any]) -> None:
    """Write what a search is, or refuse a folder that has another."""
    path, text = folder / SETTINGS, msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"
    if not path.exists():
        strange = sorted(one.name for one in folder.iterdir() if one.name != "lock")
        if strange:
            raise ArgumentError(f"{folder}: expected a new or an empty folder, or a search to go on with, got one that "
                                f"holds {', '.join(strange[:3])}; name another")
        write_atomically(path, text)
        return
    before = msgspec.json.decode(path.read_bytes())
    now = msgspec.json.decode(text)
    if changed := [name for name in now if before.get(name) != now[name]]:
        raise ArgumentError(f"{folder}: expected the search that it was begun with, got another {', '.join(changed)}; "
                            "name another folder")
