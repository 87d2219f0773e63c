"""``fastcnn evaluate`` of a run that sees."""

import inspect
from typing import Any

import numpy as np

from fastcnn.cli._satisficing import limits_kept, lines_of
from fastcnn.cli._seeing.examples import AnnotatedExamples, limited, named_part, parts_of
from fastcnn.cli._seeing.found import drawn
from fastcnn.cli._seeing.opened import OpenedSeen
from fastcnn.cli._seeing.preparing import chosen
from fastcnn.cli._seeing.recipes import HAVE
from fastcnn.cli._seeing.scores import SeenScore, score_of
from fastcnn.datasets import task_of
from fastcnn.datasets.annotated.loading import load_annotated
from fastcnn.errors import ArgumentError


def evaluate_seen(console: Any, opened: OpenedSeen, given: dict[str, Any]
                  ) -> tuple[SeenScore, list[str], dict[str, Any]]:
    """Tell how good a run is on a part of a data set, and draw what it finds there.

    Parameters
    ----------
    console : Console
    opened : OpenedSeen
    given : dict
        The options of ``evaluate``; a batch size of None leaves it to the detector.

    Returns
    -------
    score : SeenScore
    lines : list of str
        That are told last.
    more : dict
        What programs are told beside the figures.
    """
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._looks import look

    for option in ("skip_damaged", "white", "mean", "std"):
        if given[option]:
            raise ArgumentError(f"--{option.replace('_', '-')}: expected none for {opened.path}, which sees "
                                f"{HAVE[opened.task]}; leave it out")
    dataset = chosen(given["dataset"], given["data_dir"], opened.config, str(opened.path))
    found = task_of(dataset[0])
    if found != opened.task and not (found is None and opened.task == "identity"):
        raise ArgumentError(f"{opened.path}: expected a data set of pictures with {HAVE[opened.task]}, got "
                            f"{dataset[0]}, which has {HAVE.get(found or '', 'classes')}; name another")
    name, config = given["part"].replace("-", "_"), opened.config
    own = config if config is not None and config.dataset == dataset[0] else None
    data = load_annotated(*dataset, opened.task, drop_bad=None if own is None else own.drop_bad or None,
                          box_form=None if own is None else own.box_form)
    parts = parts_of(data, opened.split_of(dataset[0]))
    is_of_runs = name == "test" and bool(data.runs)
    part = AnnotatedExamples.of(data.test) if is_of_runs else named_part(parts, name, str(opened.path))
    if name == "train" and config is not None:  # what was trained on, not what --limit left out
        part = limited(part, config.limit, config.seed)
    console.print(f"model  {opened.thing.model.name}: {opened.thing.model.count_params():,} parameters, from "
                  f"{opened.path}")
    of_runs = f", {len(data.runs)} one-shot runs" if is_of_runs else ""
    console.print(f"data   {data.name}: {len(part.y):,} {given['part']} pictures{of_runs}")
    for note in data.notes:
        console.print(f"note   {note}")
    how = {} if given["batch_size"] is None else {"batch_size": given["batch_size"]}
    if how and "batch_size" not in inspect.signature(opened.thing.evaluate).parameters:
        raise ArgumentError(f"--batch-size: expected none for {opened.path}, which takes pictures as they come; leave "
                            f"it out")
    with Compiling(console, "testing"):
        score = score_of(opened.task, opened.thing, data if is_of_runs else part.part, len(part.y), **how)
    if name not in parts:  # its pictures were trained on: what is left are the runs
        score = score.of_runs()
    score.show(console, tuple(data.classes))
    more = {}
    if given["subject_to"]:
        height, width = np.shape(part.part.images[0])[:2]
        more["limits"] = limits_kept(given["subject_to"], opened.path, score.figures | score.all, size=(height, width))
    lines = drawn(opened.task, opened.thing, part.part, opened.path.parent / f"found-{given['part']}.png")
    if name == "test" and config is not None:
        lines.append(look(opened.path.parent, dataset[0], score))
    return score, [*lines, *lines_of(more.get("limits", ()))], more
