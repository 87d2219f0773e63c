"""Where the command line writes: plain lines, with rich's bars and tables where there is a terminal."""

import sys
from collections.abc import Callable
from typing import IO, Any

from rich.console import Console

#: Hears of what happened, for programs.
Record = Callable[[dict[str, Any]], None]


class Output:
    """Standard output that loses what cannot be written, and remembers: a run goes on when its reader has gone.

    Attributes
    ----------
    is_lost : bool
        Whether something could not be written: a closed pipe, a full disk.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream, self.is_lost = stream, False

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        try:
            return len(text) if self.stream is None else self.stream.write(text)
        except OSError:
            self.is_lost = True
            return len(text)

    def flush(self) -> None:
        """Send what was written on its way."""
        try:
            if self.stream is not None:
                self.stream.flush()
        except OSError:
            self.is_lost = True

    def isatty(self) -> bool:
        """Return whether there is a terminal."""
        return self.stream is not None and self.stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def make_console(output: Output | None = None, quiet: bool = False) -> Console:
    """Return a console on standard output that takes texts as they are: a path may have brackets, a class a colon.

    Parameters
    ----------
    output : Output, optional
        In place of standard output itself.
    quiet : bool
        Print nothing.
    """
    file: Any = sys.stdout if output is None else output
    return Console(file=file, markup=False, emoji=False, highlight=False, soft_wrap=True, quiet=quiet,
                   force_terminal=False if quiet else None)  # fmt: skip


def json_lines(output: Output) -> Record:
    """Return what writes each entry as a line of JSON."""
    import msgspec

    def record(entry: dict[str, Any]) -> None:
        output.write(msgspec.json.encode(entry).decode() + "\n")
        output.flush()

    return record


def not_told(entry: dict[str, Any]) -> None:
    """Let no program hear of it."""
