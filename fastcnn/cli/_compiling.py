"""Tells that kernels are being compiled, which may take a minute once and would look like a standstill."""

import time
from types import TracebackType
from typing import Any

from numba.core import event
from rich.console import Console
from rich.status import Status

from fastcnn.kernels.cpu.compile.policy import registry


class Compiling(event.Listener):
    """Says when kernels begin to be compiled, shows which on a terminal, and sums up at the end or at `done`.

    Parameters
    ----------
    console : Console
    what : str
        What the kernels are for: "training".

    Attributes
    ----------
    count : int
        Kernels compiled so far; what came from the cache does not count.
    """

    def __init__(self, console: Console, what: str) -> None:
        self.console, self.what = console, what
        self.count = 0
        self._begin = 0.0
        self._is_done = False
        self._status: Status | None = None
        self._names = {id(dispatcher): name for name, dispatcher in registry.items()}

    def __enter__(self) -> "Compiling":
        event.register("numba:compile", self)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.done(silently=kind is not None)

    def on_start(self, event: Any) -> None:
        """Numba begins to compile a function: a kernel, or one that a kernel calls."""
        name = self._names.get(id(event.data["dispatcher"]))
        if name is None:
            return
        if self.count == 0:
            self._begin = time.perf_counter()
            if self.console.is_terminal:
                self._status = self.console.status("")
                self._status.start()
            else:
                self.console.print(f"compiling kernels for {self.what}, once for this machine: up to a minute")
        self.count += 1
        if self._status is not None:
            self._status.update(f"compiling kernels, once for this machine: {self.count} {name}")

    def on_end(self, event: Any) -> None:
        """Numba is done with a function."""

    def done(self, silently: bool = False) -> None:
        """Clear the status, say how many kernels were compiled, if any, and do not look any longer."""
        if self._is_done:
            return
        self._is_done = True
        event.unregister("numba:compile", self)
        if self._status is not None:
            self._status.stop()
        if self.count and not silently:
            number = "1 kernel" if self.count == 1 else f"{self.count} kernels"
            self.console.print(f"compiled {number} in {time.perf_counter() - self._begin:.0f} s")
