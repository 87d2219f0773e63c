"""Average pooling in 2D, global pooling included (a window of the whole image). ONNX: AveragePool.

    y[n, i, j, c] = mean of x[n, i sh + r - top, j sw + s - left, c] over the window's positions (r, s) in the image

What lies in the padding is not counted; a window that lies there altogether gives 0. Forward and backward walk as max
pooling does (the picture is in `fastcnn.kernels.cpu.pool_max`). Backward, an output whose window overlaps with no other
writes its share into all of it; else a pixel gathers the shares of the outputs whose windows it lies in. Where all
these windows lie in the image the shares are equal, and a run of pixels is one call of a walk over vectors; else each
output is added by itself.
"""

from fastcnn.kernels.cpu._jit import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.pool_runs import (
    apart,
    clear_between,
    clipped,
    covering,
    cut,
    item_of,
    run_of,
    run_of_phase,
)
from fastcnn.kernels.cpu.window import at2, window_spread, window_sum


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
    oh, ow, h, w, c, real = g["oh"], g["ow"], g["h"], g["w"], g["c"], y.dtype.type
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        top, bottom = clipped(row % oh, g["sh"], g["kh"], g["top"], h)
        j = 0
        while j < ow:
            left, right = clipped(j, g["sw"], g["kw"], g["left"], w)
            run = run_of(j, g["sw"], g["kw"], g["left"], w, ow)
            height, width = max(0, bottom - top), max(0, right - left)
            window_sum(y, (row * ow + j) * c + low, x, ((row // oh * h + top) * w + left) * c + low, run,
                       at2(c, g["sw"] * c), at2(height, width), at2(w * c, c), real(1) / real(max(1, height * width)),
                       0, size)
            j += run


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
    oh, ow, h, w, c, real = g["oh"], g["ow"], g["h"], g["w"], g["c"], dx.dtype.type
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        clear_between(dx, row, low, size, g)
        top, bottom = clipped(row % oh, g["sh"], g["kh"], g["top"], h)
        j = 0
        while j < ow:
            left, right = clipped(j, g["sw"], g["kw"], g["left"], w)
            run = run_of(j, g["sw"], g["kw"], g["left"], w, ow)
            height, width = max(0, bottom - top), max(0, right - left)
            window_spread(dx, ((row // oh * h + top) * w + left) * c + low, dy, (row * ow + j) * c + low, run,
                          at2(c, g["sw"] * c), at2(height, width), at2(w * c, c),
                          real(1) / real(max(1, height * width)), size)
            j += run


@inlined
def _gather_chunk(chunk, chunks, blocks, dx, dy, geometry):
    g = geometry[0]
    h, w, c, oh, ow, sw, kw, real = g["h"], g["w"], g["c"], g["oh"], g["ow"], g["sw"], g["kw"], dx.dtype.type
    # The outputs whose windows lie in the image, by rows and by columns.
    whole_rows = -(-g["top"] // g["sh"]), (h + g["top"] - g["kh"]) // g["sh"] + 1
    whole_columns = -(-g["left"] // sw), (w + g["left"] - kw) // sw + 1
    share = real(1) / real(g["kh"] * kw)
    first, last = chunk_of(chunk, chunks, g["n"] * h * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        begin, end = covering(row % h, g["sh"], g["kh"], g["top"], oh)
        outputs = row // h * oh * ow * c + low
        for phase in range(min(sw, w)):
            q = phase
            while q < w:
                left, right = covering(q, sw, kw, g["left"], ow)
                run, at = run_of_phase(q, sw, kw, g["left"], w, whole_columns[0], whole_columns[1]), (row * w + q) * c
                even = left >= whole_columns[0] and right <= whole_columns[1]
                if even and begin >= whole_rows[0] and end <= whole_rows[1]:
                    window_sum(dx, at + low, dy, outputs + (begin * ow + left) * c, run, at2(sw * c, c),
                               at2(end - begin, right - left), at2(ow * c, c), share, 0, size)
                else:
                    run = 1
                    _add_shares(dx, at + low, dy, outputs, begin, end, left, right, size, g)
                q += run * sw


@inlined
def _add_shares(dx, at, dy, outputs, begin, end, left, right, size, g):
    """Add the shares of the outputs begin..end - 1, left..right - 1 to one pixel, one by one."""
    c, ow, real = g["c"], g["ow"], dx.dtype.type
    window_sum(dx, at, dy, outputs, 1, at2(0, 0), at2(0, 0), at2(0, 0), real(0), 0, size)
    for i in range(begin, end):
        top, bottom = clipped(i, g["sh"], g["kh"], g["top"], g["h"])
        for j in range(left, right):
            low, high = clipped(j, g["sw"], g["kw"], g["left"], g["w"])
            share = real(1) / real((bottom - top) * (high - low))
            window_sum(dx, at, dy, outputs + (i * ow + j) * c, 1, at2(0, 0), at2(1, 1), at2(0, 0), share, 1, size)
