"""How ``fastcnn evaluate`` measures models of classes, labels or numbers, and chooses how one decides."""

from typing import Any

import click

from fastcnn.cli import _decision, _ensemble
from fastcnn.cli._decision import Decision, measured, rates_of
from fastcnn.cli._examples import part_of
from fastcnn.cli._group_figures import by_group
from fastcnn.cli._pixels import Pixels
from fastcnn.cli._satisficing import limits_kept, lines_of
from fastcnn.cli._saved import open_saved, require_fit
from fastcnn.cli._table_columns import columns_asked
from fastcnn.cli._task import task_of

_CHOOSES = ("threshold", "calibrate")


def evaluate_examples(console: Any, saved: tuple[str, ...], given: dict[str, Any]
                      ) -> tuple[Any, list[str], dict[str, Any]]:
    """Tell how good models are together on a part of a data set; choose on dev how one of them decides.

    Parameters
    ----------
    console : Console
    saved : tuple of str
        Runs or files.
    given : dict
        The options of ``evaluate``.

    Returns
    -------
    report : Score
    lines : list of str
        That are told last.
    more : dict
        What programs are told beside the figures.
    """
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._data import choose_dataset, load_dataset
    from fastcnn.cli._looks import look
    from fastcnn.cli._practice import limited

    part, lines, more = given["part"], list[str](), dict[str, Any]()
    name = part.replace("-", "_")
    _require_dev_alone(saved, given)
    Pixels.of(given)  # raises before anything is read
    with Compiling(console, "testing"):
        members = [open_saved(one) for one in saved]
        opened = members[0]
        chosen = choose_dataset(given["dataset"], given["data_dir"], opened)
        data = load_dataset(chosen, opened, skip_damaged=given["skip_damaged"],
                            columns=columns_asked({}, opened.metadata))
        for one in members:
            require_fit(one, data)
        images = part_of(data, opened.split_of(chosen[0]), name, str(opened.path))
        _ensemble.require_same_part(members, chosen[0], name)
        if name == "train" and opened.config is not None:  # what was trained on, not what --limit left out
            images = limited(images, opened.config.limit, opened.config.seed)
        for one in members:
            console.print(f"model  {one.model.name}: {one.model.count_params():,} parameters, from {one.path}")
        console.print(f"data   {data.name}: {len(images.y):,} {part} {'rows' if data.features else 'images'}")
        for note in data.notes:
            console.print(f"note   {note}")
        if data.outputs != opened.classes:
            console.print("note   the classes of the data have other names than those the model was trained on")
        task = task_of(data)
        if any(given[option] for option in (*_CHOOSES, "positive")):
            _decision.require_possible(data.task, opened.classes, given["threshold"], given["positive"],
                                       given["calibrate"])
        outputs = _ensemble.outputs_of(console, members, images, data, task, given)
    decision = opened.decision if len(members) == 1 else Decision()
    if any(given[option] for option in _CHOOSES):
        decision = _decision.chosen(data.task, opened.classes, outputs, images.y, decision, rule=given["threshold"],
                                    positive=given["positive"], is_calibrated=given["calibrate"])
        _decision.keep(opened.path, decision)
        lines.append(f"kept in {opened.path}")
    for line in decision.lines():
        console.print(f"decide {line}")
    if len(members) > 1 and any(one.decision != Decision() for one in members):
        console.print("note   thresholds and temperatures are of single runs: together, the most probable class counts")
    report = measured(task, data.task, opened.classes, outputs, images.y, decision)
    report.show(console, data.outputs)
    if given["by"] is not None:
        groups = by_group(given["by"], images, data.origin.table, lambda some: measured(
            task, data.task, opened.classes, outputs[some], images.y[some], decision, with_rates=False))
        groups.show(console)
        more["by_group"] = groups.as_json()
    if given["subject_to"]:
        more["limits"] = limits_kept(
            given["subject_to"], opened.path, report.figures,
            lambda: rates_of(data.task, opened.classes, outputs, images.y, decision))
        lines += lines_of(more["limits"])
    if decision != Decision():
        more["decision"] = {"temperature": decision.temperature, "rule": decision.rule, "of": decision.rates}
    looks = [look(one.path.parent, chosen[0], report) for one in members if name == "test" and one.config is not None]
    return report, [*lines, *dict.fromkeys(looks)], more


def _require_dev_alone(saved: tuple[str, ...], given: dict[str, Any]) -> None:
    """Raise where something is chosen on anything but the dev part, or for several models."""
    asked = [option for option in _CHOOSES if given[option]]
    if asked and given["part"] != "dev":
        raise click.UsageError(f"--{asked[0]}: expected --part dev, on which one decides, got {given['part']}")
    for option in (*asked, "subject_to") if len(saved) > 1 else ():
        if given[option]:
            raise click.UsageError(f"--{option.replace('_', '-')}: expected one run, got {len(saved)}")
    if asked and given["tta"] is not None:
        raise click.UsageError(f"--{asked[0]}: expected no --tta, since predictions look at each image once; leave it "
                               "out")
