"""What ``fastcnn train`` tells before and after the training of a run."""

import shlex
from pathlib import Path
from typing import Any

from fastcnn.cli._prepared import Learner
from fastcnn.cli._task import of_what, told


def introduce(console: Any, prepared: Any, learner: Learner, config: Any, folder: Path | None) -> None:
    """Tell what is trained on what, and how."""
    data, parts = prepared.data, prepared.parts
    words = {"train": "training"}
    counts = [f"{len(part.y):,} {words.get(name, name.replace('_', '-'))}" for name, part in parts.items()]
    of_parts = f"{', '.join(counts[:-1])} and {counts[-1]}" if len(counts) > 1 else counts[0]
    console.print(f"data   {data.name}: {of_parts} {of_what(data)}")
    for note in (*data.notes, *prepared.notes, *learner.notes, *_shared(prepared)):
        console.print(f"note   {note}")
    console.print(f"model  {config.model}: {learner.network.count_params():,} parameters")
    console.print(f"plan   {', '.join(_plan(config))}")
    if config.augment:
        console.print(f"images {', '.join(config.augment)}")
    for fork in config.lineage:
        was = ", ".join(f"--{name.replace('_', '-')} was {value}" for name, value in fork.before.items())
        console.print(f"fork   until epoch {fork.epoch + 1}, step {fork.step} {was}; no undisturbed training ends so")
    if folder is not None:
        console.print(f"run    {folder}")


def _plan(config: Any) -> list[str]:
    """Return what is done, in words; what is as usual is not told."""
    schedule = "" if config.lr_schedule == "cooldown" else f" ({config.lr_schedule})"
    warmup = f" after a warm-up over {config.warmup:.0%}" if config.warmup else ""
    batches = "one batch" if config.batch_size == "all" else f"batches of {config.batch_size}"
    length = (f"{config.epochs} epochs" if config.steps is None and config.minutes is None else
              f"{config.minutes:g} minutes" if config.steps is None else f"{config.steps:,} steps")
    told = [length, batches, config.optimizer,
            f"learning rate {config.learning_rate:g}{schedule}{warmup}"]  # fmt: skip
    for name, usual, words in (
        ("momentum", None, "momentum"), ("weight_decay", None, "weight decay"), ("l2", 0, "L2"),
        ("dropout", None, "dropout"), ("label_smoothing", 0, "label smoothing"), ("ema", 0, "average of weights"),
        ("patience", None, "patience"),
    ):  # fmt: skip
        value = getattr(config, name)
        if value != usual:
            told.append(f"{words} {value:g}")
    if config.snapshots is not None:
        told.append(f"{config.snapshots} cycles with a snapshot each")
    if config.class_weight is not None:
        told.append("balanced classes")
    if config.precision != "float32":
        told.append(config.precision)
    return [*told, f"seed {config.seed}"]


def _shared(prepared: Any) -> list[str]:
    """Return a note where the same picture is in two parts of a user's own data; published sets are known."""
    from fastcnn import datasets
    from fastcnn.cli._checks import duplicates

    is_own = prepared.config.dataset not in datasets.names and isinstance(prepared.data, datasets.Dataset)
    return duplicates(prepared.parts) if is_own else []


def say_how_to_go_on(console: Any, stop: Any, config: Any, folder: Path) -> None:
    """Tell what can be done with a run that was stopped."""
    left = max(1, config.epochs - stop.epoch)
    run = shlex.quote(str(folder))
    whole = run if config.fold is None else shlex.quote(str(folder.parent))
    console.print(f"stopped in epoch {stop.epoch + 1} after step {stop.step}; run saved in {folder}")
    console.print(f"measure it      fastcnn evaluate {run} --part dev")
    console.print(f"train on        fastcnn train --out {whole} --resume auto" if stop.backup is not None else
                  f"train on        fastcnn train --from {run} --epochs {left}")  # fmt: skip


def measure_on_dev(console: Any, prepared: Any, learner: Learner, folder: Path, page: Path | None = None
                   ) -> tuple[str, float] | None:
    """Tell how good the model is on dev, and where it and its report are; return the figure that decides, if any."""
    from fastcnn.cli._compiling import Compiling

    run, report = shlex.quote(str(folder)), None
    if "dev" in prepared.parts:
        dev = prepared.parts["dev"]
        with Compiling(console, "measuring"):
            report = learner.measure(dev)
        report.show(console, learner.names)
        for line in learner.draw(dev, folder):
            console.print(line)
    console.print(f"run saved in {folder}")
    console.print(f"what to do next {page}" if page is not None else f"what to do next fastcnn report {run}")
    console.print(f"read a table    fastcnn predict {run} TABLE.csv" if getattr(prepared.data, "features", False) else
                  f"read a picture  fastcnn predict {run} PICTURE.png")  # fmt: skip
    if "test" in prepared.parts:
        console.print(f"last figure     fastcnn evaluate {run}   (when all is decided)")
    if report is None:
        return None
    figure, value = list(report.figures.items())[-1]
    console.print(f"dev {figure} {told(figure, value)}")
    return figure, value
