"""What the pages of the site hold: their blocks of Python, and the names that the reference shows."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^(?:<!-- not run: (?P<why>[^\n]+) -->\n)?```python\n(?P<code>.*?)^```$", re.M | re.S)


def blocks(path: Path) -> list[tuple[int, str, str]]:
    """Return (line, code, reason not to run it, or "") of each block of Python of a page."""
    text = path.read_text()
    return [(text.count("\n", 0, found.start("code")), found["code"], found["why"] or "")
            for found in _BLOCK.finditer(text)]


def shown(path: Path) -> list[str]:
    """Return the dotted names that a page of the reference shows from docstrings."""
    return re.findall(r"^::: ([\w.]+)$", path.read_text(), re.M)
