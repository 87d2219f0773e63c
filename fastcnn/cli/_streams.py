"""Standard output and error that are closed, or that nobody reads any longer."""

import os
import sys
from typing import Any


def open_closed() -> None:
    """Let what was closed before the start (``>&-``) lead nowhere.

    Else the next file that is opened takes its number, and gets what C code prints.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _lead_nowhere(number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", errors="replace", closefd=False))


def let_go() -> None:
    """Let standard output and error lead nowhere where nobody reads them, so that nothing fails at the end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            abandon(stream)


def abandon(stream: Any) -> None:
    """Let a stream that a process writes to lead nowhere from now on."""
    _lead_nowhere(stream.fileno())


def _lead_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
