"""One piece of memory for arrays that do not all live at once.

An array lives from the first moment at which it is needed to the last; two that do not live at once may share bytes.
The largest get their places first, each the lowest that is free (greedy by size: Pisarchyk and Lee, "Efficient memory
management for deep neural net inference", 2020)::

    bytes  |      |  conv2 ....... |
           |  x   +-------+--------+--------+      calls -->
           |      | conv1 |  conv3 |   y    |
           +------+-------+--------+--------+
"""

import math
from collections.abc import Sequence

from fastcnn.graph.steps import Graph

_LINE = 64


def offsets(sizes: Sequence[int], lives: Sequence[tuple[int, int]]) -> tuple[list[int], int]:
    """Return where in an arena each array begins, and the arena's size, in bytes.

    Parameters
    ----------
    sizes : sequence of int
        Bytes.
    lives : sequence of (int, int)
        The first and the last moment at which an array must keep its bytes.
    """
    places, total = [0] * len(sizes), 0
    done: list[int] = []
    # The index breaks ties, so that a plan does not depend on the sorting.
    for k in sorted(range(len(sizes)), key=lambda k: (-sizes[k], k)):
        size, at = -(-sizes[k] // _LINE) * _LINE, 0
        beside = [(places[n], places[n] + sizes[n]) for n in done
                  if lives[n][0] <= lives[k][1] and lives[k][0] <= lives[n][1]]
        # The first gap, from the lowest address up, that is large enough; else behind all of them.
        for begin, end in sorted(beside):
            if at + size <= begin:
                break
            at = max(at, -(-end // _LINE) * _LINE)
        places[k], total = at, max(total, at + size)
        done.append(k)
    return places, total


def planned_bytes(graph: Graph, size: int) -> tuple[int, int]:
    """Return the bytes of the arrays between a graph's layers, for one sample: planned, and without sharing.

    Parameters
    ----------
    graph : Graph
    size : int
        Bytes of a number.
    """
    sizes, lives = [], []
    last = {slot: at for at, step in enumerate(graph.steps) for slot in step.last_uses}
    for at, step in enumerate(graph.steps):
        shapes = [step.node.output_shape] if len(step.outputs) == 1 else step.node.output_shape
        for slot, shape in zip(step.outputs, shapes, strict=True):
            sizes.append(size * math.prod(shape[1:]))
            lives.append((at, last.get(slot, len(graph.steps))))
    return offsets(sizes, lives)[1], sum(sizes)
