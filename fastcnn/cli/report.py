"""``fastcnn report``: what a run has reached, and what to do next, on one page."""

import json
from typing import Any

import click

from fastcnn.cli._values import UserPath

PAGE = "report.html"


@click.command("report", short_help="Write a page about a run: mistakes, bias and variance, health.")
@click.argument("run", metavar="RUN", type=UserPath())
@click.option("--out", type=UserPath(), metavar="FILE", help="The page. Default: report.html in the run.")
@click.option("--human-error", type=click.FloatRange(0), metavar="ERROR",
              help="What people reach, 0.01 for one mistake in a hundred: the least that can be hoped for.")
@click.option("--tags", type=UserPath(), metavar="FILE", help="Tags of mistakes, as the page saves them.")
@click.option("--corrections", type=UserPath(), metavar="FILE",
              help="Right labels, as the page saves them; the figures are those with them, the data stay as they are.")
@click.option("--test", "with_test", is_flag=True, help="Measure the test part, too. It is counted as a look at it.")
@click.option("--by", metavar="COLUMN|REGEX",
              help="The groups whose errors are told: a column of a table, or an expression for the names of pictures. "
                   "Default: those that --group-by kept together.")
@click.option("--data-dir", type=UserPath(), metavar="DIR", help="Where the files of a named data set are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def command(run: str, out: str | None, tags: str | None, corrections: str | None, as_json: bool, **given: Any) -> None:
    """Write one page about a run, also while it trains: where its error comes from, and what to do about it.

    The page asks no network for anything, and can be sent to a colleague. Errors are measured in inference mode, on
    unchanged images, with the weights that were kept. Mistakes are tagged on the page. A folder of --folds also tells
    which labels are probably wrong. Needs Jinja2: pip install "fastcnn[report]".

    \b
    fastcnn report runs/cats
    fastcnn report runs/cats --human-error 0.01 --tags tags.json
    fastcnn report runs/cats --corrections corrections.csv --test
    """  # noqa: D301  (click reads the backspace)
    from fastcnn.cli._looks import look
    from fastcnn.cli._run_evidence import ReportOptions
    from fastcnn.cli._saved import require_there
    from fastcnn.cli._saved_evidence import evidence_of
    from fastcnn.errors import ArgumentError
    from fastcnn.formats.files import expanded
    from fastcnn.report import gaps, read_corrections, read_tags, write_page

    folder = expanded(run)
    require_there(folder, "a run", "`fastcnn train` makes one")
    place = (folder if folder.is_dir() else folder.parent) / PAGE if out is None else expanded(out)
    if not place.parent.is_dir() or place.is_dir():
        raise ArgumentError(f"report: expected --out to be a file in a folder that is there, got {place}")
    asked = ReportOptions(tags=None if tags is None else read_tags(expanded(tags)),
                  corrections=None if corrections is None else read_corrections(expanded(corrections)),
                  **given)  # fmt: skip
    found = evidence_of(folder, asked)
    evidence = found.evidence
    size = write_page(evidence, place)
    counted = None if found.test is None else look(folder, found.dataset, found.test)
    errors = evidence.all_errors
    between = gaps(errors, evidence.human_error, evidence.unit) if errors else None
    if as_json:
        told = {"out": str(place), "bytes": size, **_as_json(between, evidence.human_error is not None)}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for note in evidence.notes:
        click.echo(f"note   {note}")
    if counted is not None:
        click.echo(counted)
    if between is not None:
        click.echo(between.sentence)
    click.echo(f"report in {place}")


def _as_json(between: Any, knows_people: bool) -> dict[str, Any]:
    """Return errors and gaps for programs; the error of people where it was given."""
    if between is None:
        return {"errors": {}, "gaps": [], "sentence": None}
    errors = {name: one._asdict() for name, one in between.errors.items() if name != "human" or knows_people}
    return {"errors": errors, "unit": between.unit,
            "gaps": [{"name": gap.name, "from": gap.lower, "to": gap.upper, **gap.size._asdict(),
                      "is_clear": gap.is_clear} for gap in between.gaps], "sentence": between.sentence}  # fmt: skip

