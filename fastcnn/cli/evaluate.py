"""``fastcnn evaluate``: how good a trained model is on images it was not trained on."""

import json
from typing import Any

import click

from fastcnn.cli._options import batch_option, data_options, saved_argument, white_option


@click.command("evaluate", short_help="Test a trained model on a data set.")
@saved_argument
@data_options("the one the run was trained on")
@click.option("--part", type=click.Choice(("test", "dev", "train-dev", "train")), default="test", show_default=True,
              help="Which images; all but test need the data set of the run, whose split.csv says which those are.")
@batch_option
@white_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all figures, and nothing else.")
@click.option("--quiet", is_flag=True, help="Print the last line alone.")
@click.pass_context
def command(ctx: click.Context, saved: str, as_json: bool, quiet: bool, **given: Any) -> None:
    """Test the model of a run, or of a file (.safetensors, or Keras's .keras and .h5), on a data set's test images.

    Prints precision, recall and F1 of each class, the loss (mean cross-entropy), and as its last line the accuracy. Of
    a detector, the average precision of each class, and as its last line their mean, mAP@0.5; what it finds on some
    pictures is drawn in the run.
    A test part tells the truth once: who decides by it what to try next fits his decisions to it. So the run counts how
    often its test images were looked at; --part dev is for decisions.

    \b
    fastcnn evaluate runs/20260101-120000-lenet
    fastcnn evaluate model.safetensors --dataset mnist
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._console import make_console
    from fastcnn.cli._seeing.opened import open_seen
    from fastcnn.cli._task import told

    console, part = make_console(quiet=quiet or as_json), given["part"]
    opened = open_seen(saved)
    if opened is None:
        report, lines = _of_examples(console, saved, given)
        everything = report.figures
    else:
        from fastcnn.cli._seeing.evaluating import evaluate_seen

        is_said = ctx.get_parameter_source("batch_size") is not click.core.ParameterSource.DEFAULT
        report, lines = evaluate_seen(console, opened, given if is_said else given | {"batch_size": None})
        everything = report.figures | report.all
    for line in lines:
        console.print(line)
    if as_json:
        click.echo(json.dumps({"model": saved, "part": part, "images": report.examples, **everything}))
        return
    for figure, value in list(report.figures.items())[-1 if quiet else 0 :]:
        click.echo(f"{part} {figure} {told(figure, value)}")


def _of_examples(console: Any, saved: str, given: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return how good a model of classes, labels or numbers is, and lines that are told last."""
    from fastcnn.cli._compiling import Compiling
    from fastcnn.cli._data import choose_dataset, load_dataset, standard_of
    from fastcnn.cli._examples import part_of
    from fastcnn.cli._looks import look
    from fastcnn.cli._practice import limited
    from fastcnn.cli._saved import open_saved, require_fit
    from fastcnn.cli._table_columns import columns_asked
    from fastcnn.cli._task import task_of

    part = given["part"]
    name = part.replace("-", "_")
    with Compiling(console, "testing"):
        opened = open_saved(saved)
        chosen = choose_dataset(given["dataset"], given["data_dir"], opened)
        data = load_dataset(chosen, opened, skip_damaged=given["skip_damaged"],
                            columns=columns_asked({}, opened.metadata))
        require_fit(opened, data)
        images = part_of(data, opened.split_of(chosen[0]), name, str(opened.path))
        if name == "train" and opened.config is not None:  # what was trained on, not what --limit left out
            images = limited(images, opened.config.limit, opened.config.seed)
        console.print(f"model  {opened.model.name}: {opened.model.count_params():,} parameters, from {opened.path}")
        console.print(f"data   {data.name}: {len(images.y):,} {part} {'rows' if data.features else 'images'}")
        for note in data.notes:
            console.print(f"note   {note}")
        if data.outputs != opened.classes:
            console.print("note   the classes of the data have other names than those the model was trained on")
        x = standard_of(opened, given["white"], console.print).images(images.x, data.scale)
        outputs = opened.model.predict(x, batch_size=given["batch_size"], verbose=0)
    report = task_of(data).measure(outputs, images.y)
    report.show(console, data.outputs)
    return report, [look(opened.path.parent, chosen[0], report)] if name == "test" and opened.config is not None else []
