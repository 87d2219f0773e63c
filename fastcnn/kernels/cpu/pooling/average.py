"""Average and sum pooling in 2D, global pooling included (a window of the whole image). ONNX: AveragePool.

    y[n, i, j, c] = mean of x[n, i sh + r dh - top, j sw + s dw - left, c] over the window's positions (r, s) in x

What lies in the padding is not counted, unless the geometry's ``divisor`` says so (COUNT_PADDED: as zeros; SUM: nothing
is divided); a window that lies there altogether gives 0. The gradient of a sum over windows side by side is nearest
neighbour's upsampling, and the other way round.

Forward and backward walk as max pooling does (the picture is in `fastcnn.kernels.cpu.pooling.max`). Backward, an output
whose window overlaps with no other writes its share into all of it; else a pixel gathers the shares of the outputs
whose windows it lies in. Where all these shares are equal a run of pixels is one call of a walk over vectors; else each
output is added by itself.
"""

import numpy as np

from fastcnn.geometry import COUNT_IMAGE, COUNT_PADDED, SUM
from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.pooling.runs import (
    apart,
    clear_between,
    columns_of,
    cut,
    item_of,
    over_column,
    over_row,
    rows_of,
    run_from,
    run_of_phase,
)
from fastcnn.kernels.cpu.simd.memory import at3
from fastcnn.kernels.cpu.simd.windows import Windows, window_spread, window_sum


@kernel
def average_pool2d_forward(y, x, geometry):
    """Write the mean of each window's elements in the image.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    x : (N, H, W, C) array
    geometry : POOL2D
    """
    rows = y.shape[0] * y.shape[1]
    chunks, blocks = cut(rows, y.shape[3], x.size)
    parallel(_average_chunk, chunks, (chunks, blocks, y.reshape(-1), x.reshape(-1), geometry))


@inlined
def _average_chunk(chunk, chunks, blocks, y, x, geometry):
    g = geometry[0]
    oh, ow, h, w, c = g["oh"], g["ow"], g["h"], g["w"], g["c"]
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        top, height, _ = rows_of(g, row % oh)
        j = 0
        while j < ow:
            left, width, _ = columns_of(g, j)
            run, share = run_from(g, j), y.dtype.type(1) / divisor_of(g, row % oh, j, height * width)
            windows = Windows(run, (c, g["sw"] * c), (height, width), (g["dh"] * w * c, g["dw"] * c), size)
            window_sum((y, (row * ow + j) * c + low), (x, ((row // oh * h + top) * w + left) * c + low), windows,
                       y.dtype.type(share), 0)
            j += run


@inlined
def divisor_of(g, i, j, inside):
    """Return what the sum of output (i, j)'s window is divided by; `inside` of its elements lie in the image."""
    if g["divisor"] == SUM:
        return np.int64(1)
    if g["divisor"] == COUNT_PADDED:
        down = g["h"] + g["top"] + g["bottom"] - 1 - i * g["sh"]
        right = g["w"] + g["left"] + g["right"] - 1 - j * g["sw"]
        inside = min(g["kh"], down // g["dh"] + 1) * min(g["kw"], right // g["dw"] + 1)
    return max(np.int64(1), inside)


@kernel
def average_pool2d_backward(dx, dy, geometry):
    """Spread each element of dy evenly over the part of its window in the image.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, OH, OW, C) array
    geometry : POOL2D
    """
    if apart(geometry[0]):
        chunks, blocks = cut(dy.shape[0] * dy.shape[1], dx.shape[3], dx.size)
        parallel(_spread_chunk, chunks, (chunks, blocks, dx.reshape(-1), dy.reshape(-1), geometry))
    else:
        chunks, blocks = cut(dx.shape[0] * dx.shape[1], dx.shape[3], dx.size)
        parallel(_gather_chunk, chunks, (chunks, blocks, dx.reshape(-1), dy.reshape(-1), geometry))


@inlined
def _spread_chunk(chunk, chunks, blocks, dx, dy, geometry):
    g = geometry[0]
    oh, ow, h, w, c = g["oh"], g["ow"], g["h"], g["w"], g["c"]
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        clear_between(dx, row, low, size, g)
        top, height, _ = rows_of(g, row % oh)
        j = 0
        while j < ow:
            left, width, _ = columns_of(g, j)
            run, share = run_from(g, j), dx.dtype.type(1) / divisor_of(g, row % oh, j, height * width)
            windows = Windows(run, (c, g["sw"] * c), (height, width), (w * c, c), size)
            window_spread((dx, ((row // oh * h + top) * w + left) * c + low), (dy, (row * ow + j) * c + low), windows,
                          dx.dtype.type(share))
            j += run


@inlined
def _gather_chunk(chunk, chunks, blocks, dx, dy, geometry):
    g = geometry[0]
    h, w, c, oh, ow, sw, real = g["h"], g["w"], g["c"], g["oh"], g["ow"], g["sw"], dx.dtype.type
    # The outputs of equal shares, by rows and by columns.
    rows_low, rows_high = _whole(g["h"], g["sh"], (g["kh"] - 1) * g["dh"] + 1, g["top"], g["bottom"], oh, g["divisor"])
    low_j, high_j = _whole(g["w"], sw, (g["kw"] - 1) * g["dw"] + 1, g["left"], g["right"], ow, g["divisor"])
    share = real(real(1) / (np.int64(1) if g["divisor"] == SUM else g["kh"] * g["kw"]))
    first, last = chunk_of(chunk, chunks, g["n"] * h * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        begin, rows, down = over_row(g, row % h)
        outputs = row // h * oh * ow * c + low
        even_rows = not g["adaptive"] and begin >= rows_low and begin + (rows - 1) * down < rows_high
        for phase in range(min(sw, w)):
            q = phase
            while q < w:
                left, columns, right = over_column(g, q)
                run, at = run_of_phase(g, q, low_j, high_j), (row * w + q) * c
                if even_rows and left >= low_j and left + (columns - 1) * right < high_j:
                    windows = Windows(run, (sw * c, c), (rows, columns), (down * ow * c, right * c), size)
                    window_sum((dx, at + low), (dy, outputs + (begin * ow + left) * c), windows, share, 0)
                else:
                    run = 1
                    _add_shares(dx, at + low, dy, outputs, at3(begin, rows, down), at3(left, columns, right), size, g)
                q += run * sw


@inlined
def _whole(length, stride, reach, before, after, outputs, divisor):
    """Return begin and end of the outputs along one dimension whose sums are divided by the whole window."""
    if divisor == SUM:
        return np.int64(0), outputs
    if divisor == COUNT_IMAGE:
        return -(-before // stride), (length + before - reach) // stride + 1
    return np.int64(0), min(outputs, (length + before + after - reach) // stride + 1)


@inlined
def _add_shares(dx, at, dy, outputs, down, right, size, g):
    """Add to one pixel, one by one, the shares of outputs: those of rows and columns (first, how many, how far)."""
    c, ow, real = g["c"], g["ow"], dx.dtype.type
    window_sum((dx, at), (dy, outputs), Windows(1, (0, 0), (0, 0), (0, 0), size), real(0), 0)
    for i in range(down[0], down[0] + down[1] * down[2], down[2]):
        height = rows_of(g, i)[1]
        for j in range(right[0], right[0] + right[1] * right[2], right[2]):
            share = real(1) / divisor_of(g, i, j, height * columns_of(g, j)[1])
            one = Windows(1, (0, 0), (1, 1), (0, 0), size)
            window_sum((dx, at), (dy, outputs + (i * ow + j) * c), one, real(share), 1)
