"""``fastcnn evaluate``: how good a trained model is on images it was not trained on."""

import json
from typing import Any

import click

from fastcnn.cli._options import batch_option, data_options, white_option
from fastcnn.cli._values import UserPath


@click.command("evaluate", short_help="Test a trained model on a data set.")
@click.argument("saved", nargs=-1, required=True, type=UserPath())
@data_options("the one the run was trained on")
@click.option("--part", type=click.Choice(("test", "dev", "train-dev", "train")), default="test", show_default=True,
              help="Which images; all but test need the data set of the run, whose split.csv says which those are.")
@batch_option
@white_option
@click.option("--tta", type=click.Choice(["mirror", "10crop"]), metavar="KIND",
              help="Average over views of each image: mirror, it and its mirror image; 10crop, its corners and its "
                   "middle, mirrored too.")
@click.option("--save", type=UserPath(), metavar="FILE",
              help="Write the models of several runs as one, whose outputs are the means of theirs: .safetensors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all figures, and nothing else.")
@click.option("--quiet", is_flag=True, help="Print the last line alone.")
@click.pass_context
def command(ctx: click.Context, saved: tuple[str, ...], as_json: bool, quiet: bool, **given: Any) -> None:
    """Test the model of a run, or of a file (.safetensors, or Keras's .keras and .h5), on a data set's test images.

    Prints precision, recall and F1 of each class, the loss (mean cross-entropy), and as its last line the accuracy. Of
    a detector, the average precision of each class, and as its last line their mean, mAP@0.5; what it finds on some
    pictures is drawn in the run.
    A test part tells the truth once: who decides by it what to try next fits his decisions to it. So the run counts how
    often its test images were looked at; --part dev is for decisions.

    Several runs are an ensemble: the mean of their probabilities. Accuracy and the time for one image are told of each
    and of all.

    \b
    fastcnn evaluate runs/20260101-120000-lenet
    fastcnn evaluate model.safetensors --dataset mnist
    fastcnn evaluate first second third --part dev --tta mirror --save all.safetensors
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._console import make_console
    from fastcnn.cli._seeing.opened import open_seen
    from fastcnn.cli._task import told

    console, part = make_console(quiet=quiet or as_json), given["part"]
    seen = [one for one in saved if open_seen(one) is not None] if len(saved) > 1 else []
    if seen:
        raise click.UsageError(f"expected runs with classes, labels or numbers as an ensemble, got {seen[0]}, which "
                               "sees; name it alone", ctx)  # fmt: skip
    opened = open_seen(saved[0]) if len(saved) == 1 else None
    if opened is None:
        if given["save"] is not None and len(saved) == 1:
            raise click.UsageError("--save: expected several runs, whose ensemble is written, got one", ctx)
        report, lines = _of_examples(console, saved, given)
        everything = report.figures
    else:
        for option in ("tta", "save"):
            if given[option] is not None:
                raise click.UsageError(f"--{option}: expected a model of classes, labels or numbers, got one that "
                                       "sees; leave it out", ctx)  # fmt: skip
        from fastcnn.cli._seeing.evaluating import evaluate_seen

        is_said = ctx.get_parameter_source("batch_size") is not click.core.ParameterSource.DEFAULT
        report, lines = evaluate_seen(console, opened, given if is_said else given | {"batch_size": None})
        everything = report.figures | report.all
    for line in lines:
        console.print(line)
    if as_json:
        models: Any = saved[0] if len(saved) == 1 else saved
        click.echo(json.dumps({"model": models, "part": part, "images": report.examples, **everything}))
        return
    for figure, value in list(report.figures.items())[-1 if quiet else 0 :]:
        click.echo(f"{part} {figure} {told(figure, value)}")


def _of_examples(console: Any, saved: tuple[str, ...], given: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return how good models of classes, labels or numbers are together, and lines that are told last."""
    from fastcnn.cli import _ensemble
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._data import choose_dataset, load_dataset
    from fastcnn.cli._examples import part_of
    from fastcnn.cli._looks import look
    from fastcnn.cli._practice import limited
    from fastcnn.cli._saved import open_saved, require_fit
    from fastcnn.cli._table_columns import columns_asked
    from fastcnn.cli._task import task_of

    part = given["part"]
    name = part.replace("-", "_")
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
        outputs = _ensemble.outputs_of(console, members, images, data, task, given)
    report = task.measure(outputs, images.y)
    report.show(console, data.outputs)
    lines = [look(one.path.parent, chosen[0], report) for one in members if name == "test" and one.config is not None]
    return report, list(dict.fromkeys(lines))
