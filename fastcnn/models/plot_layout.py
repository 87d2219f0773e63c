"""Where the boxes of a drawing stand: a layered layout, as Sugiyama, Tagawa and Toda give it (1981), in four steps.

1. A box stands in the row of its longest path from a beginning; an edge over several rows gets a point in each.
2. Boxes of a row are ordered by the mean place of what they are connected with, row by row, down and up.
3. Each is moved towards the mean of its neighbours; where two would overlap, both stand around their common mean
   (pooling of adjacent violators, the least squares of an ordered sequence).
4. What is read off are the places of boxes and the points that edges pass through.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

_SWEEPS = 12
_BEND = 18.0  # what a passing edge takes of a row's width


@dataclass
class Drawn:
    """Places: the middle of each box, and for each edge the points it passes through, both ends included."""

    boxes: list[tuple[float, float]]
    edges: list[list[tuple[float, float]]]
    width: float
    height: float


@dataclass
class _Item:
    """A box, or the point in which an edge passes a row."""

    row: int
    width: float
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    x: float = 0.0


def layered(widths: Sequence[float], edges: Sequence[tuple[int, int]], height: float, gap: float) -> Drawn:
    """Lay out boxes in rows.

    Parameters
    ----------
    widths : sequence of float
        Of the boxes, of which there is one at least, each after those it depends on.
    edges : sequence of (int, int)
        From box to box, to later ones.
    height : float
        Of every box.
    gap : float
        Between boxes of a row; twice as much between rows.
    """
    rows = [0] * len(widths)
    for a, b in sorted(edges, key=lambda edge: edge[1]):
        rows[b] = max(rows[b], rows[a] + 1)
    items = list(map(_Item, rows, widths))
    paths = []
    for a, b in edges:
        path = [a]
        for row in range(rows[a] + 1, rows[b]):
            items.append(_Item(row, _BEND))
            path.append(len(items) - 1)
        path.append(b)
        for one, other in itertools.pairwise(path):
            items[one].below.append(other)
            items[other].above.append(one)
        paths.append(path)
    table: list[list[int]] = [[] for _ in range(max(rows) + 1)]
    for k, item in enumerate(items):
        table[item.row].append(k)
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        for line in table if down else table[::-1]:
            wanted = {k: _mean([items[n].x for n in (items[k].above if down else items[k].below)], items[k].x)
                      for k in line}
            if sweep < _SWEEPS:  # first who stands beside whom, then where
                line.sort(key=lambda k: wanted[k])
            _moved(line, wanted, items, gap)
    left = min(item.x - item.width / 2 for item in items)
    right = max(item.x + item.width / 2 for item in items)
    boxes = [(item.x - left, item.row * (height + 2 * gap) + height / 2) for item in items]
    lines = []
    for path in paths:
        points = [boxes[k] for k in path]
        (x0, y0), (x1, y1) = points[0], points[-1]
        # Past the boxes of a row an edge runs straight, so that it does not slip behind one of them.
        passed = [(x, y + half) for x, y in points[1:-1] for half in (-height / 2, height / 2)]
        lines.append([(x0, y0 + height / 2), *passed, (x1, y1 - height / 2)])
    return Drawn(boxes[: len(widths)], lines, right - left, len(table) * (height + 2 * gap) - 2 * gap)


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _moved(row: list[int], wanted: dict[int, float], items: list[_Item], gap: float) -> None:
    """Move a row's items as near to where they want to be as their order and widths allow."""
    offsets = [0.0]
    for k, after in itertools.pairwise(row):
        offsets.append(offsets[-1] + (items[k].width + items[after].width) / 2 + gap)
    pools: list[list[float]] = []  # [sum, count] of what stands together, from the left
    for k, offset in zip(row, offsets, strict=True):
        pools.append([wanted[k] - offset, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    means = [total / count for total, count in pools for _ in range(int(count))]
    for k, offset, mean in zip(row, offsets, means, strict=True):
        items[k].x = mean + offset
