"""``fastcnn train``: learn a data set, and leave a run."""

import sys
from typing import Any

import click

from fastcnn.cli._config_file import located
from fastcnn.cli._exit_codes import INTERRUPTED, OTHER
from fastcnn.cli._expressions import CallError
from fastcnn.cli._groups import GroupedCommand
from fastcnn.cli._train_options import data_group, network_group, parts_group, run_group, training_group
from fastcnn.errors import ArgumentError


@click.command("train", cls=GroupedCommand, short_help="Train a network on a data set.")
@data_group
@parts_group
@network_group
@training_group
@run_group
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Train a network on a data set, measure it on images that it has not seen, and save it as a run.

    Without any option a small LeNet learns the 1,797 handwritten digits that come with fastcnn, in seconds. Epochs,
    batch size and model have defaults for each data set. The run is a folder with model.safetensors, history.jsonl
    (a line an epoch), config.json and split.csv (which image was in which part). Ctrl-C ends training after the
    current step and saves the model; a second one aborts.

    Decisions (another rate, more epochs) are taken on the dev part, whose accuracy is the last line. The test part is
    seen by `fastcnn evaluate RUN` alone, once all decisions are taken.

    \b
    fastcnn train
    fastcnn train --dataset mnist --model lenet5 --epochs 3 --batch-size 128 --lr 1e-3 --seed 7 --out first
    fastcnn train --from first --epochs 2
    fastcnn train --dataset my_pictures/ --size 64x48 --group-by 'patient-[0-9]+'
    fastcnn train --folds 5
    fastcnn train --dataset cifar10 --epochs 100 --out long --resume auto
    fastcnn train --config first/config.toml
    """  # noqa: D301  (click reads the backspace)
    import secrets

    if given["resume"] is not None and (given["out"] is None or given["folds"] is not None):
        raise click.UsageError("--resume: expected --out RUN, which says with which run to go on, and no --folds", ctx)
    asked, recorded = dict(given), None
    if given["resume"] is not None:
        from fastcnn.cli._resume import remembered

        recorded = remembered(given)
    if given["seed"] is None:
        given["seed"] = secrets.randbelow(2**31)
    if given["from"] is not None and given["model"] is not None:
        raise click.UsageError("--model and --from exclude one another: a run has a model; leave one out", ctx)
    if given["white"] is not None and given["from"] is None:
        raise click.UsageError("--white is for the model of --from: a new one is trained on standardized pixels", ctx)
    if given["folds"] is not None and given["from"] is not None:
        raise click.UsageError("--folds and --from exclude one another: the run has seen the images of every fold", ctx)
    if given["folds"] is not None and given["dev"] is not None:
        raise click.UsageError("--folds and --dev exclude one another: each fold is dev once; leave one out", ctx)

    try:
        _run(ctx, given, asked, recorded)
    except CallError as error:
        raise ArgumentError(str(error) if given["config"] is None else located(given["config"], error)) from error


def _run(ctx: click.Context, given: dict[str, Any], asked: dict[str, Any], recorded: Any) -> None:
    from fastcnn.cli._training import check, prepare, say_saved, train_folds, train_one

    prepared = prepare(given)
    if recorded is not None:
        from fastcnn.cli._resume import require_same

        prepared = prepared._replace(config=require_same(asked, prepared.config, recorded))

    if given["print_config"]:
        from fastcnn.cli._config import as_toml

        check(prepared, given)
        click.echo(as_toml(prepared.config, folds=given["folds"]), nl=False)
        return

    from fastcnn.cli._console import Output, make_console

    output = Output(sys.stdout)
    console = make_console(output)
    trained = train_one(console, prepared, given) if given["folds"] is None else train_folds(console, prepared, given)
    if output.is_lost:
        click.echo(f"fastcnn: expected an output to write to, got a closed pipe or full disk; {say_saved(trained)}",
                   err=True)  # fmt: skip
        ctx.exit(OTHER)
    if trained.is_stopped:
        ctx.exit(INTERRUPTED)
