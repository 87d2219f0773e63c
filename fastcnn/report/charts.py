"""The chart of each thing that the report finds."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.report.bias_and_variance import Gaps
from fastcnn.report.drawing import Axes, Drawing
from fastcnn.report.intervals import Estimate
from fastcnn.report.learning_curves import Curve, smoothed
from fastcnn.report.reliability import Calibration
from fastcnn.report.words import figure

_MANY = 30  # epochs: beyond, single values are faint, and a moving mean is drawn
_BINS = 24


def draw_gaps(found: Gaps) -> Drawing:
    """Draw the errors of the parts with their intervals, one below the other.

    Parameters
    ----------
    found : Gaps

    Examples
    --------
    >>> found = fc.report.gaps({"train": np.zeros(20, bool), "dev": np.arange(20) < 3})
    >>> "dev" in fc.report.draw_gaps(found).svg
    True
    """
    rows = [({"human": "people", "train_dev": "train-dev"}.get(name, name), one) for name, one in found.errors.items()]
    most = max((one.high for _, one in rows if math.isfinite(one.high)), default=0.0) or 0.01
    width, left, right, line = 400.0, 66.0, 66.0, 30.0
    span, parts = width - left - right, []
    for k, (name, one) in enumerate(rows):
        y = 18 + k * line
        a, low, high = (left + span * value / most for value in (one.value, one.low, min(one.high, most)))
        parts.append(f'<text class="end strong" x="{left - 8:g}" y="{y + 4:g}">{escape(name)}</text>'
                     f'<rect class="bar s{int(name != "people")} faint" x="{left:g}" y="{y - 7:g}" '
                     f'width="{max(a - left, 0.5):.1f}" height="14"/>'
                     f'<line class="s{int(name != "people")} curve" x1="{low:.1f}" y1="{y:g}" x2="{high:.1f}" '
                     f'y2="{y:g}"/><circle class="dot s{int(name != "people")}" cx="{a:.1f}" cy="{y:g}" r="4"/>'
                     f'<text class="strong" x="{high + 8:.1f}" y="{y + 4:g}">{figure(one.value, found.unit)}</text>')
    parts.append(f'<line class="axis" x1="{left:g}" y1="4" x2="{left:g}" y2="{8 + len(rows) * line:g}"/>')
    return Drawing("errors of the parts with their 95 % intervals", width, 12 + len(rows) * line, parts)


def draw_curve(curve: Curve) -> Drawing:
    """Draw a quantity by epochs, in training and on dev.

    Parameters
    ----------
    curve : Curve

    Examples
    --------
    >>> "epoch" in fc.report.draw_curve(fc.report.Curve("loss", (1, 2), (2.0, 1.0), None)).svg
    True
    """
    some = [values for values in (curve.train, curve.dev) if values is not None]
    finite = [value for values in some for value in values if math.isfinite(value)] or [0.0]
    high = max(finite)
    if len(finite) > 20 and high > 8 * float(np.quantile(finite, 0.9)) > 0:  # a first epoch must not flatten the rest
        high = 2 * float(np.quantile(finite, 0.9))
    axes = Axes(f"{curve.name} by epochs", (curve.epochs[0], curve.epochs[-1]) if curve.epochs else (0, 1),
                (min(*finite, 0.0) if min(finite) < 0.5 * high else min(finite), high), "epoch", curve.name,
                counts=True)
    for series, (name, values) in enumerate((("in training", curve.train), ("dev", curve.dev))):
        if values is None:
            continue
        if len(values) > _MANY and all(map(math.isfinite, values)):
            axes.line(curve.epochs, values, series, "thin")
            axes.line(curve.epochs, smoothed(values), series)
        else:
            axes.line(curve.epochs, values, series)
        axes.name(series, name)
    return axes.drawing()


def draw_reliability(found: Calibration) -> Drawing:
    """Draw how often answers are right by how sure they are; on the dotted line they mean what they say.

    Parameters
    ----------
    found : Calibration

    Examples
    --------
    >>> found = fc.report.calibration(np.array([[0.8, 0.2]]), np.array([0]))
    >>> "how sure" in fc.report.draw_reliability(found).svg
    True
    """
    axes = Axes("how often right, by how sure", (0, 1), (0, 1), "how sure", "how often right", in_percent="xy",
                width=300, height=260)
    axes.diagonal()
    for k, count in enumerate(found.counts.tolist()):
        if count:
            x = float(found.confidence[k])
            axes.interval(x, float(found.low[k]), float(found.high[k]))
            axes.dots([x], [float(found.accuracy[k])], radius=3 if count < 30 else 4.5)
    return axes.drawing()


def draw_scatter(truth: Any, told: Any, name: str) -> Drawing:
    """Draw what was told against what is so; on the dotted line they are equal.

    Parameters
    ----------
    truth, told : (N,) arrays
    name : str
        Of the quantity.

    Examples
    --------
    >>> "rent" in fc.report.draw_scatter([1.0, 2.0], [1.1, 1.8], "rent").svg
    True
    """
    x, y = np.asarray(truth, np.float64), np.asarray(told, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ArgumentError(f"draw_scatter: expected two rows of equal length, got {x.shape} and {y.shape}")
    finite = np.concatenate([x[np.isfinite(x)], y[np.isfinite(y)]])
    ends = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    axes = Axes(f"{name}: told against true", ends, ends, "true", "told", width=300, height=260)
    axes.diagonal()
    axes.dots(x.tolist(), y.tolist(), radius=2, kind="dot faint")
    return axes.drawing()


def draw_histogram(values: Any, name: str, others: Any = None) -> Drawing:
    """Draw how many values lie where; of two parts, as shares of each.

    Parameters
    ----------
    values : (N,) array
    name : str
        Of the quantity.
    others : (M,) array, optional
        Those of dev beside those of train.

    Examples
    --------
    >>> "brightness" in fc.report.draw_histogram([1.0, 2.0, 2.0], "brightness").svg
    True
    """
    rows = [np.asarray(one, np.float64) for one in (values, others) if one is not None]
    rows = [row[np.isfinite(row)] for row in rows]
    every = np.concatenate(rows)
    ends = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    edges = np.linspace(ends[0], ends[1] if ends[1] > ends[0] else ends[0] + 1, _BINS + 1)
    shares = [np.histogram(row, edges)[0] / max(len(row), 1) for row in rows]
    axes = Axes(f"{name}: how many examples where", ends, (0, 1.15 * max(float(share.max()) for share in shares)), name,
                "share of examples", in_percent="y")
    for series, share in enumerate(shares):
        if others is None:
            for k, one in enumerate(share.tolist()):
                axes.bar(float(edges[k]), float(edges[k + 1]), one, series, f"{100 * one:.1f} %")
        else:
            axes.line(np.repeat(edges, 2)[1:-1].tolist(), np.repeat(share, 2).tolist(), series)
            axes.name(series, ("train", "dev")[series])
    return axes.drawing()


def draw_estimate(one: Estimate) -> Drawing:
    """Draw a share from 0 to 1 with its interval, small enough for a table.

    Parameters
    ----------
    one : Estimate

    Examples
    --------
    >>> "50.0 %" in fc.report.draw_estimate(fc.report.Estimate(0.5, 0.2, 0.8, 10)).svg
    True
    """
    width, height = 84.0, 14.0
    title = f"{figure(one.value, '%')}, 95 % interval {figure(one.low, '%')} to {figure(one.high, '%')}"
    if not math.isfinite(one.value):
        return Drawing(title, width, height, [])
    place = [5 + (width - 10) * value for value in (one.low, one.high, one.value)]
    return Drawing(title, width, height, [
        f'<line class="grid" x1="5" y1="7" x2="{width - 5:g}" y2="7"/>',
        f'<line class="s0 curve" x1="{place[0]:.1f}" y1="7" x2="{place[1]:.1f}" y2="7"/>',
        f'<circle class="dot s0" cx="{place[2]:.1f}" cy="7" r="3.5"/>'])


def draw_bars(names: Sequence[str], values: Sequence[float], title: str) -> Drawing:
    """Draw a bar for each name, one below the other, the values as shares of the largest.

    Parameters
    ----------
    names : sequence of str
    values : sequence of float
    title : str

    Examples
    --------
    >>> "conv2d" in fc.report.draw_bars(["conv2d"], [2.0], "time by layer").svg
    True
    """
    width, left, line, parts = 400.0, 150.0, 18.0, []
    most = max([value for value in values if math.isfinite(value)], default=0.0) or 1.0
    for k, (name, value) in enumerate(zip(names, values)):
        y, short = 12 + k * line, name if len(name) <= 22 else f"{name[:20]}.."
        parts.append(f'<text class="end strong" x="{left - 6:g}" y="{y + 4:g}">{escape(short)}</text><rect '
                     f'class="bar s0" x="{left:g}" y="{y - 6:g}" height="12" '
                     f'width="{max(0.5, (width - left - 8) * value / most):.1f}"/>')
    return Drawing(title, width, 8 + len(names) * line, parts)
