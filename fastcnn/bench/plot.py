"""The picture of a roofline: what the machine can do, and where the layers stand under it."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

from fastcnn.bench.layers import LayerTiming
from fastcnn.bench.machine import Machine
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import expanded

_COLORS = {"forward": "#1f6fb4", "backward": "#c8501e"}


def draw(path: str, rows: list[LayerTiming], machine: Machine, dtype: str, title: str) -> None:
    """Draw the layers that multiply, operations a byte against operations a second, both logarithmic.

    Parameters
    ----------
    path : str
        Its ending says which format: .png, .svg, .pdf.
    rows : list of LayerTiming
    machine : Machine
    dtype : str
        Whose peak is drawn.
    title : str

    Raises
    ------
    ImportError, ArgumentError
        As `require`.
    """
    figure_class = require(path)
    points = [(row.name, name, one.operations / one.bytes, one.operations / one.seconds / 1e9)
              for row in rows for name, one in row.passes.items() if one.operations]
    peak = machine.flops[dtype] / 1e9
    left = min([0.25, *(p[2] / 2 for p in points)])
    right = max([200.0, *(p[2] * 4 for p in points)])
    bottom = min([peak / 30, *(p[3] / 2 for p in points)])
    top = max([peak * 1.8, *(p[3] * 1.5 for p in points)])  # Winograd multiplies less than is counted

    figure = figure_class(figsize=(10, 6.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(bottom, top), title=title,
             xlabel="operations a byte (each array once)", ylabel="GFLOP/s")
    axes.grid(which="major", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    figure.draw_without_rendering()  # now it is known how steep a line is
    for number, level in enumerate(machine.levels):
        ridge = machine.flops[dtype] / level.bandwidth
        main = level is machine.levels[-1]
        axes.plot([left, ridge], [left * level.bandwidth / 1e9, peak], color="black" if main else "#999999",
                  linewidth=1.6 if main else 1, linestyle="-" if main else "--")
        start = max(left * 1.15, bottom * 1.4e9 / level.bandwidth) * (1.6 if number % 2 else 1)  # two may lie close
        axes.annotate(f"{level.name} {level.bandwidth / 1e9:.0f} GB/s", (start, start * level.bandwidth / 1e9),
                      xytext=(-3, 3), textcoords="offset points", rotation=_slope(axes), rotation_mode="anchor",
                      fontsize=8, va="bottom", color="black" if main else "#777777")
    nearest = machine.flops[dtype] / machine.levels[0].bandwidth
    axes.plot([nearest, right], [peak, peak], color="black", linewidth=1.6)
    axes.annotate(f"{peak:.0f} GFLOP/s {dtype}, {machine.threads} threads", (right, peak), xytext=(-4, 4),
                  textcoords="offset points", fontsize=8, ha="right", va="bottom")
    for name, color in _COLORS.items():
        mine = [p for p in points if p[1] == name]
        axes.scatter([p[2] for p in mine], [p[3] for p in mine], s=34, label=name, edgecolors=color, linewidths=1.4,
                     facecolors=color if name == "forward" else "white", zorder=5)
    _label(axes, points, (nearest, right, peak))
    if points:
        axes.legend(loc="lower right", frameon=False)
    figure.savefig(expanded(path), dpi=144)


def _slope(axes: Any) -> float:
    """Return the angle of a line of constant bandwidth on the picture, in degrees."""
    (x0, y0), (x1, y1) = axes.transData.transform([(1, 1), (10, 10)])
    return math.degrees(math.atan2(y1 - y0, x1 - x0))


def _label(axes: Any, points: list[tuple[str, str, float, float]], roof: tuple[float, float, float]) -> None:
    """Write names beside points, moved up or down until they stand clear of one another and of the roof."""
    figure = axes.figure
    figure.draw_without_rendering()
    height = 11 * figure.dpi / 72
    places = [axes.transData.transform((x, y)) for _, _, x, y in points]
    taken = [(across - 5, across + 5, up) for across, up in places]  # left, right and middle of what stands there
    (begin, up), (end, _) = axes.transData.transform([(roof[0], roof[2]), (roof[1], roof[2])])
    taken += [(begin, end, up), (begin, end, up + height)]  # the line, and its name above it
    for name, part, x, y in sorted(points, key=lambda p: -p[3]):
        across, up = axes.transData.transform((x, y))
        begin, end = across + 8, across + 8 + 0.62 * height * len(name)
        shift = next(s for s in _shifts() if not any(
            begin < right and left < end and abs(up + s * height - middle) < height for left, right, middle in taken))
        taken.append((begin, end, up + shift * height))
        axes.annotate(name, (x, y), xytext=(8, shift * 11 - 3), textcoords="offset points", fontsize=8,
                      color=_COLORS[part], zorder=6,
                      arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.6} if abs(shift) > 1 else None)


def _shifts() -> Iterator[int]:
    """Yield 0, -1, 1, -2, 2, ... lines."""
    yield 0
    for number in itertools.count(1):
        yield -number
        yield number


def require(path: str) -> Any:
    """Return matplotlib's class of figures, if it can draw into such a file.

    Parameters
    ----------
    path : str

    Raises
    ------
    ImportError
        If matplotlib is not installed, with the way to get it.
    ArgumentError
        If the ending is of no picture, or the folder is not there.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError('bench: --plot needs matplotlib; pip install "fastcnn[plot]"') from None
    file, known = expanded(path), Figure().canvas.get_supported_filetypes()
    if file.suffix.lower().lstrip(".") not in known:
        raise ArgumentError(f"bench: --plot expected a picture's ending such as .png or .svg, got {path}")
    if not file.absolute().parent.is_dir():
        raise ArgumentError(f"bench: --plot expected a folder that is there, got {path}")
    return Figure
