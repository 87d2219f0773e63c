"""Where the command line writes: plain lines, with rich's bars and tables where there is a terminal."""

import sys

from rich.console import Console


def make_console() -> Console:
    """Return a console on standard output that takes texts as they are: a path may have brackets, a class a colon."""
    return Console(file=sys.stdout, markup=False, emoji=False, highlight=False, soft_wrap=True)
