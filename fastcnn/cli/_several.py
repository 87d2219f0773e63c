"""One training several times: a fold each, or a seed each; what the figure on dev is in the mean, and how it varies."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np

from fastcnn.cli._config import write_toml
from fastcnn.cli._console import Record
from fastcnn.cli._prepared import Prepared
from fastcnn.cli._resume import open_run
from fastcnn.cli._run import FOLDS, SEEDS, new_run, write_figures
from fastcnn.cli._saved import Saved, open_saved
from fastcnn.cli._split import made_folds
from fastcnn.cli._training import Trained, asked_of, train_in

_One = tuple[dict[str, Any], Prepared]


def train_folds(console: Any, prepared: Prepared, given: dict[str, Any], record: Record) -> Trained:
    """Train once for each fold, in a run of its own, and tell the mean of the figure on dev and its spread."""
    count = given["folds"]

    def each() -> Iterable[_One]:
        for number, (parts, groups) in enumerate(made_folds(prepared.data, count, asked_of(given)), 1):
            one = prepared._replace(config=msgspec.structs.replace(prepared.config, fold=(number, count)))
            yield {"fold": number}, one.with_parts(parts, groups)

    folder, figure, found = _train_each(console, prepared, given, record, each(), FOLDS)
    if len(found) < count:
        return Trained(folder, None, is_stopped=True)
    mean, spread = float(np.mean(found)), float(np.std(found, ddof=1))
    console.print(f"dev {figure} {mean:.4f}, spread {spread:.4f} (mean and standard deviation of {count} folds)")
    return Trained(folder, (figure, mean), is_stopped=False)


def train_seeds(console: Any, prepared: Prepared, given: dict[str, Any], record: Record) -> Trained:
    """Train once from each of some seeds, on the same parts, and tell the mean of the figure, its spread, the worst."""
    count, first = given["seeds"], prepared.config.seed
    if "dev" not in prepared.parts:
        raise click.UsageError("--seeds: expected a dev part, whose figure varies, got --dev 0; leave one out")

    def each() -> Iterable[_One]:
        for seed in range(first, first + count):
            one = prepared._replace(config=msgspec.structs.replace(prepared.config, seed=seed))
            if isinstance(one.begun, Saved) and seed > first:  # the one before it has trained the model
                one = one._replace(begun=open_saved(str(one.begun.path), prepared.config.image_size))
            yield {"seed": seed}, one.with_parts(prepared.dealt, prepared.groups)

    folder, figure, found = _train_each(console, prepared, given, record, each(), SEEDS)
    if len(found) < count:
        return Trained(folder, None, is_stopped=True)
    mean, spread = float(np.mean(found)), float(np.std(found, ddof=1))
    console.print(f"dev {figure} {mean:.4f}, spread {spread:.4f}, worst {min(found):.4f} (mean, standard deviation and "
                  f"the least of {count} seeds)")
    return Trained(folder, (figure, mean), is_stopped=False)


def _train_each(console: Any, prepared: Prepared, given: dict[str, Any], record: Record, each: Iterable[_One],
                file: str) -> tuple[Path, str, list[float]]:
    """Train one after the other in folders of one folder; return it, the figure's name, and its values so far."""
    what = file.removesuffix(".json")
    number = given[what]
    figure, found = "", list[float]()
    name = f"{prepared.config.model}-{number}-{what}"
    with open_run(given["out"], 0) if given["resume"] else new_run(given["out"], name, 0, file) as folder:
        write_toml(folder, prepared.config, **{what: number})
        for said, one in each:
            (word, value), = said.items()
            console.print(f"{word} {value}/{number}" if word == "fold" else f"{word} {value}")
            tell = lambda entry, said=said: record({**said, **entry})
            trained = train_in(console, one, given, str(folder / f"{word}-{value}"), one.config, tell)
            if trained.is_stopped:
                return folder, figure, found
            assert trained.dev is not None  # there are dev images
            figure, figure_value = trained.dev
            found.append(figure_value)
            write_figures(folder / file, found, figure)
    console.print(f"{what:6} {' '.join(f'{one:.4f}' for one in found)}")
    console.print(f"runs saved in {folder}")
    return folder, figure, found
