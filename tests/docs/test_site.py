"""The site is built without a warning, shows every name of the reference, and needs no network."""

import os
import re
import subprocess
import sys
import zlib
from types import ModuleType

import pytest

from tests.docs.pages import DOCS, ROOT, shown
from tests.docs.test_reference import REFERENCE, SHOWN, public, rooms, thing_of

pytest.importorskip("mkdocs", reason='the site needs MkDocs: pip install ".[docs]"')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder], cwd=ROOT,
                           env=env, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def anchors(site):
    """The names that have an anchor, from the inventory that other sites link by."""
    head, _, body = (site / "objects.inv").read_bytes().partition(b"zlib.\n")
    assert head.startswith(b"# Sphinx inventory version 2")
    return {line.split(" ")[0] for line in zlib.decompress(body).decode().splitlines()}


def home(thing):
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"


def test_every_public_name_has_an_anchor(anchors):
    objects = {name for name in SHOWN if not isinstance(thing_of(name), ModuleType)}
    members = {f"{room}.{name}": getattr(thing_of(room), name)
               for room in rooms() if room in SHOWN for name in public(thing_of(room))}
    text = "\n".join(path.read_text() for path in REFERENCE)
    by_hand = {name for name in members if f"`{name.rpartition('.')[2]}`" in text}
    at_home = {name for name, thing in members.items() if home(thing) in anchors}  # a file may have a function's name
    assert (objects | set(members)) - anchors - by_hand - at_home == set()


def test_every_page_and_every_example_is_built(site):
    for path in DOCS.rglob("*.md"):
        assert (site / path.relative_to(DOCS)).with_suffix(".html").is_file(), path
    for folder in ("examples", "examples/lessons"):
        for path in (ROOT / folder).glob("*.py"):
            page = (site / folder / path.stem).with_suffix(".html").read_text()
            assert path.name in page


def test_the_pages_fetch_nothing(site):
    for path in site.rglob("*.html"):
        fetched = re.findall(r"""<(?:script|img|link|iframe|source)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^"' >]+""",
                             path.read_text())
        assert fetched == [], path
    for path in (*site.rglob("*.css"), *site.rglob("*.svg")):
        assert re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)", path.read_text()) == [], path


def test_the_blocks_of_docstrings_and_their_rows_are_rendered(site):
    page = (site / "reference" / "layers.html").read_text()
    assert "::" not in re.sub(r"<[^>]+>", "", page.split("</article>")[0]).replace(":::", "")
    dense = page[page.index('id="fastcnn.layers.Dense"'):page.index('id="fastcnn.layers.MaxPooling1D"')]
    row = r"<code>(\w+)</code>\s*</td>.*?(?:<code>([^<]*)</code>|<em>required</em>)\s*</td>\s*</tr>"
    rows = dict(re.findall(row, dense, re.S))
    assert rows["kernel_initializer"] == "&#39;glorot_uniform&#39;"
    assert rows["bias_initializer"] == "&#39;zeros&#39;"


def test_tables_of_docstrings_are_tables(site):
    page = (site / "reference" / "config.html").read_text()
    assert "<td><code>fusion</code></td>" in page
    assert not any("=====" in path.read_text().split("<article")[1].split("</article>")[0]
                   for path in (site / "reference").glob("*.html"))


def test_a_page_shows_something():
    assert all(shown(path) for path in (DOCS / "reference").glob("*.md") if path.name != "index.md")
