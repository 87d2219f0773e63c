"""The report that a training ends in."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastcnn.cli._compiling import Compiling
from fastcnn.cli._learner import ExamplesLearner

PAGE = "report.html"


def page_of(console: Any, prepared: Any, learner: Any, config: Any, folder: Path) -> Path | None:
    """Write the report of a run that has just been trained, and return where.

    None where Jinja2 is not installed, and for runs that find things in pictures, of which `fastcnn report` tells.

    What goes wrong in it costs the page alone: it is told, and can be made again by ``fastcnn report``.
    """
    if find_spec("jinja2") is None or config.fold is not None or not isinstance(learner, ExamplesLearner):
        return None
    from fastcnn.cli._run_evidence import ReportOptions, of_run
    from fastcnn.report import write_page

    place = folder / PAGE
    try:
        with Compiling(console, "making the report"):
            model = learner.task.finished(learner.network)
            found = of_run(folder, prepared.data, prepared.parts, model, learner.standard, config, ReportOptions())
            write_page(found.evidence, place)
    except Exception as error:
        console.print(f"note   no report was written: {error}; the run is whole, and `fastcnn report` tries again")
        return None
    return place
