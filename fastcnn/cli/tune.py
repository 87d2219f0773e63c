"""``fastcnn tune``: which values of what training does not learn are best."""

import sys
from typing import Any

import click

from fastcnn.cli._exit_codes import INTERRUPTED
from fastcnn.cli._values import UserPath


@click.command("tune", short_help="Search for good values: rates, sizes, strengths.")
@click.argument("space", type=UserPath())
@click.option("--trials", type=click.IntRange(1), default=40, show_default=True, metavar="N",
              help="Trainings in all. The first, number 0, is the configuration as it stands.")
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Trainings side by side. One always gives the same trials.")
@click.option("--halving", type=click.IntRange(2), metavar="N",
              help="All trials train for the first epochs; of N the best one trains on, N times as long, from its "
                   "checkpoint; and so forth.")
@click.option("--sampler", type=click.Choice(["tpe", "random"]), default="tpe", show_default=True,
              help="A Parzen estimator, after ten random trials; or random ones alone.")
@click.option("--metric", metavar="NAME",
              help="What decides, of the numbers that train --json prints: val_loss, say. Default: the figure on dev.")
@click.option("--subject-to", multiple=True, metavar="LIMIT",
              help="A limit to keep: 'latency_ms<=2', for the prediction of one image, measured; 'memory_mb<=10'; "
                   "'parameters<=1e5'; 'megabytes<=1'; 'false_positive_rate<=0.01', recall, precision or f1 on dev, "
                   "where SPACE has a threshold; or a number that train --json prints. More than once for several.")
@click.option("--around", type=UserPath(), metavar="RUN",
              help="Search half of each range, on its scale, around the values that this run has: from coarse to fine.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N")
@click.option("--out", type=UserPath(), metavar="DIR",
              help="The folder of the search: a new one, or one to go on with. Default: runs/<time>-tune.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each trial and one at the end.")
@click.option("--quiet", is_flag=True, help="Print the last line alone.")
@click.pass_context
def command(ctx: click.Context, space: str, **given: Any) -> None:
    """Train with one set of values after the other, and tell which were best on dev.

    SPACE is a file of TOML as `train --config` takes it, and a table of what is searched:

    \b
    dataset = "fashion_mnist"
    epochs = 3
    [space]
    lr = {low = 1e-4, high = 1e-1, scale = "log"}
    momentum = {low = 0.5, high = 0.99, scale = "one-minus-log"}
    batch-size = [32, 64, 128]

    Each trial is a run in the folder of the search. A search that was stopped or killed goes on with the same command
    and its --out: with the trials that it would have had, and those under way from their checkpoints. The folder has
    trials.csv, and trials.svg if matplotlib is there. Needs Optuna: pip install "fastcnn[tune]".

    \b
    fastcnn tune space.toml --trials 40 --processes 2 --out study
    fastcnn tune space.toml --halving 3 --subject-to 'latency_ms<=2'
    fastcnn tune space.toml --around study/trial-0017
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._console import Output, json_lines, make_console, not_told
    from fastcnn.cli._tuning import asked_space, begin, tell_study, tell_trial
    from fastcnn.tuning import search

    asked = asked_space(ctx, space, given["around"])
    folder = begin(given["out"])
    output = Output(sys.stdout)
    console = make_console(output, quiet=given["quiet"] or given["as_json"])
    record = json_lines(output) if given["as_json"] else not_told
    console.print(f"search of {', '.join(asked['space'])} in {folder}")
    options = {name: given[name] for name in ("trials", "processes", "halving", "sampler", "metric", "subject_to",
                                              "seed")}
    hear = tell_trial(console, record, given["trials"])
    try:
        study = search(asked, out=folder, tell=hear, **options)
    except KeyboardInterrupt:
        click.echo(f"fastcnn: interrupted; fastcnn tune {space} --out {folder}, with the options as now, goes on",
                   err=True)  # fmt: skip
        ctx.exit(INTERRUPTED)
    last = tell_study(console, record, study, folder, given["metric"])
    if not given["as_json"]:
        output.write(last)
