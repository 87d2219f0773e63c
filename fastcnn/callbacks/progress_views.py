"""What `Progress` draws: a line that moves, lines, or a table in a notebook."""

import html
from typing import Any, NamedTuple

import numpy as np

from fastcnn.callbacks.callback import Logs
from fastcnn.callbacks.output import shown, write

_ROWS = 60  # of a table; those before it become one


class Status(NamedTuple):
    """Where a training is.

    Attributes
    ----------
    epoch, epochs : int
        From 0, and how many there will be.
    step, steps : int
        That are done in this epoch, and of how many; the latter is None where nobody knows.
    seconds : float
        Of this epoch so far.
    left : float or None
        Seconds until the end of training, as far as one can tell.
    logs : dict
    """

    epoch: int
    epochs: int
    step: int
    steps: int | None
    seconds: float
    left: float | None
    logs: Logs

    @property
    def place(self) -> str:
        """``epoch 2/5 - 17/100``."""
        of = "" if self.steps is None else f"/{self.steps}"
        return f"epoch {self.epoch + 1}/{self.epochs} - {self.step}{of}"

    @property
    def time_left(self) -> str:
        """``0:41 left - ``, or nothing."""
        if self.left is None:
            return ""
        minutes, seconds = divmod(round(self.left), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02} left - " if hours else f"{minutes}:{seconds:02} left - "


class ProgressView:
    """The base of views.

    Attributes
    ----------
    interval : float or None
        Seconds between two drawings within an epoch; None for none.
    """

    interval: float | None = None

    def during(self, status: Status) -> None: ...

    def after(self, status: Status) -> None: ...

    def end(self) -> None: ...


class LinesView(ProgressView):
    """A line an epoch."""

    def after(self, status: Status) -> None:
        write(f"{_line(status)}\n")


class MovingLineView(ProgressView):
    """A line that moves, above it one an epoch."""

    interval = 0.1

    def during(self, status: Status) -> None:
        write(f"\r{status.place} - {status.seconds:.1f} s - {status.time_left}{shown(status.logs)}\033[K")

    def after(self, status: Status) -> None:
        write(f"\r\033[K{_line(status)}\n")


class TableView(ProgressView):
    """A table in a notebook: IPython draws it, and draws it anew in the same place."""

    interval = 0.2

    def __init__(self) -> None:
        self._rows: list[tuple[str, dict[str, str]]] = []  # the epoch's place and its cells by column
        self._left_out = 0
        self._handle: Any = None

    def during(self, status: Status) -> None:
        self._draw([*self._rows, _row(status)], f"{status.place} - {status.time_left}".removesuffix(" - "))

    def after(self, status: Status) -> None:
        self._rows.append(_row(status))
        if len(self._rows) > _ROWS:
            del self._rows[0]
            self._left_out += 1
        self._draw(self._rows, status.time_left.removesuffix(" - "))

    def end(self) -> None:
        self._draw(self._rows, "")

    def _draw(self, rows: list[tuple[str, dict[str, str]]], caption: str) -> None:
        from IPython.display import HTML, display

        if not rows:
            return
        picture = HTML(_table(rows, caption, self._left_out))
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)


def _line(status: Status) -> str:
    return f"{status.place} - {status.seconds:.1f} s - {shown(status.logs)}"


def _row(status: Status) -> tuple[str, dict[str, str]]:
    cells = {name: _cell(value) for name, value in status.logs.items()}
    return f"{status.epoch + 1}/{status.epochs}", {**cells, "seconds": f"{status.seconds:.1f}"}


def _cell(value: Any) -> str:
    return ", ".join(f"{one:.4f}" for one in np.atleast_1d(value))


def _table(rows: list[tuple[str, dict[str, str]]], caption: str, left_out: int) -> str:
    columns = [*dict.fromkeys(name for _, cells in rows for name in cells if name != "seconds"), "seconds"]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ["epoch", *columns])
    before = f'<tr><td colspan="{len(columns) + 1}">{left_out} epochs before</td></tr>' if left_out else ""
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in [
        place, *(cells.get(name, "") for name in columns)]) + "</tr>" for place, cells in rows)
    said = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{said}<thead><tr>{head}</tr></thead><tbody>{before}{body}</tbody></table>"
