"""What the report of a run that sees is made of: each picture with what is there and what was found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.cli._run_evidence import ReportOptions, RunEvidence, history_of
from fastcnn.cli._seeing.examples import limited, restored
from fastcnn.cli._seeing.opened import OpenedSeen
from fastcnn.cli._seeing.preparing import chosen
from fastcnn.cli._seeing.scores import FIGURES, SeenScore, score_of
from fastcnn.datasets.annotated.loading import load_annotated
from fastcnn.errors import ArgumentError, DataError
from fastcnn.report import (
    Evidence,
    FoundPart,
    average_precision_error,
    dice_error,
    draw_boxes,
    draw_masks,
    nearest_pictures,
    sample,
    side_by_side,
)

_MOST = 200  # pictures of the training part
_AT_A_TIME = 32
_LOW = 0.01  # of a score: boxes below it decide nothing


def evidence_of_seen(folder: Path, opened: OpenedSeen, asked: ReportOptions) -> RunEvidence:
    """Return the evidence of a detector, segmenter or recognizer that a run has.

    Raises
    ------
    ArgumentError
        If something is asked for that it has not, or there is no report of such a run.
    DataError
        If the data are gone, or others.
    """
    config = opened.config
    if asked.tags is not None or asked.corrections is not None or asked.by is not None:
        raise ArgumentError(f"report: expected a run with classes for --tags, --corrections and --by, got "
                            f"{opened.task}")
    dataset = chosen(None, asked.data_dir, config, str(opened.path))
    path = opened.split_of(dataset[0])
    if config is None or path is None:
        raise ArgumentError(f"{folder}: expected the folder of a run, whose data and parts are known, got a model "
                            "without; `fastcnn train` makes one")  # fmt: skip
    if Path(config.dataset).is_absolute() and not Path(config.dataset).exists():
        raise DataError(f"report: expected the data of the run in {config.dataset}, got nothing there; put them back, "
                        "since a report shows their pictures")  # fmt: skip
    data = load_annotated(*dataset, opened.task, drop_bad=config.drop_bad or None, box_form=config.box_form)
    parts = restored(path, data)
    if asked.with_test and "test" not in parts:
        raise ArgumentError(f"report --test: expected a run with a test part, got {', '.join(parts)} alone")
    seen, score = {}, None
    for name, examples in parts.items():
        if name == "test" and not asked.with_test:
            continue
        whole = limited(examples, config.limit, config.seed) if name == "train" else examples
        some = _judged(opened.task, whole, parts, config.seed) if name == "train" else whole
        seen[name] = _LOOKS[opened.task](opened.thing, some)._replace(
            whole=len(whole.y) if len(some.y) < len(whole.y) else 0)  # fmt: skip
        if name == "test":
            score = _scored(opened, some)
    judged = parts.get("dev", parts.get("test" if asked.with_test else "train"))
    by_class = _scored(opened, judged)
    figures = {} if by_class is None or not by_class.classes else {
        list(by_class.figures)[-1].removeprefix("m"): by_class.classes}  # fmt: skip
    if opened.task == "identity" and by_class is not None:
        figures = {"reached": {name.replace("_", " "): value for name, value in by_class.all.items()}}
    counts = ", ".join(f"{len(part.y):,} {name.replace('_', '-')}" for name, part in parts.items())
    model = opened.thing.model
    facts = {"data": data.name, "parts": counts, "network": f"{config.model}, {model.count_params():,} parameters",
             "reached": ", ".join(f"{name} {value:.4f}" for name, value in (
                 by_class.figures.items() if by_class is not None else ())), "begun": config.started}  # fmt: skip
    evidence = Evidence(
        folder.name, opened.task, tuple(data.classes), {}, None if model.is_open else model,
        history=history_of(folder), seen=seen, class_figures=figures, human_error=asked.human_error, facts=facts,
        notes=tuple(data.notes))  # fmt: skip
    return RunEvidence(evidence, config.dataset, score)


def _judged(task: str, train: Any, parts: dict[str, Any], seed: int) -> Any:
    """Return the pictures of the training part that are looked at: some; of some persons all, as many as dev has."""
    if task == "identity":  # who is nearest depends on how many pictures there are of how many
        return limited(train, max(_MOST, len(parts["dev"].y) if "dev" in parts else 0), seed)
    return train if len(train.y) <= 2 * _MOST else train.some(sample(np.ones(len(train.y), bool), _MOST))


def _scored(opened: OpenedSeen, examples: Any) -> SeenScore | None:
    """Return the figures that ``evaluate`` tells of pictures; None without any."""
    if examples is None or opened.task not in FIGURES:
        return None
    return score_of(opened.task, opened.thing, examples.part)


def _boxes(thing: Any, examples: Any) -> FoundPart:
    """Return what a detector finds on pictures with boxes: all that it might tell is judged, what it tells is drawn."""
    part, from_score = examples.part, thing.score_threshold
    found = [one for begin in range(0, len(part), _AT_A_TIME)
             for one in thing.detect(list(part.images[begin : begin + _AT_A_TIME]),
                                     score_threshold=min(_LOW, from_score))]  # fmt: skip
    there = [part.boxes[part.slice_of(k)] for k in range(len(part))]
    errors = [average_precision_error(boxes, part.classes[part.slice_of(k)], one.boxes, one.classes, one.scores,
                                      told_from=from_score)
              for k, (boxes, one) in enumerate(zip(there, found, strict=True))]  # fmt: skip
    return FoundPart(np.array(errors), _names(examples), lambda k: draw_boxes(
        part.images[k], there[k], found[k].boxes[found[k].scores >= from_score]))  # fmt: skip


def _masks(thing: Any, examples: Any) -> FoundPart:
    """Return what a segmenter marks on pictures with masks."""
    part = examples.part
    of_objects = part.kind == "instances"  # each has a number of its own: what counts is whether a pixel is of one
    there = [np.minimum(mask, 1) if of_objects else np.asarray(mask) for mask in part.masks]
    answers = [thing.segment(picture) for picture in part.images]
    found = [np.minimum(one.objects, 1) if of_objects else np.asarray(one.classes) for one in answers]
    errors = [dice_error(mask, one) for mask, one in zip(there, found, strict=True)]
    return FoundPart(np.array(errors), _names(examples), lambda k: draw_masks(part.images[k], there[k], found[k]))


def _persons(thing: Any, examples: Any) -> FoundPart:
    """Return whom a recognizer takes for whom: the picture beside its nearest other one, the surest mistakes first."""
    part, names = examples.part, _names(examples)
    found = nearest_pictures(thing.embed(part.images), part.labels)
    pairs = list(zip(found.pictures.tolist(), found.nearest.tolist(), strict=True))
    return FoundPart(found.is_wrong, [f"{names[k]}, nearest {names[other]}" for k, other in pairs],
                     lambda k: side_by_side(part.images[pairs[k][0]], part.images[pairs[k][1]]))


def _names(examples: Any) -> list[str]:
    return [str(one) for one in examples.names]


#: By task: what looks at the pictures of a part.
_LOOKS: dict[str, Callable[[Any, Any], FoundPart]] = {"detection": _boxes, "segmentation": _masks, "identity": _persons}
