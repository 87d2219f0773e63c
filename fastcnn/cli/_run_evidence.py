"""What the report of a run is made of: its parts, what its network answers to them, its history and its plan."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from fastcnn.cli._examples import Examples
from fastcnn.cli._optimizer import make_optimizer
from fastcnn.cli._practice import images_of_step
from fastcnn.cli._run import HISTORY, SPLIT
from fastcnn.cli._split import groups_of
from fastcnn.cli._task import of_what, task_of
from fastcnn.data import split_file
from fastcnn.errors import ArgumentError
from fastcnn.report import Answered, AsTrained, Evidence, Tags, corrected, sample

_LEAST, _MOST = 1000, 5000  # training examples that the training error is measured on
_BATCH = 256


class ReportOptions(NamedTuple):
    """What a report is asked for; see the options of ``fastcnn report``."""

    data_dir: str | None = None
    human_error: float | None = None
    tags: Tags | None = None
    corrections: Mapping[str, tuple[str, str]] | None = None
    with_test: bool = False
    by: str | None = None


class RunEvidence(NamedTuple):
    """The evidence of a run, and what a look at its test part is counted by: the name of the data set, and a score."""

    evidence: Evidence
    dataset: str
    test: Any = None


def of_run(folder: Path, data: Any, parts: dict[str, Examples], model: Any, standard: Any, config: Any,
           asked: ReportOptions, notes: tuple[str, ...] = ()) -> RunEvidence:
    """Return the evidence of a model that is trained, with its data in memory.

    Parameters
    ----------
    folder : Path
        Of the run.
    data : Dataset
    parts : dict of str to Examples
    model : Model
        Finished: its outputs are probabilities, or in the unit of the targets.
    standard : Standard
    config : Config
    asked : ReportOptions
    notes : tuple of str
    """
    if asked.with_test and "test" not in parts:
        raise ArgumentError(f"report --test: expected a run with a test part, got {', '.join(parts)} alone")
    task, inputs = task_of(data, config, parts["train"], model), lambda x: standard.images(np.asarray(x), data.scale)
    groups, found, score = _groups(folder, data, parts, asked.by), {}, None
    for name, part in parts.items():
        if name == "test" and not asked.with_test:
            continue
        found[name] = _answered(part, model, inputs, data, groups, asked,
                                _wanted(parts) if name == "train" else len(part.y))  # fmt: skip
        if name == "test":
            score = task.measure(found[name].outputs, found[name].y)
    trained = task.trained(model)
    trained.compile(optimizer=make_optimizer(config), **task.compiled())
    evidence = Evidence(
        folder.name, data.task, data.outputs, found, model, inputs, data.scale, data.features, history_of(folder),
        AsTrained(trained, task.targets, images_of_step(config, parts["train"])), human_error=asked.human_error,
        tags=asked.tags, facts=_facts(data, config, model, parts),
        notes=(*data.notes, *notes, *_of_corrections(asked, parts)))  # fmt: skip
    return RunEvidence(evidence, config.dataset, score)


def history_of(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's history; a last one that is half written is left out."""
    found = []
    try:
        lines = (folder / HISTORY).read_bytes().splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            entry = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(entry, dict) and "epoch" in entry:
            found.append(entry)
    return found


def _wanted(parts: dict[str, Examples]) -> int:
    """Return how many training examples tell as much as dev does."""
    return int(np.clip(len(parts["dev"].y) if "dev" in parts else _LEAST, _LEAST, _MOST))


def _answered(part: Examples, model: Any, inputs: Any, data: Any, groups: dict[str, str], asked: ReportOptions,
              most: int) -> Answered:
    """Return some examples of a part with what the network answers to them, unchanged and in inference mode."""
    from fastcnn.cli._report import as_probabilities

    number = len(part.y)
    part = part if number <= 2 * most else part.some(sample(np.ones(number, bool), most))
    outputs = model.predict(inputs(part.x), batch_size=_BATCH, verbose=0)
    if data.task == "classification":
        outputs = as_probabilities(outputs)
    names, y = [str(name) for name in part.names], part.y
    if asked.corrections and data.task == "classification":
        y = corrected(y, names, data.classes, asked.corrections)
    return Answered(part.x, y, outputs, names, [groups.get(name, "") for name in names] if groups else None,
                number if len(part.y) < number else 0)  # fmt: skip


def _groups(folder: Path, data: Any, parts: dict[str, Examples], by: str | None) -> dict[str, str]:
    """Return the group of each example that has one, by its name: what was asked for, or what a run kept together."""
    if by is not None:
        return groups_of(parts, by, data.origin.table, "--by") or {}
    path = folder / SPLIT
    return {row.example: row.group for row in split_file.read(path) if row.group} if path.is_file() else {}


def _of_corrections(asked: ReportOptions, parts: dict[str, Examples]) -> list[str]:
    """Return a note on what was corrected where."""
    if asked.corrections is None:
        return []
    counts = {name: sum(str(example) in asked.corrections for example in part.names) for name, part in parts.items()}
    told = ", ".join(f"{count} of {name.replace('_', '-')}" for name, count in counts.items())
    uneven = bool(counts.get("dev")) and "test" in counts and not counts["test"]
    return [f"Labels were corrected: {told}." + (
        " None of test: its figure cannot be compared with that of dev before it is corrected alike." if uneven
        else "")]  # fmt: skip


def _facts(data: Any, config: Any, model: Any, parts: dict[str, Examples]) -> dict[str, str]:
    counts = ", ".join(f"{len(part.y):,} {name.replace('_', '-')}" for name, part in parts.items())
    length = f"{config.epochs} epochs" if config.steps is None else f"{config.steps:,} steps"
    return {"data": f"{data.name}: {of_what(data)}", "parts": counts,
            "network": f"{config.model}, {model.count_params():,} parameters",
            "training": f"{length}, batches of {config.batch_size}, {config.optimizer}, learning rate "
                        f"{config.learning_rate:g}, seed {config.seed}",
            "begun": config.started}  # fmt: skip
