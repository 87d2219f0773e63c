"""Ctrl-C while something runs that must not be cut in half: it is heard at once, and raised where nothing is half done.

A signal's handler runs between any two steps of Python code. While a kernel is compiled that may be in a function
that LLVM calls from C, where an exception is printed and lost, or between noting a thing and doing it, after which the
next compilation takes the thing for done. And an import of NumPy or Numba that was cut in half cannot be made again.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_now: "_Waiting | None" = None  # what the main thread is in, at most one


@contextlib.contextmanager
def deferred(whole: bool = False) -> Iterator[None]:
    """Hand a SIGINT that comes within to its handler at the end, or before that where another such piece begins within.

    The handler is whoever's it was before: Python's own raises KeyboardInterrupt. Threads beside the main one are never
    interrupted, and what the process ignores or C code handles stays as it is.

    Parameters
    ----------
    whole : bool
        Wait for the end in any case.
    """
    global _now
    if threading.current_thread() is not threading.main_thread():
        yield
    elif _now is not None:
        if not _now.whole:
            _now.deliver()
        yield
    elif not callable(signal.getsignal(signal.SIGINT)):
        yield
    else:
        waiting = _now = _Waiting(whole)
        try:
            yield
        finally:
            _now = None
            waiting.end()


class _Waiting:
    """Stands in for the handler of SIGINT and keeps what comes."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole
        self._came: list[tuple[int, FrameType | None]] = []
        self._handler: Any = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came.append((number, frame))

    def deliver(self) -> None:
        """Call the handler for what came, in its order; what it raises comes from here."""
        while self._came:
            given = self._came.pop(0)
            try:
                self._handler(*given)
            finally:
                if signal.getsignal(signal.SIGINT) != self._note:  # it left its place to another handler
                    self._handler = signal.signal(signal.SIGINT, self._note)

    def end(self) -> None:
        """Put the handler back, and let it have what came."""
        signal.signal(signal.SIGINT, self._handler)
        for given in self._came:
            if callable(handler := signal.getsignal(signal.SIGINT)):
                handler(*given)
