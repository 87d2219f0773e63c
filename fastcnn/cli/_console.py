"""Where the command line writes: plain lines, with rich's bars and tables where there is a terminal."""

import sys

from rich.console import Console

from fastcnn.cli import _streams


def make_console(goes_on: bool = False) -> Console:
    """Return a console on standard output that takes texts as they are: a path may have brackets, a class a colon.

    Parameters
    ----------
    goes_on : bool
        Whether work goes on when nobody reads the lines any longer. Else the command ends.
    """
    kind = _Patient if goes_on else Console
    return kind(file=sys.stdout, markup=False, emoji=False, highlight=False, soft_wrap=True)


class _Patient(Console):
    """A console of work that is worth more than its lines."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        _streams.abandon(sys.stdout)
