"""A file of a configuration: what it says is what flags say, under their names; flags go before it.

The file is checked by the flags themselves, so that nothing can be said in one way and not in the other. What is wrong
is told with its line.
"""

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import click

from fastcnn.cli._expressions import CallError
from fastcnn.cli._path_texts import as_path
from fastcnn.cli._values import TEXT, UserPath
from fastcnn.errors import unknown

#: What is no part of a configuration.
_NO_KEYS = ("config", "print-config", "dry-run", "overfit-batch", "json", "quiet", "report", "help", "device")


class ConfigFile(UserPath):
    """The path of a file of TOML, whose values become the defaults of the command's options.

    Parameters
    ----------
    of : str, optional
        The command that the file is for, if it is another one: options that are not its own do not matter then.
    """

    def __init__(self, of: str | None = None) -> None:
        super().__init__()
        self.of = of

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        path = super().convert(value, param, ctx)
        command = ctx.command
        if self.of is not None:
            command = importlib.import_module(f"fastcnn.cli.{self.of}").command
        ctx.default_map = read(path, ctx, command)
        return path


def read(path: str, ctx: click.Context, command: click.Command) -> dict[str, Any]:
    """Return what a file says, by the names of the parameters of a command.

    Raises
    ------
    click.UsageError
        A file that is not there or is no TOML; a key that is no flag; a value of another type, or out of range.
    """
    text = text_of(path, ctx)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"--config {path}: expected TOML, got none: {error}", ctx) from None
    check(found, text, f"--config {path}", ctx, command)
    known = options_of(command)
    return {str(known[key].name): as_path(value) if isinstance(value, str) else value for key, value in found.items()}


def options_of(command: click.Command) -> dict[str, click.Option]:
    """Return the options that a file may set, by their flags without dashes."""
    known = {word.removeprefix("--"): param for param in command.params if isinstance(param, click.Option)
             for word in param.opts if word.startswith("--")}  # fmt: skip
    return {key: param for key, param in known.items() if key not in _NO_KEYS}


def check(found: dict[str, Any], text: str, who: str, ctx: click.Context, command: click.Command) -> None:
    """Raise click.UsageError for the first value that the options of a command do not take, with its line in a file."""
    known = options_of(command)
    for key, value in found.items():
        where = f"{who}, line {line_of(text, key)}"
        if key not in known:
            raise click.UsageError(unknown(f"{where}: key", key, known), ctx)
        types, words = _kinds(known[key])
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise click.UsageError(f"{where}: {key}: expected {words}, got {_told(value)}", ctx)
        try:
            known[key].type_cast_value(ctx, value)
        except click.BadParameter as error:
            raise click.UsageError(f"{where}: {key}: {error.message.rstrip('.')}", ctx) from None
        except click.UsageError as error:
            raise click.UsageError(f"{where}: {error.message}", ctx) from None


def line_of(text: str, key: str) -> int:
    """Return the line in which a key of the file is, from 1."""
    found = re.search(rf"^[ \t]*(?:\[+[ \t]*)?([\"']?){re.escape(key)}\1[ \t]*[=.\]]", text, re.M)
    return 1 if found is None else text.count("\n", 0, found.start(1)) + 1


def located(path: str, error: CallError) -> str:
    """Return the sentence for a call that is wrong, with the line of the file if the call is there."""
    text = Path(path).read_text("utf-8", "replace")
    place = text.find(error.text)
    return f"{error}" if place < 0 else f"--config {path}, line {text.count(chr(10), 0, place) + 1}: {error}"


def text_of(path: str, ctx: click.Context, who: str = "--config ") -> str:
    """Return the text of a file, or raise click.UsageError."""
    file = Path(path)
    if not file.exists():
        raise click.UsageError(f"{who}{path}: expected a file of TOML, got nothing there", ctx)
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{who}{path}: expected TOML, which is UTF-8, got {error.reason} at byte "
                               f"{error.start}", ctx) from None  # fmt: skip


def _kinds(param: click.Option) -> tuple[tuple[type, ...], str]:
    """Return which types of TOML an option's value may have, and their words."""
    if param.is_flag:
        return (bool,), "true or false"
    if isinstance(param.type, click.types.IntParamType):
        return (int,), "an integer"
    return getattr(param.type, "in_file", TEXT)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    return f"the text {value!r}" if isinstance(value, str) else repr(value)
