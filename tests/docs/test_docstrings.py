"""Docstrings: every public name has one in NumPy's form, which names its arguments and whose examples run.

An argument is named in the docstring of the function or class. What all of a kind take is told once: by the class that
others derive from (`Layer`, `Loss`), or by the room (`fastcnn.applications`, `fastcnn.operations`, `fastcnn.kernels`);
those of a kernel of CUDA by the CPU's kernel of the same name.
Where two differ in little, the second says "as `MaxPooling2D`" for the arguments that they share.
"""

import doctest
import enum
import inspect
import re
import sys
from types import ModuleType

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.kernels import cpu
from tests.docs.test_reference import SHOWN, public, rooms, thing_of

#: What examples may use without an import, as users have it.
NAMES = {"fc": fc, "np": np} | {name: getattr(fc, name) for name in (
    "activations", "constraints", "initializers", "layers", "losses", "metrics", "optimizers", "regularizers")}

#: Rooms that users meet in scripts: each of their names shows an example, as do those of fastcnn itself.
SHOW_EXAMPLES = ("activations", "callbacks", "dtype_policies", "errors", "initializers", "layers", "losses", "metrics",
                 "constraints", "ops", "optimizers", "random", "regularizers", "saving", "utils")

#: Those that show none, and why.
NO_EXAMPLE = {
    "fastcnn.errors.DivergedError": "no short training diverges on every machine",
    "fastcnn.saving.load_keras_weights": "it needs a file of Keras's",
}


def things():
    """Each function and class of a room, or that a page of the reference shows, once, by the first of its names."""
    found = {}
    for name in (*rooms(), *sorted(SHOWN)):
        one = thing_of(name)
        members = {f"{name}.{member}": getattr(one, member) for member in public(one)} if isinstance(
            one, ModuleType) else {name: one}
        for path, thing in members.items():
            if inspect.isclass(thing) or inspect.isroutine(getattr(thing, "py_func", thing)):
                found.setdefault(id(thing), (path, thing))
    return dict(sorted(found.values(), key=lambda pair: pair[0]))


def example(thing, name):
    """The example in a docstring, as doctest takes it."""
    return doctest.DocTestParser().get_doctest(inspect.getdoc(thing) or "", dict(NAMES), name, None, 0)


THINGS = things()
EXAMPLES = {name: test for name, thing in THINGS.items() if (test := example(thing, name)).examples}


def arguments(thing):
    """The arguments that a user may give; those of a constructor, the fields of a named tuple or dataclass."""
    if inspect.isclass(thing):
        if hasattr(thing, "_fields"):
            return list(thing._fields)
        no_constructor = issubclass(thing, (enum.Enum, BaseException)) or getattr(thing, "_is_protocol", False)
        if no_constructor or thing.__init__ is object.__init__:
            return []
        thing = thing.__init__
    parameters = inspect.signature(getattr(thing, "py_func", thing)).parameters.values()
    return [one.name for one in parameters if one.name not in ("self", "cls")]


def docstrings(thing):
    """The docstring of a function or class, those of the classes it derives from, and those of its rooms."""
    yield from (vars(kind).get("__doc__") for kind in thing.__mro__) if inspect.isclass(thing) else [thing.__doc__]
    parts = thing.__module__.split(".")
    yield from (sys.modules[".".join(parts[:k])].__doc__ for k in range(2, len(parts) + 1) if parts[0] == "fastcnn")


def named(thing):
    """The arguments that docstrings name, in their Parameters, or for tuples and the like in their Attributes."""
    docs, found = [*docstrings(thing)], set()
    if thing.__module__.startswith("fastcnn.kernels.cuda."):
        docs += docstrings(getattr(cpu, thing.__name__))
    for doc in docs:
        for section in re.findall(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^[A-Z]\w+\n-+$|\Z)",
                                  inspect.cleandoc(doc or ""), re.M | re.S):
            for line in re.findall(r"^([\w*][\w*, ]*?)(?: ?:.*)?$", section, re.M):
                found |= {name.strip(" *") for name in line.split(",")}
    return found


def test_a_public_name_has_a_docstring_that_names_its_arguments():
    assert [name for name, thing in THINGS.items() if not thing.__doc__] == []
    missing = {}
    for name, thing in THINGS.items():
        further = {"args", "kwargs"} if inspect.isclass(thing) else set()  # handed on to the class it derives from
        missing[name] = set(arguments(thing)) - named(thing) - further
    assert {name: those for name, those in missing.items() if those} == {}


def methods(kind):
    """The public methods and properties of a class, each with its docstring: its own, or that of a class above."""
    for name in dir(kind):
        found = [vars(one)[name] for one in kind.__mro__ if name in vars(one) and one.__module__.startswith("fastcnn")]
        found = [one.fget if isinstance(one, property) else getattr(one, "__func__", one) for one in found]
        if not name.startswith("_") and found and inspect.isfunction(found[0]):
            yield name, next((one.__doc__ for one in found if getattr(one, "__doc__", None)), None)


def test_every_method_and_property_says_what_it_is():
    """A property may be told among the Attributes of its class."""
    missing = {f"{name}.{method}" for name, kind in THINGS.items() if inspect.isclass(kind)
               for method, doc in methods(kind) if not doc and method not in named(kind)}
    assert sorted(missing) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_as_it_stands(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fusion, winograd, policy = fc.config.fusion(), fc.config.winograd(), fc.config.dtype_policy()
    told = []
    try:
        doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(EXAMPLES[name], out=told.append)
    finally:
        fc.config.set_fusion(fusion)
        fc.config.set_winograd(winograd)
        fc.config.set_dtype_policy(policy)
    assert not told, "".join(told)


def test_every_name_that_users_meet_shows_an_example():
    owed = {name for name in THINGS if name.split(".")[1] in SHOW_EXAMPLES or name.count(".") == 1}
    assert owed - EXAMPLES.keys() == NO_EXAMPLE.keys()


def test_an_example_that_is_wrong_would_be_noticed():
    def wrong():
        """Return nothing.

        >>> 1 + 1
        3
        """

    told = []
    assert doctest.DocTestRunner(verbose=False).run(example(wrong, "wrong"), out=told.append).failed == 1
    assert "Expected" in "".join(told)


def test_an_argument_that_no_docstring_names_would_be_noticed():
    class Base:
        """A base.

        Parameters
        ----------
        a, b : int
        *rest, **others
            Further ones.
        """

        def __init__(self, a, b, *rest, **others):
            pass

    class Derived(Base):
        """As the base."""

        def __init__(self, a, b, c):
            pass

    assert set(arguments(Base)) == named(Base) == {"a", "b", "rest", "others"}
    assert set(arguments(Derived)) - named(Derived) == {"c"}
