"""Where windows lie: what max and average pooling have in common. All in whole numbers, none of them an array.

Along one dimension output o covers the pixels o stride - before .. o stride - before + window - 1.
"""

import numpy as np

from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined


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
def clipped(output, stride, window, before, length):
    """Return begin and end of the part of a window that lies in the image."""
    begin = output * stride - before
    return max(0, begin), min(length, begin + window)


@inlined
def covering(pixel, stride, window, before, outputs):
    """Return begin and end of the outputs whose windows a pixel lies in."""
    return max(0, (pixel + before - window) // stride + 1), min(outputs, (pixel + before) // stride + 1)


@inlined
def run_of(output, stride, window, before, length, outputs):
    """Return how many outputs from `output` on belong to its run: those whose windows lie in the image, or itself."""
    begin = output * stride - before
    if begin < 0 or begin + window > length:
        return 1
    return min(outputs, (length + before - window) // stride + 1) - output


@inlined
def run_of_phase(pixel, stride, window, before, length, first, last):
    """Return how many pixels, `stride` apart from `pixel` on, lie in windows of equally many outputs first..last - 1.

    Or 1, if not all outputs that would cover this pixel are among those.
    """
    begin, end = (pixel + before - window) // stride + 1, (pixel + before) // stride + 1
    if begin < first or end > last:
        return 1
    return min(last - end + 1, (length - 1 - pixel) // stride + 1)


@inlined
def apart(g):
    """Return whether windows do not overlap."""
    return g["sh"] >= g["kh"] and g["sw"] >= g["kw"]


@inlined
def clear_between(dx, row, low, size, g):
    """Write zeros around the windows of a row of outputs that do not overlap.

    Rows of pixels belong to the row of windows that begins in them or above, and the first ones to the first.
    """
    h, w, c = g["h"], g["w"], g["c"]
    i = row % g["oh"]
    begin = 0 if i == 0 else max(0, min(h, i * g["sh"] - g["top"]))
    end = h if i == g["oh"] - 1 else max(0, min(h, (i + 1) * g["sh"] - g["top"]))
    top, bottom = clipped(i, g["sh"], g["kh"], g["top"], h)
    behind = min(w, max(0, (g["ow"] - 1) * g["sw"] - g["left"] + g["kw"]))  # the last window ends here
    for p in range(begin, end):
        inside = top <= p < bottom and g["sw"] == g["kw"]
        for q in range(behind if inside else 0, w):
            at = np.uintp(((row // g["oh"] * h + p) * w + q) * c + low)
            for k in range(np.uintp(size)):
                dx[at + k] = 0
