"""The gradients of a depthwise convolution with respect to its weights and its bias.

    dkernel[r, s, 0, c] += sum over n, i, j of x[n, i sh + r dh - top, j sw + s dw - left, c] * dy[n, i, j, c]
    dbias[c]            += sum over n, i, j of dy[n, i, j, c]

One vector of channels at a time, and seven columns of outputs or all those that lie inside the image::

    dy   one vector of 7 pixels       |d0|d1|..|d6|   from L1 or L2     registers
    x    of each row of the window    |q0|q1|..|q8|   from L1           d0..d6, one q, and the sums: of all 9 taps of a
         |q0|q1|..|q8|                                                  3x3 window, or of 3 or 2 rows of a 5x5;
         |q0|q1|..|q8|                                                  they stay there down the whole band

Output rows are cut into chunks with sums of their own, added in order; where they are few the channels are cut instead.
"""

from fastcnn.kernels.cpu._jit import inlined, kernel, parallel
from fastcnn.kernels.cpu.depthwise import BAND, GRAIN, TASKS, channels_of
from fastcnn.kernels.cpu.depthwise_sums import gradients
from fastcnn.kernels.cpu.pack import accumulate, clear
from fastcnn.kernels.cpu.tile import lanes
from fastcnn.kernels.cpu.walk import lanes_of

POSITIONS = 512  # output pixels of a chunk at least: adding its sums costs a few per cent of making them


def depthwise2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `depthwise2d_backward_weights` wants."""
    g, one = geometry[0], lanes(dtype)
    blocks = -(-g["c"] // one)
    return int(_plan(g, blocks)[0] * blocks * (g["kh"] * g["kw"] + 1) * one)


@inlined
def _plan(g, blocks):
    """Return chunks of the output rows and parts of the channels, of which there are `blocks` vectors."""
    pixels = g["n"] * g["oh"] * g["ow"]
    wanted = max(1, min(TASKS, pixels * g["c"] * g["kh"] * g["kw"] // GRAIN))
    chunks = max(1, min(wanted, g["n"] * g["oh"], pixels // POSITIONS))
    return chunks, max(1, min(blocks, -(-wanted // chunks)))


@kernel
def depthwise2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the weights and of the bias.

    Parameters
    ----------
    dkernel : (KH, KW, 1, C) array
        Added to.
    dbias : (C,) or (0,) array
        Added to; size 0 if there is no bias.
    scratch : (depthwise2d_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    dy : (N, OH, OW, C) array
    geometry : CONV2D
        With as many groups and filters as channels.
    """
    g = geometry[0]
    one, c, taps = lanes_of(x), g["c"], g["kh"] * g["kw"]
    blocks = -(-c // one)
    chunks, parts = _plan(g, blocks)
    share = (taps + 1) * one
    parallel(_task, chunks * parts, (scratch, x.reshape(-1), dy.reshape(-1), chunks, parts, geometry))
    out = dkernel.reshape(-1)
    for chunk in range(chunks):
        for block in range(blocks):
            first = block * one
            # The last vector overlaps the one before it: the lanes they share are that one's.
            shared = first - max(0, min(first, c - one))
            sums, count = (chunk * blocks + block) * share + shared, min(c, first + one) - first
            for tap in range(taps):
                accumulate(out, tap * c + first, scratch, sums + tap * one, count)
            if dbias.size > 0:
                accumulate(dbias, first, scratch, sums + taps * one, count)


@inlined
def _task(task, scratch, x, dy, chunks, parts, geometry):
    """One chunk of the output rows, for a part of the channels."""
    g = geometry[0]
    one, c = lanes_of(x), g["c"]
    blocks, share = -(-c // one), (g["kh"] * g["kw"] + 1) * one
    chunk, part = task // parts, task % parts
    begin, end = channels_of(x, c, part, parts)
    sums = chunk * blocks * share
    clear(scratch, sums + begin // one * share, (-(-end // one) - begin // one) * share)
    lines = g["n"] * g["oh"]
    line, last = chunk * lines // chunks, (chunk + 1) * lines // chunks
    band = max(1, BAND // (g["w"] * c * g["sh"]))
    while line < last:
        image, row = line // g["oh"], line % g["oh"]
        rows = min(band, last - line, g["oh"] - row)
        gradients(scratch, sums, x, (image * g["h"] * g["w"] * c, g["h"], g["w"], c),
                  dy, (image * g["oh"] * g["ow"] * c, g["ow"]),
                  (g["kh"], g["kw"], g["sh"], g["sw"], g["dh"], g["dw"], g["top"], g["left"]),
                  (row, rows, begin, end))
        line += rows
