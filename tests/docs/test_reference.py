"""Every public name stands on a page of the reference."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
from types import ModuleType

import pytest

import fastcnn as fc
from tests.docs.pages import DOCS, ROOT, shown

REFERENCE = {path: shown(path) for path in sorted((DOCS / "reference").glob("*.md"))}
SHOWN = {name for names in REFERENCE.values() for name in names}


def thing_of(name):
    """The object of a dotted name."""
    for cut in range(name.count(".") + 1, 0, -1):
        module, rest = name.split(".")[:cut], name.split(".")[cut:]
        try:
            found = importlib.import_module(".".join(module))
        except ModuleNotFoundError:
            continue
        for part in rest:
            found = getattr(found, part)
        return found
    raise AssertionError(name)


def public(module):
    """What a module offers: its `__all__`, or what it defines without an underscore."""
    own = [name for name, thing in vars(module).items() if not name.startswith("_")
           and (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__ == module.__name__]
    return [name for name in getattr(module, "__all__", own) if not isinstance(getattr(module, name), ModuleType)]


def rooms():
    """The package, its rooms and their rooms, but for those that begin with an underscore."""
    names = [one.name for one in pkgutil.walk_packages(fc.__path__, "fastcnn.")
             if one.ispkg or one.name.count(".") == 1]
    names = ["fastcnn", *(name for name in names if not re.search(r"\._", name))]
    open_ones = {f"fastcnn.{name}" for name in fc.__all__}
    for name in names:
        module = importlib.import_module(name)
        if hasattr(module, "__all__") or name in open_ones:
            yield name


def test_no_file_is_named_like_a_public_name_of_its_room():
    """The import of such a file would put the module in the name's place, and no page could show it."""
    clashes = [f"{room}.{name}" for room in rooms() for name in public(importlib.import_module(room))
               if importlib.util.find_spec(room).submodule_search_locations
               and importlib.util.find_spec(f"{room}.{name}") is not None]
    assert clashes == []


@pytest.mark.parametrize("room", list(rooms()))
def test_every_public_name_of_a_room_stands_on_a_page_of_the_reference(room):
    module = importlib.import_module(room)
    whole = [thing_of(name) for name in SHOWN]
    members = {id(getattr(one, name)) for one in whole if isinstance(one, ModuleType) for name in public(one)}
    known = members | {id(one) for one in whole}
    text = "\n".join(path.read_text() for path in REFERENCE)
    missing = [name for name in public(module) if room not in SHOWN and f"{room}.{name}" not in SHOWN
               and not (id(getattr(module, name)) in known and (room == "fastcnn" or f"`{name}`" in text))
               and name != "__version__"]
    assert missing == [], f"add ::: {room}.{missing[0]} to a page of docs/reference"


def test_every_operation_stands_on_its_page():
    files = {path.stem for path in (ROOT / "fastcnn" / "operations").glob("*.py")} - {"__init__"}
    assert {f"fastcnn.operations.{name}" for name in files} <= SHOWN


def test_every_name_that_a_page_shows_is_there():
    for name in sorted(SHOWN):
        assert thing_of(name) is not None


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text()
    pages = [str(path.relative_to(DOCS)) for path in sorted(DOCS.rglob("*.md"))]
    examples = [f"examples/{path.stem}.md" for path in sorted((ROOT / "examples").glob("*.py"))]
    examples += [f"examples/lessons/{path.stem}.md" for path in sorted((ROOT / "examples" / "lessons").glob("*.py"))]
    assert [page for page in [*pages, *examples] if f" {page}\n" not in navigation] == []
