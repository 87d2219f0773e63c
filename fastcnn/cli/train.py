"""``fastcnn train``: learn a data set, and leave a run."""

import sys
from typing import Any

import click

from fastcnn.cli._config_file import located
from fastcnn.cli._exclusive import require_one_answer
from fastcnn.cli._exit_codes import INTERRUPTED, OTHER
from fastcnn.cli._expressions import CallError
from fastcnn.cli._groups import GroupedCommand
from fastcnn.cli._train_options import (
    data_group,
    decision_group,
    network_group,
    parts_group,
    regularization_group,
    run_group,
    training_group,
    transfer_group,
)
from fastcnn.errors import ArgumentError


@click.command("train", cls=GroupedCommand, short_help="Train a network on a data set.")
@data_group
@parts_group
@network_group
@transfer_group
@training_group
@regularization_group
@decision_group
@run_group
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Train a network on a data set, measure it on images that it has not seen, and save it as a run.

    Without any option a small LeNet learns the 1,797 handwritten digits that come with fastcnn, in seconds. Epochs,
    batch size and model have defaults for each data set. The run is a folder with model.safetensors, history.jsonl
    (a line an epoch), config.json, config.toml (for --config) and split.csv (which image was in which part). Ctrl-C
    ends training after the current step and saves the model; a second one aborts.

    Decisions (another rate, more epochs) are taken on the dev part, whose accuracy is the last line. The test part is
    seen by `fastcnn evaluate RUN` alone, once all decisions are taken.

    \b
    fastcnn train
    fastcnn train --dataset mnist --model lenet5 --epochs 3 --batch-size 128 --lr 1e-3 --seed 7 --out first
    fastcnn train --from first --epochs 2
    fastcnn train --from first --dataset my_pictures/ --freeze 'conv*' --unfreeze-at 5 --rate-factor 'conv*=0.1'
    fastcnn train --dataset my_pictures/ --size 64x48 --group-by 'patient-[0-9]+'
    fastcnn train --folds 5
    fastcnn train --seeds 5
    fastcnn train --dataset cifar10 --minutes 10
    fastcnn train --dataset cifar10 --epochs 100 --out long --resume auto
    fastcnn train --config first/config.toml
    """  # noqa: D301  (click reads the backspace)
    import secrets

    if given["resume"] is not None and given["out"] is None:
        raise click.UsageError("--resume: expected --out RUN, which says with which run to go on", ctx)
    asked, recorded = dict(given), None
    if given["resume"] is not None:
        from fastcnn.cli._resume import remembered

        recorded = remembered(given)
    if given["seed"] is None:
        given["seed"] = secrets.randbelow(2**31)
    require_one_answer(ctx, given)
    try:
        _run(ctx, given, asked, recorded)
    except CallError as error:
        raise ArgumentError(str(error) if given["config"] is None else located(given["config"], error)) from error


def _run(ctx: click.Context, given: dict[str, Any], asked: dict[str, Any], recorded: Any) -> None:
    from fastcnn.cli._seeing.recipes import task_asked
    from fastcnn.cli._training import check, first_of, prepare, say_saved, train_one

    if (task := task_asked(given)) is None:
        prepared = prepare(given)
    else:
        from fastcnn.cli._seeing.preparing import prepare as prepare_seeing

        prepared = prepare_seeing(given, task)
    if recorded is not None:
        from fastcnn.cli._resume import going_on

        prepared = prepared._replace(config=going_on(asked, prepared.config, recorded))

    from fastcnn.cli._console import Output, json_lines, make_console, not_told

    output = Output(sys.stdout)
    console = make_console(output, quiet=given["quiet"] or given["as_json"])
    record = json_lines(output) if given["as_json"] else not_told
    if given["print_config"]:
        from fastcnn.cli._config import as_toml

        check(prepared, given)
        output.write(as_toml(prepared.config, folds=given["folds"], seeds=given["seeds"]))
        return
    if given["dry_run"]:
        from fastcnn.cli._dry_run import dry_run

        record(dry_run(console, first_of(prepared, given), given["folds"] or given["seeds"] or 1))
        return
    if given["overfit_batch"]:
        from fastcnn.cli._overfit import overfit_batch

        record(overfit_batch(console, first_of(prepared, given)))
        return
    trained = _trainer(given, train_one)(console, prepared, given, record)
    figure, value = trained.dev or ("accuracy", None)
    record({"run": str(trained.folder), "is_complete": not trained.is_stopped, **_rates(trained, prepared.config),
            f"dev_{figure.replace(' ', '_')}": value})  # fmt: skip
    if given["quiet"] and value is not None:
        output.write(f"dev {figure} {value:.4f}\n")
    if output.is_lost:
        click.echo(f"fastcnn: expected an output to write to, got a closed pipe or full disk; {say_saved(trained)}",
                   err=True)  # fmt: skip
        ctx.exit(OTHER)
    if trained.is_stopped:
        ctx.exit(INTERRUPTED)


def _rates(trained: Any, config: Any) -> dict[str, float]:
    """Return what came of the threshold on dev, where one was chosen."""
    if config.threshold is None or trained.is_stopped:
        return {}
    from fastcnn.cli._satisficing import known_rates

    return {f"dev_{name}": value for name, value in known_rates(trained.folder).items()}


def _trainer(given: dict[str, Any], once: Any) -> Any:
    """Return what trains: once, for each fold, or from each seed."""
    if given["folds"] is None and given["seeds"] is None:
        return once
    from fastcnn.cli._several import train_folds, train_seeds

    return train_seeds if given["folds"] is None else train_folds
