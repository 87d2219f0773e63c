"""Help that lists options under headings."""

from collections.abc import Callable
from typing import Any

import click


class GroupedCommand(click.Command):
    """A command whose help lists the options of `in_group` under their headings, in the order of the command."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                groups.setdefault(getattr(param, "group", "Options"), []).append(record)
        for name, records in groups.items():
            with formatter.section(name):
                formatter.write_dl(records)


def in_group(name: str, *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that adds options, in this order, under a heading of the help.

    Parameters
    ----------
    name : str
    *options : decorators
        As `click.option` returns them.
    """

    def add(command: Any) -> Any:
        known = len(getattr(command, "__click_params__", ()))
        for option in reversed(options):
            command = option(command)
        for param in command.__click_params__[known:]:
            param.group = name
        return command

    return add
