"""How work is cut into tasks: enough of them to balance the threads, none too small to be worth waking a thread."""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.gemm.tile import M0

TASKS = 16  # tasks of a launch at least, so that threads end together
GRAIN = 1 << 18  # multiply-adds of a task at least: 5 microseconds, about what a launch costs


@inlined
def tasks_for(work):
    """Return how many tasks so many multiply-adds are worth: one, or an even number, which two threads can share."""
    return even(max(1, min(TASKS, work // GRAIN)))


@inlined
def even(tasks):
    """Return so many tasks, or one more where they are odd: of three, two threads take as long as of four."""
    return tasks + (1 if tasks > 1 and tasks % 2 != 0 else 0)


@inlined
def cut(images, rows, wide, sees, sums, blocks, weights):
    """Return images a task, rows a task, and parts of the blocks of filters: how a convolution is shared out.

    `sees` is the elements of the image, `weights` those of the filters, `sums` the multiply-adds of one position. Each
    task reads its whole share of both, so the larger of the two is cut first.
    """
    tasks = tasks_for(images * rows * wide * sums)
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
