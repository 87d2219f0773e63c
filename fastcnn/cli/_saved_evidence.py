"""The report of a run on disk: one that is complete, one that trains, or the folds of a cross-validation."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.cli._config import read_config
from fastcnn.cli._data import choose_dataset, load_dataset, standard_of
from fastcnn.cli._examples import Examples, restored
from fastcnn.cli._pixels import Pixels
from fastcnn.cli._practice import limited
from fastcnn.cli._resume import CHECKPOINTS
from fastcnn.cli._run import FOLDS, MODEL, SPLIT
from fastcnn.cli._run_evidence import ReportOptions, RunEvidence, history_of, of_run
from fastcnn.cli._saved import Saved, find_file, open_saved, require_fit
from fastcnn.cli._seeing.opened import open_seen
from fastcnn.cli._table_columns import columns_asked
from fastcnn.errors import ArgumentError, DataError
from fastcnn.report import Answered, Evidence


def evidence_of(folder: Path, asked: ReportOptions) -> RunEvidence:
    """Return the evidence of a run, of a run that trains, or of the folder of folds.

    Raises
    ------
    ArgumentError
        If nothing is there, or a part is asked for that the run has not.
    DataError
        If the data are gone, or others.
    ModelFileError
        If it is no run.
    """
    if (folder / FOLDS).exists() or (folder / "fold-1" / MODEL).exists():
        return _of_folds(folder, asked)
    if folder.is_dir() and not (folder / MODEL).exists() and read_config(folder) is not None:
        return _of_training(folder, asked)
    seen = open_seen(str(folder))
    if seen is not None:
        from fastcnn.cli._seeing.evidence import evidence_of_seen

        return evidence_of_seen(folder, seen, asked)
    opened = open_saved(str(find_file(str(folder)).parent if folder.is_dir() else folder))
    if opened.config is None or opened.split is None:
        raise ArgumentError(f"{folder}: expected the folder of a run, whose data and parts are known, got a model "
                            "without; `fastcnn train` makes one")  # fmt: skip
    data = _data_of(opened, asked)
    parts = restored(opened.split, data)
    return of_run(folder, data, _limited(parts, opened.config), opened.model, standard_of(opened, Pixels(), _hush),
                  opened.config, asked, _of_decision(opened))  # fmt: skip


def _of_decision(opened: Saved) -> tuple[str, ...]:
    """Return a note on what was chosen on dev, which the page does not go by: it looks at the network alone."""
    told = opened.decision.lines()
    return (f"What this model says is decided by more than its network: {'; '.join(told)}. The figures here are those "
            "of the most probable class; `fastcnn evaluate` has those of what it says.",) if told else ()


def _of_training(folder: Path, asked: ReportOptions) -> RunEvidence:
    """Return the evidence of a run that has no model yet: with the weights of its newest checkpoint, if it has any."""
    from fastcnn.callbacks.checkpoint_files import CheckpointFiles

    config, history = read_config(folder), history_of(folder)
    assert config is not None
    checkpoint = CheckpointFiles(folder / CHECKPOINTS).newest()
    note = f"This run has no model yet: {len(history)} of {config.epochs} epochs are over."
    if checkpoint is None:
        facts = {"data": config.dataset, "network": config.model, "begun": config.started}
        return RunEvidence(Evidence(folder.name, "classification", (), {}, history=history, facts=facts, notes=(
            f"{note} It keeps no checkpoints (--resume auto), so that there are curves alone.",
        )), config.dataset)  # fmt: skip
    from fastcnn.cli._config import OPTIONS, as_given
    from fastcnn.cli._learner import make_learner
    from fastcnn.cli._training import prepare

    given = dict.fromkeys((*OPTIONS, "folds", "in_memory"), None) | as_given(config) | {"folds": None}
    given["data_dir"] = asked.data_dir or given["data_dir"]
    prepared = prepare(given)
    prepared = prepared.with_parts(restored(folder / SPLIT, prepared.data), {})
    learner = make_learner(prepared, config)
    learner.model.set_weights(checkpoint[0]["model"]["weights"])
    note += (f" The figures are of a checkpoint within epoch {int(checkpoint[0]['epoch']) + 1}; make the report again "
             "when it is over.")  # fmt: skip
    return of_run(folder, prepared.data, prepared.parts, learner.task.finished(learner.network),
                  learner.standard, config, asked, (note,))


def _of_folds(folder: Path, asked: ReportOptions) -> RunEvidence:
    """Return the evidence of cross-validation: every example with the answer of the network that has not seen it."""
    runs = sorted((path.parent for path in folder.glob(f"fold-*/{MODEL}")), key=lambda path: int(path.name[5:]))
    if not runs:
        raise DataError(f"{folder}: expected the folds of a cross-validation, got none that was trained to its end")
    if asked.with_test:
        raise ArgumentError("report --test: expected a run, got folds, whose networks differ; name one of them")
    data, first, trained, crossed = None, None, [], []
    for run in runs:
        opened = open_saved(str(run))
        data = _data_of(opened, asked) if data is None else data
        own = of_run(run, data, _limited(restored(run / SPLIT, data), opened.config),
                     opened.model, standard_of(opened, Pixels(), _hush), opened.config, asked)  # fmt: skip
        first = first or own.evidence
        trained.append(own.evidence.parts["train"])
        crossed.append(own.evidence.parts["dev"])
    assert first is not None
    whole = _joined(crossed)
    evidence = dataclasses.replace(
        first, name=folder.name, parts={"train": _joined(trained), "dev": whole},
        crossed=whole if first.task == "classification" else None,
        notes=(*first.notes, f"Dev stands for all {len(whole.y):,} examples, each told by the one of {len(runs)} "
               "networks that was not trained on it. Curves, health and pictures are those of the first fold."),
    )  # fmt: skip
    return RunEvidence(evidence, "")


def _joined(parts: list[Answered]) -> Answered:
    """Return parts as one."""
    from fastcnn.data.mapped_rows import joined

    groups = None if parts[0].groups is None else [group for part in parts for group in part.groups or ()]
    return Answered(joined([part.x for part in parts]), np.concatenate([part.y for part in parts]),
                np.concatenate([part.outputs for part in parts]), [name for part in parts for name in part.names],
                groups, sum(part.whole for part in parts))  # fmt: skip


def _data_of(opened: Saved, asked: ReportOptions) -> Any:
    """Return the data set of a run.

    Raises
    ------
    DataError
        If it is gone.
    """
    config = opened.config
    assert config is not None
    chosen = choose_dataset(None, asked.data_dir, opened)
    if Path(config.dataset).is_absolute() and not Path(config.dataset).exists():
        raise DataError(f"report: expected the data of the run in {config.dataset}, got nothing there; put them back, "
                        "since a report shows their pictures")  # fmt: skip
    data = load_dataset(chosen, opened, columns=columns_asked({}, opened.metadata))
    require_fit(opened, data)
    return data


def _limited(parts: dict[str, Examples], config: Any) -> dict[str, Examples]:
    """Return parts of which the training part is what was trained on."""
    return parts | {"train": limited(parts["train"], config.limit, config.seed)}


def _hush(note: str) -> None:
    """Hear what `standard_of` tells, which the run's file answers."""
