"""The page: all sections in one HTML file that asks no network for anything, and no reader for trust.

Names of classes and files are data: they are escaped wherever they stand. Styles and the script are allowed by their
digests; nothing else is.
"""

import base64
import hashlib
import re
import time
from pathlib import Path
from typing import Any

from fastcnn._version import __version__
from fastcnn.formats.files import write_atomically
from fastcnn.report import charts, words
from fastcnn.report.drawing import TEMPLATES, Drawing, style
from fastcnn.report.evidence import Evidence
from fastcnn.report.sections_of_errors import of_calibration, of_classes, of_curves, of_gaps, of_numbers
from fastcnn.report.sections_of_examples import (
    Album,
    of_differences,
    of_found,
    of_labels,
    of_mistakes,
    of_tagging,
)
from fastcnn.report.sections_of_network import of_costs, of_health, of_sight

_OPTION = re.compile(r"(--[a-z][a-z0-9-]*)")
_MOST_BYTES = 5_000_000
_SIDES = (96, 64, 40, 24)  # of pictures: smaller ones where the page would be too large


def render(evidence: Evidence) -> str:
    """Return a page as text, HTML of less than 5 MB.

    Parameters
    ----------
    evidence : Evidence

    Raises
    ------
    ImportError
        Jinja2 is not installed.

    Examples
    --------
    >>> dev = fc.report.Answered(np.zeros((2, 8, 8, 1)), np.array([0, 1]), np.array([[0.9, 0.1]] * 2), ["a", "b"])
    >>> "<script>alert" in fc.report.render(fc.report.Evidence("x", "classification", ("<script>alert", "b"),
    ...                                                        {"dev": dev}))
    False
    """
    template = _environment().get_template("page.html")
    sections = {"gaps": of_gaps(evidence), "curves": of_curves(evidence), "classes": of_classes(evidence),
                "numbers": of_numbers(evidence), "calibration": of_calibration(evidence),
                "health": of_health(evidence), "costs": of_costs(evidence)}
    css, script = style() + _own("page.css"), _own("page.js")
    text = ""
    for side in _SIDES:
        album = Album(evidence, side)
        text = template.render(
            evidence=evidence, **sections, mistakes=of_mistakes(evidence, album),
            found=of_found(evidence, side), tagging=of_tagging(evidence, album),
            labels=of_labels(evidence, album), differences=of_differences(evidence, album),
            sight=of_sight(evidence, side), style=css, script=script, style_digest=digest(css),
            script_digest=digest(script), version=__version__, made=time.strftime("%Y-%m-%d %H:%M"))
        if len(text.encode()) < _MOST_BYTES:
            break
    return text


def write_page(evidence: Evidence, path: Any) -> int:
    """Write a page, whole or not at all, and return its bytes.

    Parameters
    ----------
    evidence : Evidence
    path : path-like

    Raises
    ------
    ImportError
        Jinja2 is not installed.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> dev = fc.report.Answered(np.zeros((2, 8, 8, 1)), np.array([0, 1]), np.array([[0.9, 0.1]] * 2), ["a", "b"])
    >>> fc.report.write_page(fc.report.Evidence("x", "classification", ("a", "b"), {"dev": dev}), "x.html") < 5_000_000
    True
    """
    text = render(evidence).encode()
    write_atomically(Path(path), text)
    return len(text)


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def digest(text: str) -> str:
    """Return how a content security policy names a style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment() -> Any:
    try:
        import jinja2
    except ImportError:
        raise ImportError('report: expected Jinja2 to be installed; pip install "fastcnn[report]"') from None
    from markupsafe import Markup

    found = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                               lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    # What is drawn has escaped every text in it, and styles and script are the package's own.
    drawn = lambda drawing: Markup(drawing.markup) if isinstance(drawing, Drawing) else ""
    # Names of options are set apart, so that no line ends within one.
    prose = lambda text: Markup(_OPTION.sub(r'<code class="flag">\1</code>', str(Markup.escape(text))))
    found.filters |= {"prose": prose, "percent": words.percent, "figure": words.figure, "plural": words.plural,
                      "drawn": drawn, "own": Markup}
    found.globals["draw_estimate"] = charts.draw_estimate
    return found
