"""What the three kernels of a convolution share: which algorithm runs, and how the work is cut.

All of it is a function of shapes alone, so that results do not depend on threads. `g` is the one element of a geometry.
"""

import numpy as np

from fastcnn.kernels.cpu._jit import inlined
from fastcnn.kernels.cpu.tile import M0

PANEL = 32768  # elements of a panel of gathered rows
TASKS = 16  # tasks a launch should have at least, for a balanced end
PARTIAL = 1 << 22  # elements of all partial sums of the weights' gradient together
GRAIN = 1 << 18  # multiply-adds of a task at least: 5 microseconds, about what a launch costs


@inlined
def is_pointwise(g):
    """Whether every output sees one input pixel, its own: a 1x1 convolution with stride 1, or a dense layer."""
    same = g["top"] == 0 and g["left"] == 0 and g["h"] == g["oh"] and g["w"] == g["ow"]
    return g["kh"] * g["kw"] * g["sh"] * g["sw"] * g["groups"] == 1 and same


@inlined
def input_is_direct(g):
    """Whether the input's gradient is a direct convolution of dy.

    With few channels most lanes of its vectors would be empty, while the matrix product fills them with (r, s, c).
    """
    return is_pointwise(g) or not g["c"] // g["groups"] <= 8 <= g["k"] // g["groups"]


@inlined
def cut(images, rows, wide, sees, sums, blocks, weights):
    """Return images a task, rows a task, and parts of the blocks of filters: how a convolution is shared out.

    `sees` is the elements of the image, `weights` those of the filters, `sums` the multiply-adds of one position. Each
    task reads its whole share of both, so the larger of the two is cut first.
    """
    tasks = max(1, min(TASKS, images * rows * wide * sums // GRAIN))
    parts = 1
    if weights > sees or images * rows * wide < 2 * M0 * tasks:
        parts = min(blocks, tasks)
    bands = -(-tasks // parts)
    if bands <= images:
        return np.int64(-(-images // bands)), np.int64(max(1, rows)), np.int64(parts)
    tall = -(-rows // -(-bands // max(1, images)))
    if wide == 1:
        tall = -(-tall // M0) * M0
    return np.int64(1), np.int64(max(1, min(rows, tall))), np.int64(parts)


@inlined
def share_of(task, items, parts, weights, sees):
    """Return item and part of a task: those that follow one another share the larger operand.

    `weights` and `sees` are the sizes of filters and images, for one channel or for all.

    A thread takes a run of tasks. One that goes through all items of a part reads few of the filters, and all that its
    core has to fetch is what it needs; one that goes through all parts of an item reads little of the image.
    """
    if weights > sees:
        return task % items, task // items
    return task // parts, task % parts


@inlined
def panel_rows_for(depth):
    """Return rows of a panel `depth` wide: whole tiles, within L2."""
    return max(1, min(16, PANEL // max(1, depth) // M0)) * M0
