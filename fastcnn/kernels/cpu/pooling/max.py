"""Max and min pooling in 2D, global pooling included (a window of the whole image). ONNX: MaxPool.

    y[n, i, j, c] = max of x[n, i sh + r dh - top, j sw + s dw - left, c] over the window's positions (r, s) in x

NaN wins every comparison. A window that lies in the padding altogether gives -inf. Min pooling (``least``) is
-max(-x): the sign is changed where numbers are loaded and stored.

Forward, a row of outputs is cut into *runs* whose windows differ only by their place: one of all windows that do not
hang over the left or right edge, and a run for each that does. Saved is which position r KW + s of the window won: one
byte a result, where the window has no more than 255 positions. Backward, an output whose window overlaps with no other
writes all of it; else each pixel gathers from the outputs whose windows it lies in: what is saved there tells whether
it won. Either way every element is written once, and in one order. In an adaptive pooling every window is a run of its
own, and what is saved is the winner's place in the image, p W + q, which is the same for all windows that see it::

    x, W = 6                  window 3, stride 2, left 1          dx: pixels of one phase (their distance is the stride)
    . 0 1 2 3 4 5 .           (. 0 1) (1 2 3) (3 4 5)             0 in (j=0)   2 in (j=1)   4 in (j=2)       <- a run
    edge  |----- run          j=0     j=1     j=2                 1 in (j=0,1) 3 in (j=1,2) 5 in (j=2, edge)

The walks over vectors are those of `fastcnn.kernels.cpu.simd.windows`.
"""

import numpy as np

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
from fastcnn.kernels.cpu.simd.short import set_number
from fastcnn.kernels.cpu.simd.windows import Windows, window_gradient, window_max, window_scatter


def max_pool2d_index_type(geometry):
    """Return the type of what `max_pool2d_forward` saves: uint8, or int32 for windows of more than 255 positions."""
    return np.dtype(np.uint8 if geometry[0]["kh"] * geometry[0]["kw"] <= 255 else np.int32)


@kernel
def max_pool2d_forward(y, argmax, x, geometry):
    """Write the largest element of each window, and where in the window it lies.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written. It and x may be uint16, the bits of bfloat16, and so may the gradients of `max_pool2d_backward`.
    argmax : (N, OH, OW, C) array of max_pool2d_index_type(geometry)
        Written: r * KW + s, the position in the window, of the first of several largest elements (of an adaptive
        pooling p * W + q, the place in the image); the highest number of its type (255, or -1) where the window lies in
        the padding altogether.
    x : (N, H, W, C) array
    geometry : POOL2D
    """
    rows = y.shape[0] * y.shape[1]
    chunks, blocks = cut(rows, y.shape[3], x.size)
    parallel(_max_chunk, chunks, (chunks, blocks, y.reshape(-1), argmax.reshape(-1), x.reshape(-1), geometry))


@inlined
def _max_chunk(chunk, chunks, blocks, y, argmax, x, geometry):
    g = geometry[0]
    oh, ow, h, w, c, dh, dw = g["oh"], g["ow"], g["h"], g["w"], g["c"], g["dh"], g["dw"]
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        top, height, r = rows_of(g, row % oh)
        image = row // oh * h * w * c + low
        j = 0
        while j < ow:
            left, width, s = columns_of(g, j)
            run = run_from(g, j)
            at = (row * ow + j) * c + low
            if height > 0 and width > 0:
                codes = at3(top * w + left, w, 1) if g["adaptive"] else at3(r * g["kw"] + s, g["kw"], 1)
                windows = Windows(run, (c, g["sw"] * c), (height, width), (dh * w * c, dw * c), size)
                window_max((y, at), (argmax, at), (x, image + (top * w + left) * c), windows, codes, g["least"])
            else:
                for o in range(run):
                    for k in range(at + o * c, at + o * c + size):
                        set_number(y, k, np.inf if g["least"] else -np.inf)
                        argmax[k] = ~argmax.dtype.type(0)
            j += run


@kernel
def max_pool2d_backward(dx, dy, argmax, geometry):
    """Add each element of dy to dx where its maximum came from; all else of dx is zero.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, OH, OW, C) array
    argmax : (N, OH, OW, C) array of max_pool2d_index_type(geometry)
        As the forward pass wrote it.
    geometry : POOL2D
    """
    if apart(geometry[0]):
        chunks, blocks = cut(dy.shape[0] * dy.shape[1], dx.shape[3], dx.size)
        parallel(_scatter_chunk, chunks, (chunks, blocks, dx.reshape(-1), dy.reshape(-1), argmax.reshape(-1), geometry))
    else:
        chunks, blocks = cut(dx.shape[0] * dx.shape[1], dx.shape[3], dx.size)
        parallel(_gather_chunk, chunks, (chunks, blocks, dx.reshape(-1), dy.reshape(-1), argmax.reshape(-1), geometry))


@inlined
def _scatter_chunk(chunk, chunks, blocks, dx, dy, argmax, geometry):
    g = geometry[0]
    oh, ow, h, w, c, kw, sw = g["oh"], g["ow"], g["h"], g["w"], g["c"], g["kw"], g["sw"]
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        clear_between(dx, row, low, size, g)
        top, height, r = rows_of(g, row % oh)
        j = 0
        while j < ow:
            left, width, s = columns_of(g, j)
            run = run_from(g, j)
            if height > 0 and width > 0:
                at, windows = (row * ow + j) * c + low, Windows(run, (c, sw * c), (height, width), (w * c, c), size)
                window_scatter((dx, ((row // oh * h + top) * w + left) * c + low), (dy, at), (argmax, at), windows,
                               (r * kw + s, kw, 1))
            j += run


@inlined
def _gather_chunk(chunk, chunks, blocks, dx, dy, argmax, geometry):
    g = geometry[0]
    oh, ow, h, w, c, kw, sw, dh, dw = g["oh"], g["ow"], g["h"], g["w"], g["c"], g["kw"], g["sw"], g["dh"], g["dw"]
    first, last = chunk_of(chunk, chunks, g["n"] * h * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        begin, rows, down = over_row(g, row % h)
        r = (row % h + g["top"] - begin * g["sh"]) // dh
        outputs = (row // h * oh + begin) * ow * c + low
        for phase in range(min(sw, w)):
            q = phase
            while q < w:
                run = run_of_phase(g, q, 0, ow)
                left, columns, right = over_column(g, q)
                s = (q + g["left"] - left * sw) // dw
                # In the next window this pixel's position is a stride smaller; its place in the image is the same.
                codes = at3(r * kw + s, -(down * g["sh"] // dh) * kw, -(right * sw // dw))
                codes = at3(row % h * w + q, 0, 0) if g["adaptive"] else codes
                windows = Windows(run, (sw * c, c), (rows, columns), (down * ow * c, right * c), size)
                window_gradient((dx, (row * w + q) * c + low), (dy, outputs + left * c), (argmax, outputs + left * c),
                                windows, codes)
                q += run * sw
