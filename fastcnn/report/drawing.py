"""Charts as SVG: axes, lines, points, bars and intervals, with text as text and colours as variables of CSS.

Nothing has an inline style, so that a page may forbid those. The colours stand in `style`: light, dark, and print.
"""

import functools
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from fastcnn.formats.files import write_atomically

TEMPLATES = Path(__file__).parent / "templates"

_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 18.0, 22.0, 34.0


class Drawing:
    """A chart.

    Parameters
    ----------
    title : str
        What it shows, for those who cannot see it.
    width, height : float
    parts : sequence of str
        Elements of SVG.

    Examples
    --------
    >>> drawing = fc.report.Drawing("nothing", 10, 10, [])
    >>> drawing.svg.startswith("<svg")
    True
    """

    def __init__(self, title: str, width: float, height: float, parts: Sequence[str]) -> None:
        self.title, self.width, self.height, self._parts = title, width, height, list(parts)

    @property
    def markup(self) -> str:
        """The chart for a page that has `style`."""
        return self._text("")

    @property
    def svg(self) -> str:
        """The chart as a file of its own."""
        return self._text(f"<style>{style()}</style>")

    def save(self, path: Any) -> None:
        """Write the chart as an SVG file.

        Parameters
        ----------
        path : path-like
        """
        write_atomically(Path(path), self.svg.encode())

    def _repr_svg_(self) -> str:
        return self.svg

    def _text(self, style: str) -> str:
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}"'
        return (f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" {size} '
                f'aria-label="{escape(self.title)}">{style}<title>{escape(self.title)}</title>'
                f'{"".join(self._parts)}</svg>')


class Axes:
    """A chart with two axes, which things are drawn into.

    Parameters
    ----------
    title : str
    x, y : (float, float)
        The least and the largest value.
    x_label, y_label : str
    in_percent : str
        "x", "y" or both: which values are shares.
    counts : bool
        Whether x counts: its ticks are whole numbers.
    width, height : float
    """

    def __init__(self, title: str, x: tuple[float, float], y: tuple[float, float], x_label: str = "",
                 y_label: str = "", *, in_percent: str = "", counts: bool = False, width: float = 360,
                 height: float = 230) -> None:
        self.title, self.width, self.height = title, width, height
        self.x, self.y = _opened(x), _opened(y)
        self._parts = [*self._grid(in_percent, counts), *self._labels(x_label, y_label)]
        self._legend: list[tuple[str, int]] = []

    def drawing(self) -> Drawing:
        """Return what was drawn."""
        parts, left = list(self._parts), _LEFT
        for name, series in self._legend:
            parts.append(f'<rect class="bar s{series}" x="{left:.1f}" y="2" width="9" height="9"/>'
                         f'<text class="strong" x="{left + 13:.1f}" y="11">{escape(name)}</text>')
            left += 24 + 6.2 * len(name)
        return Drawing(self.title, self.width, self.height, parts)

    def name(self, series: int, name: str) -> None:
        """Name a series of 0 to 3, which have colours."""
        self._legend.append((name, series))

    def line(self, xs: Sequence[float], ys: Sequence[float], series: int = 0, kind: str = "curve") -> None:
        """Draw a line through points; one that is not finite leaves a gap."""
        path, is_drawing = [], False
        for x, y in zip(xs, ys):
            if not (math.isfinite(x) and math.isfinite(y)):
                is_drawing = False
                continue
            path.append(f"{'L' if is_drawing else 'M'}{self._right(x):.1f} {self._down(y):.1f}")
            is_drawing = True
        if len(path) == 1:
            self.dots(xs, ys, series)
        self._parts.append(f'<path class="{kind} s{series}" d="{"".join(path)}"/>')

    def diagonal(self) -> None:
        """Draw where both axes have one value."""
        low, high = max(self.x[0], self.y[0]), min(self.x[1], self.y[1])
        self._parts.append(f'<line class="diagonal" x1="{self._right(low):.1f}" y1="{self._down(low):.1f}" '
                           f'x2="{self._right(high):.1f}" y2="{self._down(high):.1f}"/>')

    def dots(self, xs: Sequence[float], ys: Sequence[float], series: int = 0, radius: float = 3,
             kind: str = "dot") -> None:
        """Draw points."""
        self._parts += [f'<circle class="{kind} s{series}" cx="{self._right(x):.1f}" cy="{self._down(y):.1f}" '
                        f'r="{radius:g}"/>' for x, y in zip(xs, ys) if math.isfinite(x) and math.isfinite(y)]

    def interval(self, x: float, low: float, high: float, series: int = 0) -> None:
        """Draw a vertical interval."""
        if math.isfinite(low) and math.isfinite(high):
            self._parts.append(f'<line class="s{series}" x1="{self._right(x):.1f}" y1="{self._down(low):.1f}" '
                               f'x2="{self._right(x):.1f}" y2="{self._down(high):.1f}"/>')

    def bar(self, left: float, right: float, y: float, series: int = 0, tip: str = "") -> None:
        """Draw a bar from the bottom up to y."""
        a, b, top, bottom = self._right(left), self._right(right), self._down(y), self._down(max(self.y[0], 0))
        if bottom > top:
            self._parts.append(f'<rect class="bar s{series}" x="{a + 0.5:.1f}" y="{top:.1f}" '
                               f'width="{max(b - a - 1, 0.5):.1f}" height="{bottom - top:.1f}">'
                               f'<title>{escape(tip)}</title></rect>')

    def _right(self, x: float) -> float:
        low, high = self.x
        return _LEFT + (min(max(x, low), high) - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def _down(self, y: float) -> float:
        low, high = self.y
        return self.height - _BOTTOM - (min(max(y, low), high) - low) / (high - low) * (self.height - _TOP - _BOTTOM)

    def _grid(self, in_percent: str, counts: bool) -> list[str]:
        right, bottom, parts = self.width - _RIGHT, self.height - _BOTTOM, []
        for value in ticks(*self.y):
            down = self._down(value)
            parts.append(f'<line class="grid" x1="{_LEFT:g}" y1="{down:.1f}" x2="{right:g}" y2="{down:.1f}"/><text '
                         f'class="end" x="{_LEFT - 5:g}" y="{down + 4:.1f}">{_shown(value, "y" in in_percent)}</text>')
        for value in (one for one in ticks(*self.x) if not counts or one == round(one)):
            place = self._right(value)
            parts.append(f'<line class="axis" x1="{place:.1f}" y1="{bottom:g}" x2="{place:.1f}" y2="{bottom + 4:g}"/>'
                         f'<text class="mid" x="{place:.1f}" y="{bottom + 16:g}">{_shown(value, "x" in in_percent)}'
                         '</text>')
        return [*parts, f'<line class="axis" x1="{_LEFT:g}" y1="{bottom:g}" x2="{right:g}" y2="{bottom:g}"/>']

    def _labels(self, x_label: str, y_label: str) -> list[str]:
        middle, half = (_LEFT + self.width - _RIGHT) / 2, (_TOP + self.height - _BOTTOM) / 2
        return [f'<text class="mid" x="{middle:g}" y="{self.height - 4:g}">{escape(x_label)}</text>',
                f'<text class="mid" x="11" y="{half:g}" transform="rotate(-90 11 {half:g})">{escape(y_label)}</text>']


@functools.cache
def style() -> str:
    """Return the colours and lines of charts as CSS; a page has them once for all."""
    return (TEMPLATES / "chart.css").read_text("utf-8")


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers between two numbers: multiples of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low] if math.isfinite(low) else []
    power = 10 ** math.floor(math.log10(span / about))
    step = next((k * power for k in (1, 2, 5, 10) if span / (k * power) <= about), 10 * power)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _shown(value: float, in_percent: bool) -> str:
    return f"{100 * value:g} %" if in_percent else f"{value:.4g}"


def _opened(ends: tuple[float, float]) -> tuple[float, float]:
    """Return ends that differ and are finite."""
    low, high = (end if math.isfinite(end) else 0.0 for end in ends)
    return (low, high) if high > low else (low - 0.5, low + 0.5)
