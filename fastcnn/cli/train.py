"""``fastcnn train``: learn a data set, and leave a run."""

import sys
from typing import Any

import click

from fastcnn.cli._exit_codes import INTERRUPTED, OTHER
from fastcnn.cli._options import (
    MODELS,
    OPTIMIZERS,
    Name,
    Rate,
    UserPath,
    data_options,
    picture_options,
    split_options,
    white_option,
)


@click.command("train", short_help="Train a network on a data set.")
@data_options("digits, which need no download")
@split_options
@picture_options
@click.option("--model", type=Name("model", MODELS), metavar="NAME",
              help=f"{', '.join(MODELS)}. Default: the one that suits the data set.")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes over the training images.")
@click.option("--batch-size", type=click.IntRange(1), metavar="N", help="Images a step.")
@click.option("--optimizer", type=Name("optimizer", OPTIMIZERS), metavar="NAME",
              help=f"{', '.join(OPTIMIZERS)}. Default: adam.")
@click.option("--lr", type=Rate(), metavar="RATE",
              help="Learning rate; it falls to 0 over the second half of all steps. Default: one that suits.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N",
              help="The same seed trains the same model, bit for bit. Default: one that is drawn, and recorded.")
@click.option("--out", type=UserPath(), metavar="DIR",
              help="A new or empty folder for the run. Default: runs/<time>-<model>.")
@click.option("--resume", type=click.Choice(["auto"]),
              help="auto: go on with the run in --out where it stood after Ctrl-C, a crash or a kill, to the same "
                   "bits; begin it where there is none. It keeps checkpoints.")
@click.option("--from", type=UserPath(), metavar="RUN",
              help="Train on from this run's model: its data set, batch size and so on are the defaults. A file of a "
                   "model, .safetensors, .keras or .h5, needs --dataset.")
@white_option
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

    from fastcnn.cli._training import prepare, say_saved, train_folds, train_one

    prepared = prepare(given)
    if recorded is not None:
        from fastcnn.cli._resume import require_same

        prepared = prepared._replace(config=require_same(asked, prepared.config, recorded))

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
