"""The kinds of values that options take.

A kind whose values are no texts says as `in_file` what a configuration file may hold in their place, and in which
words: ``learning rate = 0.1``.
"""

import math
import os
import re
from collections.abc import Sequence
from typing import Any

import click

from fastcnn.errors import unknown

NUMBER = (int, float), "a number"
TEXT = (str,), "a text"


class Name(click.ParamType):
    """One of some names; any other is refused with the nearest ones.

    Parameters
    ----------
    what : str
        What is named, for the error.
    known : tuple of str
    """

    name = "name"

    def __init__(self, what: str, known: tuple[str, ...]) -> None:
        self.what, self.known = what, known

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        if value not in self.known:
            raise click.UsageError(unknown(self.what, value, self.known), ctx)
        return value

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self.known if name.startswith(incomplete)]


class UserPath(click.Path):
    """A path that the command looks at itself; ``~`` is the home in ``--out=~/run`` too, which a shell leaves alone."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        return os.path.expanduser(os.fsdecode(super().convert(value, param, ctx)))


class NameOrPath(click.ParamType):
    """A name, or a path as `UserPath`; completion offers both."""

    name = "name or path"

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        return os.path.expanduser(value)

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name) for name in self.known if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


class Rate(click.ParamType):
    """A finite number above 0."""

    name, in_file = "number", NUMBER

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        try:
            rate = float(value)
        except ValueError:
            rate = math.nan
        if not 0 < rate < math.inf:
            self.fail(f"expected a finite number above 0, got {value!r}", param, ctx)
        return rate


class Share(click.ParamType):
    """A number from 0 to below 1."""

    name, in_file = "share", NUMBER

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        try:
            share = float(value)
        except ValueError:
            share = math.nan
        if not 0 <= share < 1:
            self.fail(f"expected a number from 0 to below 1, got {value!r}", param, ctx)
        return share


class Size(click.ParamType):
    """Width x height in pixels, or one number for both; the value is (height, width), as in Keras."""

    name, in_file = "size", ((int, str), 'a number, or a text such as "64x48"')

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        width, times, height = str(value).lower().partition("x")
        try:
            size = int(height if times else width), int(width)
        except ValueError:
            size = 0, 0
        if min(size) < 1:
            self.fail(f"expected width x height in pixels such as 64x48, or one number for both, got {value!r}",
                      param, ctx)  # fmt: skip
        return size


class LongestSides(click.ParamType):
    """Pixels of the longer side, several from small to large: 128,255,400."""

    name = "sides"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        try:
            sides = tuple(int(one) for one in str(value).split(","))
        except ValueError:
            sides = ()
        if not sides or min(sides) < 1 or list(sides) != sorted(sides):
            self.fail(f"expected pixels from small to large such as 128,255,400, got {value!r}", param, ctx)
        return sides


class Factor(click.ParamType):
    """A finite number from 0."""

    name, in_file = "factor", NUMBER

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        try:
            factor = float(value)
        except ValueError:
            factor = math.nan
        if not 0 <= factor < math.inf:
            self.fail(f"expected a finite number from 0, got {value!r}", param, ctx)
        return factor


class Sha256(click.ParamType):
    """A SHA-256, in hexadecimal digits."""

    name = "digest"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch("[0-9a-f]{64}", str(value)):
            self.fail(f"expected 64 hexadecimal digits, got {value!r}", param, ctx)
        return str(value)


class ImagesAStep(click.ParamType):
    """A number of images, or all of them."""

    name, in_file = "batch size", ((int, str), 'an integer, or the text "all"')

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        if value == "all":
            return "all"
        try:
            size = int(value)
        except ValueError:
            size = 0
        if size < 1:
            self.fail(f"expected a number of images from 1, or all, got {value!r}", param, ctx)
        return size


class ColumnNames(click.ParamType):
    """The names of columns of a table, with commas between; in a file a list, whose names may have commas."""

    name, in_file = "columns", ((str, list), "a name, or a list of names")

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value)
        if not names or not all(isinstance(name, str) and name for name in names):
            self.fail(f"expected names of columns, with commas between, got {value!r}", param, ctx)
        return names


class InputShape(click.ParamType):
    """Positive integers, as 3,224,224, after the name of an input and an equals sign where there are several."""

    name = "shape"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, tuple[int, ...]]:
        name, _, numbers = value.rpartition("=")
        try:
            shape = tuple(map(int, numbers.split(",")))
        except ValueError:
            shape = ()
        if min(shape, default=0) < 1:
            self.fail(f"expected positive integers such as 3,224,224, or NAME=3,224,224, got {value!r}", param, ctx)
        return name, shape


def input_shapes(pairs: Sequence[tuple[str, tuple[int, ...]]]) -> Any:
    """Return what --input-shape gave as `onnx.load` takes it: None, one shape, or several by name."""
    if len(pairs) == 1 and not pairs[0][0]:
        return pairs[0][1]
    if any(not name for name, _ in pairs):
        raise click.UsageError("--input-shape: expected NAME=3,224,224 for each of several, got one with no name")
    return dict(pairs) or None
