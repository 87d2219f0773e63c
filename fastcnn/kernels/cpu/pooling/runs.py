"""Where windows lie: integer arithmetic that max and average pooling share.

Along one dimension position r of output o lies on pixel o stride - before + r dilation, r in 0..window - 1. In an
adaptive pooling output o of O covers the pixels floor(o length / O) .. ceil((o + 1) length / O) - 1 instead.

The outputs whose windows a pixel lies in are equally far apart: those o with o stride = pixel + before (modulo the
dilation), in a range::

    window 2, dilation 3, stride 2, before 0        pixel 6 is in the windows that begin at 6 and 3: only 6 is even
      o = 0: 0 3,  1: 2 5,  2: 4 7,  3: 6 9         so output 3 alone; the next that could be is 3 outputs further
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined


@inlined
def cut(rows, c, work):
    """Return into how many chunks the work is cut, and into how many blocks of channels each row, if rows are few."""
    chunks = chunks_for(work, 64)
    blocks = max(1, min(c // 64, -(-chunks // max(1, rows))))
    return min(chunks, rows * blocks), blocks


@inlined
def item_of(item, blocks, c):
    """Return the row of work `item`, and begin and size of its block of channels."""
    low, high = chunk_of(item % blocks, blocks, c)
    return item // blocks, low, high - low


@inlined
def clipped(output, outputs, stride, window, dilation, before, length, adaptive):
    """Return the first pixel of a window that lies in the image, how many do, and that one's position in the window."""
    if adaptive:
        first = output * length // outputs
        return first, ((output + 1) * length + outputs - 1) // outputs - first, 0
    begin = output * stride - before
    position = max(0, (dilation - 1 - begin) // dilation)
    end = min(window, (length - 1 - begin) // dilation + 1)
    return begin + position * dilation, max(0, end - position), position


@inlined
def rows_of(g, i):
    """Return first row of output row i's windows in the image, how many rows, and the first one's position."""
    return clipped(i, g["oh"], g["sh"], g["kh"], g["dh"], g["top"], g["h"], g["adaptive"])


@inlined
def columns_of(g, j):
    """As `rows_of`, of columns."""
    return clipped(j, g["ow"], g["sw"], g["kw"], g["dw"], g["left"], g["w"], g["adaptive"])


@inlined
def covering(pixel, length, stride, window, dilation, before, outputs, adaptive):
    """Return the first of the outputs whose windows a pixel lies in, how many they are, and how far apart."""
    if adaptive:
        first = pixel * outputs // length
        return first, ((pixel + 1) * outputs + length - 1) // length - first, 1
    at = pixel + before
    first = max(0, (at - (window - 1) * dilation - 1) // stride + 1)
    end = min(outputs, at // stride + 1)
    while first < end and (at - first * stride) % dilation != 0:
        first += 1
    step = 1
    while step * stride % dilation != 0:
        step += 1
    return first, max(0, (end - first + step - 1) // step), step


@inlined
def over_row(g, p):
    """Return the first row of outputs whose windows pixel row p lies in, how many there are, how far apart."""
    return covering(p, g["h"], g["sh"], g["kh"], g["dh"], g["top"], g["oh"], g["adaptive"])


@inlined
def over_column(g, q):
    """As `over_row`, of columns."""
    return covering(q, g["w"], g["sw"], g["kw"], g["dw"], g["left"], g["ow"], g["adaptive"])


@inlined
def run_from(g, j):
    """Return how many outputs from column j on belong to its run: those whose windows lie in the image, or itself."""
    begin, reach = j * g["sw"] - g["left"], (g["kw"] - 1) * g["dw"] + 1
    if g["adaptive"] or begin < 0 or begin + reach > g["w"]:
        return 1
    return min(g["ow"], (g["w"] + g["left"] - reach) // g["sw"] + 1) - j


@inlined
def run_of_phase(g, q, first, last):
    """Return how many pixels, a stride apart from column q on, lie in windows of equally many outputs first..last - 1.

    Or 1, if not all outputs that would cover this pixel are among those.
    """
    at, reach = q + g["left"], (g["kw"] - 1) * g["dw"] + 1
    begin, end = (at - reach) // g["sw"] + 1, at // g["sw"] + 1
    if g["adaptive"] or begin < first or end > last:
        return 1
    return min(last - end + 1, (g["w"] - 1 - q) // g["sw"] + 1)


@inlined
def apart(g):
    """Return whether windows do not overlap, and have no gaps."""
    plain = not g["adaptive"] and g["dh"] == 1 and g["dw"] == 1
    return plain and g["sh"] >= g["kh"] and g["sw"] >= g["kw"]


@inlined
def clear_between(dx, row, low, size, g):
    """Write zeros around the windows of a row of outputs that do not overlap.

    Rows of pixels belong to the row of windows that begins in them or above, and the first ones to the first.
    """
    h, w, c = g["h"], g["w"], g["c"]
    i = row % g["oh"]
    begin = 0 if i == 0 else max(0, min(h, i * g["sh"] - g["top"]))
    end = h if i == g["oh"] - 1 else max(0, min(h, (i + 1) * g["sh"] - g["top"]))
    top, height, _ = rows_of(g, i)
    behind = min(w, max(0, (g["ow"] - 1) * g["sw"] - g["left"] + g["kw"]))  # the last window ends here
    for p in range(begin, end):
        inside = top <= p < top + height and g["sw"] == g["kw"]
        for q in range(behind if inside else 0, w):
            at = np.uintp(((row // g["oh"] * h + p) * w + q) * c + low)
            for k in range(np.uintp(size)):
                dx[at + k] = 0
