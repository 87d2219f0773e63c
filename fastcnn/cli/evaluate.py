"""``fastcnn evaluate``: how good a trained model is on images it was not trained on."""

import json
from typing import Any

import click

from fastcnn.cli._options import batch_option, data_options, decision_options
from fastcnn.cli._pixels import pixel_options
from fastcnn.cli._values import UserPath

_THRESHOLD, _POSITIVE = decision_options()


@click.command("evaluate", short_help="Test a trained model on a data set.")
@click.argument("saved", nargs=-1, required=True, type=UserPath())
@data_options("the one the run was trained on")
@click.option("--part", type=click.Choice(("test", "dev", "train-dev", "train")), default="test", show_default=True,
              help="Which images; all but test need the data set of the run, whose split.csv says which those are.")
@batch_option
@pixel_options
@click.option("--tta", type=click.Choice(["mirror", "10crop"]), metavar="KIND",
              help="Average over views of each image: mirror, it and its mirror image; 10crop, its corners and its "
                   "middle, mirrored too.")
@click.option("--save", type=UserPath(), metavar="FILE",
              help="Write the models of several runs as one, whose outputs are the means of theirs: .safetensors.")
@click.option("--by", metavar="COLUMN|REGEX",
              help="Tell the figure of each group, the mean over groups and the worst: a column of a table, or an "
                   "expression for the names of pictures, 'patient-[0-9]+'.")
@click.option("--subject-to", multiple=True, metavar="LIMIT",
              help="Tell whether a limit is kept: 'latency_ms<=2', memory_mb, parameters, megabytes, measured; "
                   "'false_positive_rate<=0.01', recall, precision, f1 at the threshold; or a figure, 'mAP@0.5>=0.9'. "
                   "More than once.")
@_THRESHOLD
@_POSITIVE
@click.option("--calibrate", is_flag=True,
              help="Fit a temperature on dev, and keep it with the model: probabilities then mean what they say.")
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

    What is chosen by --threshold and --calibrate is written into the file of the model; evaluate, predict and serve go
    by it.

    \b
    fastcnn evaluate runs/20260101-120000-lenet
    fastcnn evaluate runs/tumours --part dev --threshold 'recall>=0.95' --calibrate
    fastcnn evaluate runs/tumours --by hospital --subject-to 'latency_ms<=2'
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
        from fastcnn.cli._evaluation import evaluate_examples

        report, lines, more = evaluate_examples(console, saved, given)
        everything = report.figures
    else:
        for option in ("tta", "save", "by", "threshold", "positive", "calibrate"):
            if given[option]:
                raise click.UsageError(f"--{option.replace('_', '-')}: expected a model of classes, labels or numbers, "
                                       "got one that sees; leave it out", ctx)  # fmt: skip
        from fastcnn.cli._seeing.evaluating import evaluate_seen

        is_said = ctx.get_parameter_source("batch_size") is not click.core.ParameterSource.DEFAULT
        report, lines, more = evaluate_seen(console, opened, given if is_said else given | {"batch_size": None})
        everything = report.figures | report.all
    for line in lines:
        console.print(line)
    if as_json:
        models: Any = saved[0] if len(saved) == 1 else saved
        click.echo(json.dumps({"model": models, "part": part, "images": report.examples, **everything, **more}))
        return
    for figure, value in list(report.figures.items())[-1 if quiet else 0 :]:
        click.echo(f"{part} {figure} {told(figure, value)}")
