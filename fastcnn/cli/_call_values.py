"""Options whose values may be calls, as a script writes them: of networks, layers, optimizers."""

import os
from collections.abc import Sequence
from typing import Any

import click

from fastcnn.cli import _expressions
from fastcnn.errors import unknown


class NameOrCall(click.ParamType):
    """A name, or a call of something with arguments, as a script writes it: ``SGD(momentum=0.9)``.

    Parameters
    ----------
    what : str
        What is named, for the error.
    known : tuple of str
        What is a name; what may be called is asked where the call is made.
    example : str
        A call, for the error.
    """

    name = "name or call"

    def __init__(self, what: str, known: tuple[str, ...], example: str) -> None:
        self.what, self.known, self.example = what, known, example

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value not in self.known:
            if "(" not in value:
                raise click.UsageError(unknown(self.what, value, self.known), ctx)
            self.check(value, param, ctx)
        return value

    def check(self, text: str, param: Any, ctx: Any) -> None:
        """Fail unless a text is a call."""
        try:
            _expressions.read(text, self.example)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self.known if name.startswith(incomplete)]


class Architecture(NameOrCall):
    """A network: a name, a call, ``FILE.py:FUNCTION``, or, in a file, a list of layers."""

    name, in_file = "network", ((str, list), "a text, or a list of layers")

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if isinstance(value, list | tuple):
            return _calls_in(self, value, param, ctx)
        file, colon, function = value.rpartition(":")
        if colon and "(" not in value:
            if not function.isidentifier():
                self.fail(f"expected a function's name behind the colon, as in net.py:make, got {value!r}", param, ctx)
            return f"{os.path.abspath(os.path.expanduser(file))}:{function}"
        return super().convert(value, param, ctx)


class AugmentationCalls(NameOrCall):
    """How training images are changed: a preset's name, or calls of layers, in a flag one after the other."""

    name, in_file = "augmentation", ((str, list), "a text, or a list of calls")

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if isinstance(value, list | tuple):
            return _calls_in(self, value, param, ctx)
        if value in self.known:
            return value
        return _expressions.several(super().convert(value, param, ctx), self.example)

    def check(self, text: str, param: Any, ctx: Any) -> None:
        """Fail unless a text is calls."""
        try:
            _expressions.several(text, self.example)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _calls_in(kind: NameOrCall, calls: Sequence[Any], param: Any, ctx: Any) -> list[str]:
    """Return the calls of a list, checked."""
    if not calls:
        kind.fail(f"expected a list of calls such as [{kind.example!r}], got an empty one", param, ctx)
    for one in calls:
        if not isinstance(one, str):
            kind.fail(f"expected a list of texts, each a call such as {kind.example}, got {one!r} in it", param, ctx)
        kind.check(one, param, ctx)
    return list(calls)
