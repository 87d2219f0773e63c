"""What the pages of the site hold: their blocks of Python, and the names that the reference shows."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^(?:<!-- not run: (?P<why>[^\n]+) -->\n)?```python\n(?P<code>.*?)^```$", re.M | re.S)


def blocks(path: Path) -> list[tuple[int, str, str]]:
    """Return (line, code, reason not to run it, or "") of each block of Python of a page."""
    text = path.read_text()
    return [(text.count("\n", 0, found.start("code")), found["code"], found["why"] or "")
            for found in _BLOCK.finditer(text)]


def commands(path: Path) -> list[list[str]]:
    """Return the words of each call of fastcnn that a page has, in blocks of a shell or in a line."""
    text = path.read_text()
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S) for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")] + re.findall(r"`(fastcnn [^`]*)`", text)
    return [shlex.split(part, comments=True) for part in parts if part.startswith("fastcnn ")]


def shown(path: Path) -> list[str]:
    """Return the dotted names that a page of the reference shows from docstrings."""
    return re.findall(r"^::: ([\w.]+)$", path.read_text(), re.M)
