"""A picture of a search: parallel coordinates, an axis for each parameter, a line for each trial."""

from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.tuning.space import Range
from fastcnn.tuning.study import Study


def draw(study: Study, path: Path) -> None:
    """Write the picture; the better a trial, the darker its line, and the best one is red.

    Parameters
    ----------
    study : Study
    path : Path
        Ends in ``.svg`` or ``.png``.

    Raises
    ------
    ImportError
        Without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError('tune: drawing needs matplotlib; pip install "fastcnn[plot]"') from None

    trials = [one for one in study.ranked() if one.score is not None and one.values]
    names = list(study.space)
    figure = Figure(figsize=(2 + 1.5 * len(names), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    scores = np.array([one.score for one in trials], float)
    for place, trial in reversed(list(enumerate(trials))):
        line = [_place(study.space[name], trial.values[name]) for name in names] + [_share(scores, trial.score)]
        rank = 1 - place / max(1, len(trials) - 1)
        look: dict[str, Any] = {"color": str(0.85 - 0.7 * rank), "linewidth": 0.9, "zorder": 2} if place else {
            "color": "#c02020", "linewidth": 2.2, "zorder": 3}
        axis.plot(range(len(line)), line, **look)
    for k, name in enumerate(names):
        for share, text in _ticks(study.space[name]):
            axis.annotate(text, (k, share), xytext=(3, 0), textcoords="offset points", fontsize=8, va="center")
    if len(scores):
        for share, score in ((0, scores.min()), (1, scores.max())):
            axis.annotate(f"{score:.4g}", (len(names), share), xytext=(3, 0), textcoords="offset points", fontsize=8,
                          va="center")  # fmt: skip
    axis.set_xticks(range(len(names) + 1), [*names, "score"])
    axis.set(yticks=[], xlim=(-0.1, len(names) + 0.4), ylim=(-0.05, 1.05))
    for k in range(len(names) + 1):
        axis.axvline(k, color="0.4", linewidth=0.8)
    for side in axis.spines.values():
        side.set_visible(False)
    figure.savefig(path)


def _share(scores: np.ndarray, score: Any) -> float:
    span = scores.max() - scores.min()
    return 0.5 if span == 0 else float((score - scores.min()) / span)


def _place(one: Any, value: Any) -> float:
    """Return where a value is on its axis, from 0 to 1."""
    if not isinstance(one, Range):
        return 0.5 if len(one.values) == 1 else one.values.index(value) / (len(one.values) - 1)
    low, high, here = (one._to_scale(x) for x in (one.low, one.high, value))
    return (here - low) / (high - low)


def _ticks(one: Any) -> list[tuple[float, str]]:
    if isinstance(one, Range):
        return [(0, f"{one.low:g}"), (1, f"{one.high:g}")]
    return [(_place(one, value), str(value)[:14]) for value in one.values]
