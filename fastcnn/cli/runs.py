"""``fastcnn runs``: what was trained, what came of it, and what differs."""

import sys
from typing import Any

import click

from fastcnn.cli._values import UserPath


@click.command("runs", short_help="List runs, what they reached and what differs.")
@click.argument("folders", nargs=-1, type=UserPath())
@click.option("--where", multiple=True, metavar="CONDITION",
              help="Those alone of which that is true: 'lr<=0.01', 'optimizer=sgd', 'dev>0.9', 'latency_ms<=2', which "
                   "is measured, 'false_positive_rate<=0.01', at a threshold that was chosen. More than once: all.")
@click.option("--best", type=click.IntRange(1), metavar="N", help="The N best on dev alone.")
@click.option("--compare", is_flag=True,
              help="Of two runs: how much better the second is on the same dev images, with McNemar's test.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each run.")
def command(folders: tuple[str, ...], where: tuple[str, ...], best: int | None, compare: bool, as_json: bool) -> None:
    """List the runs in FOLDERS (default: runs), the best on dev first, with the options that differ between them.

    The figure is that of the last epoch on dev. The best of many is better on dev than on other images: `evaluate`
    tells how good it is.

    \b
    fastcnn runs
    fastcnn runs study --where 'lr<0.01' --best 5
    fastcnn runs runs/first runs/second --compare
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli import _runs
    from fastcnn.cli._console import Output, json_lines, make_console
    from fastcnn.cli._runs_table import show

    found = _runs.find(folders or ("runs",))
    conditions = [_runs.condition(text) for text in where]
    found = [one for one in found if all(holds(one) for holds in conditions)]
    found.sort(key=lambda one: (one.figure is None, -(one.figure or 0.0), str(one.folder)))
    shown = found[:best] if best else found
    output = Output(sys.stdout)
    if compare:
        output.write(_compared(folders))
        return
    if as_json:
        record = json_lines(output)
        for one in shown:
            record(one.entry())
        return
    console: Any = make_console(output)
    show(console, shown)
    some = f"{len(shown)} of " if len(shown) < len(found) else ""
    console.print(f"{some}{len(found)} run{'s' * (len(found) != 1)}")


def _compared(folders: tuple[str, ...]) -> str:
    from fastcnn.cli._comparison import gain
    from fastcnn.errors import ArgumentError
    from fastcnn.formats.files import expanded

    if len(folders) != 2:
        raise click.UsageError(f"--compare: expected two runs, got {len(folders)}")
    found = gain(*(expanded(one) for one in folders))
    if found is None:
        raise ArgumentError("--compare: expected runs that tell classes apart, got others; compare their figures")
    return f"dev accuracy of {folders[1]} beside {folders[0]}: {found}\n"
