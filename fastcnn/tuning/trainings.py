"""Trials that are trainings: which begin when, side by side or halving by halving."""

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from fastcnn.errors import ArgumentError
from fastcnn.formats import toml_text
from fastcnn.formats.files import write_atomically
from fastcnn.tuning import halving
from fastcnn.tuning.journal import Journal
from fastcnn.tuning.limits import Limit
from fastcnn.tuning.measuring import costs
from fastcnn.tuning.space import Space
from fastcnn.tuning.training import Training, score_of
from fastcnn.tuning.trial import TuningTrial

_POLL = 0.05  # seconds


class Plan(NamedTuple):
    """What a search is; as `fastcnn.tuning.search` takes it."""

    fixed: dict[str, Any]
    space: Space
    draw: Callable[[int, Sequence[TuningTrial]], dict[str, Any]]
    trials: int
    processes: int
    halving: int | None
    metric: str | None
    limits: Sequence[Limit]
    is_maximized: bool
    tell: Callable[[TuningTrial], None]


def run_all(folder: Path, plan: Plan, journal: Journal) -> None:
    """Train what is not over yet, and write what is into the journal."""
    if plan.halving is None:
        known = journal.trials()
        over = {one.number for one in known}

        def ended(training: Training) -> None:
            trial = _ended(training, _values(folder, training.number), plan)
            journal.add(trial)
            known.append(trial)
            plan.tell(trial)

        waiting = [number for number in range(plan.trials) if number not in over]
        _side_by_side(waiting, plan, partial(_begun, folder, plan=plan, known=known, until=None), ended)
        return
    _halve(folder, plan, journal)


def _halve(folder: Path, plan: Plan, journal: Journal) -> None:
    epochs = plan.fixed.get("epochs")
    if not isinstance(epochs, int):
        raise ArgumentError("halving: expected epochs in the configuration, whose first ones are compared, got none; "
                            "add epochs = 10")
    assert plan.halving is not None
    written = {one.number for one in journal.trials()}
    alive = list(range(plan.trials))
    stages = halving.rungs(plan.trials, epochs, plan.halving)
    for stage, rung in enumerate(stages):
        scores: dict[int, float | None] = {}
        known: list[TuningTrial] = []

        def ended(training: Training, until: int | None = rung.epoch, scores: Any = scores, known: Any = known) -> None:
            trial = _ended(training, _values(folder, training.number), plan, until)
            scores[training.number] = trial.score
            known.append(trial)
            if (until is None or trial.score is None) and trial.number not in written:
                written.add(trial.number)
                journal.add(trial)
                plan.tell(trial)

        _side_by_side(alive, plan, partial(_begun, folder, plan=plan, known=known, until=rung.epoch), ended)
        if rung.epoch is None:
            return
        kept = halving.best(list(scores.items()), stages[stage + 1].trials, plan.is_maximized)
        if 0 not in kept and scores.get(0) is not None:
            kept = [0, *kept]  # what the best is compared with has been trained as long
        for one in sorted(known, key=lambda trial: trial.number):
            if one.number not in kept and one.number not in written:
                written.add(one.number)
                journal.add(one)
                plan.tell(one)
        alive = kept


def _side_by_side(numbers: Sequence[int], plan: Plan, begin: Callable[[int], Training],
                  ended: Callable[[Training], None]) -> None:
    """Let trainings run, as many at once as there are processes, each beginning when one before it has ended."""
    waiting, running = list(numbers), list[Training]()
    try:
        while waiting or running:
            while waiting and len(running) < plan.processes:
                running.append(begin(waiting.pop(0)))
            for one in [one for one in running if one.poll()]:
                running.remove(one)
                ended(one)
            if running:
                time.sleep(_POLL)
    except BaseException:  # Ctrl-C, say: they keep what they need to go on
        for one in running:
            one.interrupt()
        for one in running:
            one.wait()
        raise


def _begun(folder: Path, number: int, plan: Plan, known: Sequence[TuningTrial], until: int | None) -> Training:
    """Return the training of a trial, under way; its values are drawn when it begins for the first time."""
    path = _path(folder, number)
    if not path.exists():
        values = plan.draw(number, known) if number else {}
        write_atomically(path, msgspec.json.encode(values) + b"\n")
    values = _values(folder, number)
    threads = None if plan.processes == 1 else max(1, (os.cpu_count() or 1) // plan.processes)
    training = Training(folder, number, toml_text.text(plan.fixed | values), threads)
    training.begin(until)
    return training


def _values(folder: Path, number: int) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.json.decode(_path(folder, number).read_bytes())
    return values


def _path(folder: Path, number: int) -> Path:
    return folder / f"trial-{number:04d}.json"


def _ended(training: Training, values: dict[str, Any], plan: Plan, until: int | None = None) -> TuningTrial:
    """Return what came of a training that has stopped, or that is where halving compares."""
    if failure := training.failure():
        return TuningTrial(training.number, values, None, {}, {}, failure=failure)
    if until is not None:
        entry = training.epoch(until)
        if entry is None:
            return TuningTrial(training.number, values, None, {}, {}, failure=f"it has no epoch {until}")
        return TuningTrial(training.number, values, score_of(entry, plan.metric), _figures(entry), {}, until)
    last = training.result()
    if last is None:
        return TuningTrial(training.number, values, None, {}, {}, failure="it ended without a figure on dev")
    entries = [one for one in training.entries() if "epoch" in one]
    figures = _figures(entries[-1] if entries else {}) | _figures(last)
    figures |= costs(training.run, {one.figure for one in plan.limits})
    score = score_of(last if plan.metric is None or plan.metric in last else figures, plan.metric)
    return TuningTrial(training.number, values, score, figures,
                       {str(one): one.excess(figures) for one in plan.limits})


def _figures(entry: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in entry.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
            and name not in ("epoch", "steps", "seconds", "cpu_seconds")}
