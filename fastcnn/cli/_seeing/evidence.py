"""What the report of a run that sees is made of: each picture with what is there and what was found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.cli._run_evidence import ReportOptions, RunEvidence, history_of
from fastcnn.cli._seeing.examples import limited, restored
from fastcnn.cli._seeing.opened import OpenedSeen
from fastcnn.cli._seeing.preparing import chosen
from fastcnn.cli._seeing.scores import FIGURES, SeenScore, score_of
from fastcnn.datasets.annotated.loading import load_annotated
from fastcnn.errors import ArgumentError, DataError
from fastcnn.report import Evidence, FoundPart, box_error, dice_error, draw_boxes, draw_masks, sample

_MOST = 200  # pictures of the training part
_AT_A_TIME = 32


def evidence_of_seen(folder: Path, opened: OpenedSeen, asked: ReportOptions) -> RunEvidence:
    """Return the evidence of a detector or segmenter that a run has.

    Raises
    ------
    ArgumentError
        If something is asked for that it has not, or there is no report of such a run.
    DataError
        If the data are gone, or others.
    """
    config = opened.config
    if opened.task not in _LOOKS:
        raise ArgumentError(f"{folder}: expected a run with classes, numbers, boxes or masks, got one of "
                            f"{opened.task}, of which there is no report; `fastcnn evaluate` measures it")  # fmt: skip
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
        some = whole if name != "train" or len(whole.y) <= 2 * _MOST else whole.some(
            sample(np.ones(len(whole.y), bool), _MOST))  # fmt: skip
        errors, draw = _LOOKS[opened.task](opened.thing, some.part)
        seen[name] = FoundPart(errors, [str(one) for one in some.names], draw,
                               len(whole.y) if len(some.y) < len(whole.y) else 0)  # fmt: skip
        if name == "test":
            score = _scored(opened, some)
    judged = parts.get("dev", parts.get("test" if asked.with_test else "train"))
    by_class = _scored(opened, judged)
    figures = {} if by_class is None or not by_class.classes else {
        list(by_class.figures)[-1].removeprefix("m"): by_class.classes}  # fmt: skip
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


def _scored(opened: OpenedSeen, examples: Any) -> SeenScore | None:
    """Return the figures that ``evaluate`` tells of pictures; None without any."""
    if examples is None or opened.task not in FIGURES:
        return None
    return score_of(opened.task, opened.thing, examples.part)


def _boxes(thing: Any, part: Any) -> tuple[NDArray[Any], Callable[[int], NDArray[np.uint8]]]:
    """Return the error of each picture with boxes, and what draws one."""
    found = [one for begin in range(0, len(part), _AT_A_TIME)
             for one in thing.detect(list(part.images[begin : begin + _AT_A_TIME]))]  # fmt: skip
    there = [part.boxes[part.slice_of(k)] for k in range(len(part))]
    errors = [box_error(boxes, part.classes[part.slice_of(k)], one.boxes, one.classes)
              for k, (boxes, one) in enumerate(zip(there, found, strict=True))]  # fmt: skip
    return np.array(errors), lambda k: draw_boxes(part.images[k], there[k], found[k].boxes)


def _masks(thing: Any, part: Any) -> tuple[NDArray[Any], Callable[[int], NDArray[np.uint8]]]:
    """Return the error of each picture with a mask, and what draws one."""
    of_objects = part.kind == "instances"  # each has a number of its own: what counts is whether a pixel is of one
    there = [np.minimum(mask, 1) if of_objects else np.asarray(mask) for mask in part.masks]
    answers = [thing.segment(picture) for picture in part.images]
    found = [np.minimum(one.objects, 1) if of_objects else np.asarray(one.classes) for one in answers]
    errors = [dice_error(mask, one) for mask, one in zip(there, found, strict=True)]
    return np.array(errors), lambda k: draw_masks(part.images[k], there[k], found[k])


#: By task: what looks at the pictures of a part.
_LOOKS = {"detection": _boxes, "segmentation": _masks}
