"""A bar for loops of one's own, with Keras's name."""

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError


class Progbar:
    """Shows how far a loop is, how long the rest takes, and the means of what each step tells.

    Parameters
    ----------
    target : int or None
        Steps in all; None where nobody knows.
    width : int
        Of the bar, in characters.
    verbose : int
        0 shows nothing, 1 a bar, 2 one line at the end.
    interval : float
        Seconds between two updates at least.
    stateful_metrics : iterable of str, optional
        What is shown as it is told, and not averaged.
    stateless_metrics : iterable of str, optional
        What is averaged, all else being shown as it is told; in the place of `stateful_metrics`.
    unit_name : str
        What a step is called.

    Examples
    --------
    >>> bar = fc.utils.Progbar(3, verbose=0)
    >>> bar.update(1, [("loss", 3.0)])
    >>> bar.add(1, [("loss", 1.0)])
    >>> bar.means
    {'loss': 2.0}
    """

    def __init__(self, target: int | None, width: int = 20, verbose: int = 1, interval: float = 0.05,
                 stateful_metrics: Iterable[str] | None = None, stateless_metrics: Iterable[str] | None = None,
                 unit_name: str = "step") -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError("Progbar: expected stateful_metrics or stateless_metrics, got both")
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateless_metrics is not None else set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._seen, self._shown = 0, 0  # steps, and characters of the line that is there
        self._sums: dict[str, tuple[float, int]] = {}
        self._begun, self._last = time.monotonic(), 0.0

    @property
    def means(self) -> dict[str, float]:
        """What is shown beside the bar."""
        return {name: total / count for name, (total, count) in self._sums.items()}

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
               ) -> None:
        """Show that `current` steps are done.

        Parameters
        ----------
        current : int
        values : list of (str, float), optional
            What the steps since the last update told; in the last update, what is shown as it is, as in Keras.
        finalize : bool, optional
            Whether it was the last; if absent, where `current` reaches the target.
        """
        is_last = (self.target is not None and current >= self.target) if finalize is None else finalize
        for name, value in values or ():
            averaged = name in self.stateless_metrics if self.stateless_metrics is not None else (
                name not in (self.stateful_metrics or ()))
            steps, value = max(current - self._seen, 1), float(np.mean(value))
            before, count = self._sums.get(name, (0.0, 0))
            goes_in = averaged and not is_last  # the last is what a whole epoch tells
            self._sums[name] = (before + value * steps, count + steps) if goes_in else (value, 1)
        self._seen = current
        now = time.monotonic()
        if self.verbose == 1 and (is_last or now - self._last >= self.interval):
            self._show(self._line(now - self._begun, is_last), is_last)
            self._last = now
        elif self.verbose == 2 and is_last:
            _write(f"{self._line(now - self._begun, True)}\n")

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that `n` more steps are done, as `update`."""
        self.update(self._seen + n, values)

    def _line(self, seconds: float, is_last: bool) -> str:
        each = seconds / max(self._seen, 1)
        if self.target:
            done = min(self.width, self.width * self._seen // self.target)
            bar = f" {'━' * done}{'─' * (self.width - done)}" if self.verbose == 1 else ""
            head = f"{self._seen:{len(str(self.target))}d}/{self.target}{bar}"
        else:
            head = f"{self._seen:7d}/Unknown"
        left = seconds if is_last or not self.target else each * (self.target - self._seen)
        told = "".join(f" - {name}: {_number(value)}" for name, value in self.means.items())
        return f"{head} {_time(left)} {_each(each)}/{self.unit_name}{told}"

    def _show(self, line: str, is_last: bool) -> None:
        terminal = sys.stdout is not None and not sys.stdout.closed and sys.stdout.isatty()
        if terminal:
            _write(f"\r{line:<{self._shown}}" + ("\n" if is_last else ""))
            self._shown = len(line)
        else:  # a line each: a file or a notebook's log has no way back
            _write(f"{line}\n")


def _write(text: str) -> None:
    from fastcnn.callbacks.output import write  # the room of callbacks takes long to import

    write(text)


def _number(mean: float) -> str:
    return f"{mean:.4f}" if abs(mean) > 1e-3 else f"{mean:.4e}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def _each(seconds: float) -> str:
    return f"{seconds:.0f}s" if seconds >= 1 else f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else (
        f"{seconds * 1e6:.0f}us")
