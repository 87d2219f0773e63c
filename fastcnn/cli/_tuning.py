"""What ``fastcnn tune`` checks before anything is trained, and what it tells."""

import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from fastcnn.cli import _config_file
from fastcnn.errors import ArgumentError, unknown

_SHOWN, _LISTED = 10, 3  # trials; values of a list

#: What a search sets itself, and what all trials must have in common, since they are compared on the same images.
_NOT_FIXED = ("out", "resume")
_NOT_SEARCHED = (*_NOT_FIXED, "seed", "dataset", "data-dir", "dev", "train-dev", "test", "group-by", "from")


def asked_space(ctx: click.Context, path: str, run: str | None) -> dict[str, Any]:
    """Return what a file says: values of every training, and what is searched.

    Raises
    ------
    click.UsageError
        No file, no TOML; a key that is no option of ``train``, a value that it does not take.
    ArgumentError
        A range that cannot be.
    """
    from fastcnn.cli.train import command as train
    from fastcnn.tuning import Range, around, space_of

    text = _config_file.text_of(path, ctx, "")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"{path}: expected TOML, got none: {error}", ctx) from None
    space = found.pop("space", None)
    if not isinstance(space, dict):
        raise click.UsageError(f"{path}: expected a table [space] of what is searched, got "
                               f"{'none' if space is None else repr(space)}", ctx)  # fmt: skip
    fixed = found  # what is left
    _config_file.check(fixed, text, path, ctx, train)
    known = _config_file.options_of(train)
    for name in (*(name for name in _NOT_FIXED if name in fixed), *(name for name in _NOT_SEARCHED if name in space)):
        raise click.UsageError(f"{path}, line {_config_file.line_of(text, name)}: expected {name} "
                               + ("outside of the file" if name in _NOT_FIXED else "to be the same in all trials")
                               + ", got it here; leave it out", ctx)  # fmt: skip
    for name in space:
        if name not in known:
            where = f"{path}, line {_config_file.line_of(text, name)}"
            raise click.UsageError(unknown(f"{where}: key", name, known), ctx)
        if name in fixed:
            raise click.UsageError(f"{path}, line {_config_file.line_of(text, name)}: expected {name} once, got it "
                                   "beside [space] too; leave one out", ctx)  # fmt: skip
    parts = space_of(space, path)
    for name, one in parts.items():
        for value in (one.low, one.high) if isinstance(one, Range) else one.values:
            _config_file.check({name: value}, text, path, ctx, train)
    if run is not None:
        parts = around(parts, _values_of(run))
    return {**fixed, "space": {name: _told(one) for name, one in parts.items()}}


def _told(one: Any) -> Any:
    """Return what `space_of` takes, as JSON has it."""
    return list(one.values) if hasattr(one, "values") else one._asdict()


def _values_of(run: str) -> dict[str, Any]:
    """Return the values that a run has, by the names of options."""
    from fastcnn.cli._config import as_given, read_config
    from fastcnn.formats.files import expanded

    config = read_config(expanded(run))
    if config is None:
        raise ArgumentError(f"--around {run}: expected the folder of a run, got one without config.json")
    return {name.replace("_", "-"): value for name, value in as_given(config).items()}


def begin(out: str | None) -> Path:
    """Return the folder of a search."""
    from fastcnn.cli._run import free_name
    from fastcnn.formats.files import expanded

    return free_name(Path("runs"), f"{time.strftime('%Y%m%d-%H%M%S')}-tune") if out is None else expanded(out)


def tell_trial(console: Any, record: Any, trials: int) -> Callable[[Any], None]:
    """Return what tells a trial that is over, and when the last one will be."""
    began, heard = time.monotonic(), [0]

    def tell(trial: Any) -> None:
        heard[0] += 1
        record({"trial": trial.number, "score": trial.score, "values": trial.values, "figures": trial.figures,
                "is_feasible": trial.is_feasible, "epochs": trial.epochs, "failure": trial.failure})  # fmt: skip
        left = (trials - heard[0]) * (time.monotonic() - began) / heard[0]
        rest = f"  ({left / 60:.0f} min left)" if left >= 60 else ""
        console.print(f"trial {trial.number:3}  {_score(trial)}  {_values(trial)}{rest}")

    return tell


def tell_study(console: Any, record: Any, study: Any, folder: Path, metric: str | None) -> str:
    """Print the best trials, write the table and the picture, and return the last line."""
    from fastcnn.cli._comparison import gain

    study.save_table(folder / "trials.csv")
    console.print("")
    for trial in study.ranked()[:_SHOWN]:
        console.print(f"{trial.number:5}  {_score(trial)}  {_values(trial)}")
    importances = study.importances()
    if importances:
        console.print("decides  " + ", ".join(f"{name} {share:.0%}" for name, share in importances.items()))
    console.print(f"table in {folder / 'trials.csv'}{_drawn(study, folder)}")
    best = study.best
    line = f"best trial {best.number}: {metric or 'dev'} {best.score:.4f}, {_values(best)}"
    base, more = study.baseline, None
    if base is not None and base.score is not None and best.number != 0:
        more = gain(folder / "trial-0000", folder / f"trial-{best.number:04d}") if metric is None else None
        line += f"; as it stands {base.score:.4f}" + ("" if more is None else f", {more}")
    record({"best": best.number, "score": best.score, "values": best.values, "importances": importances,
            "run": str(folder / f"trial-{best.number:04d}"), "baseline": None if base is None else base.score})
    return line + "\n"


def _drawn(study: Any, folder: Path) -> str:
    from fastcnn.tuning.drawing import draw

    try:
        draw(study, folder / "trials.svg")
    except ImportError:
        return ""
    return f", drawn in {folder / 'trials.svg'}"


def _score(trial: Any) -> str:
    if trial.score is None:
        return f"failed: {trial.failure}"
    broken = [name for name, one in trial.excess.items() if one > 0]
    left = "" if trial.epochs is None else f" after {trial.epochs} epochs"
    return f"{trial.score:.4f}{left}" + (f" breaks {', '.join(broken)}" if broken else "")


def _values(trial: Any) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in trial.values.items()) or "as it stands"


def _value(value: Any) -> str:
    """Return a value as a line has room for it: of a network's layers how many there are."""
    if isinstance(value, list) and len(value) > _LISTED:
        return f"[{value[0]}, ... {value[-1]}] of {len(value)}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
