"""Max pooling in 2D, global pooling included (a window of the whole image). ONNX: MaxPool.

    y[n, i, j, c] = max of x[n, i sh + r - top, j sw + s - left, c] over the window's positions (r, s) in the image

NaN wins every comparison. A window that lies in the padding altogether gives -inf.

Forward, a row of outputs is cut into *runs* whose windows differ only by their place: one of all windows that do not
hang over the left or right edge, and a run for each that does. Saved is which position r KW + s of the window won: one
byte a result, where the window has no more than 255 positions. Backward, an output whose window overlaps with no other
writes all of it; else each pixel gathers from the outputs whose windows it lies in: what is saved there tells whether
it won. Either way every element is written once, and in one order::

    x, W = 6                  window 3, stride 2, left 1          dx: pixels of one phase (their distance is the stride)
    . 0 1 2 3 4 5 .           (. 0 1) (1 2 3) (3 4 5)             0 in (j=0)   2 in (j=1)   4 in (j=2)       <- a run
    edge  |----- run          j=0     j=1     j=2                 1 in (j=0,1) 3 in (j=1,2) 5 in (j=2, edge)

The walks over vectors are those of `fastcnn.kernels.cpu.window`.
"""

import numpy as np

from fastcnn.kernels.cpu._jit import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.pack import at3
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
from fastcnn.kernels.cpu.window import at2, window_gradient, window_max, window_scatter


def max_pool2d_index_type(geometry):
    """Return the type of what `max_pool2d_forward` saves: uint8, or int32 for windows of more than 255 positions."""
    return np.dtype(np.uint8 if geometry[0]["kh"] * geometry[0]["kw"] <= 255 else np.int32)


@kernel
def max_pool2d_forward(y, argmax, x, geometry):
    """Write the largest element of each window, and where in the window it lies.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    argmax : (N, OH, OW, C) array of max_pool2d_index_type(geometry)
        Written: r * KW + s, the position in the window, of the first of several largest elements; the highest number
        of its type (255, or -1) where the window lies in the padding altogether.
    x : (N, H, W, C) array
    geometry : POOL2D
    """
    rows = y.shape[0] * y.shape[1]
    chunks, blocks = cut(rows, y.shape[3], x.size)
    parallel(_max_chunk, chunks, (chunks, blocks, y.reshape(-1), argmax.reshape(-1), x.reshape(-1), geometry))


@inlined
def _max_chunk(chunk, chunks, blocks, y, argmax, x, geometry):
    g = geometry[0]
    oh, ow, h, w, c, kw = g["oh"], g["ow"], g["h"], g["w"], g["c"], g["kw"]
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        top, bottom = clipped(row % oh, g["sh"], g["kh"], g["top"], h)
        r = top - (row % oh * g["sh"] - g["top"])
        image = row // oh * h * w * c + low
        j = 0
        while j < ow:
            left, right = clipped(j, g["sw"], kw, g["left"], w)
            run = run_of(j, g["sw"], kw, g["left"], w, ow)
            at = (row * ow + j) * c + low
            if bottom > top and right > left:
                s = left - (j * g["sw"] - g["left"])
                window_max(y, argmax, at, x, image + (top * w + left) * c, run, at2(c, g["sw"] * c),
                           at2(bottom - top, right - left), at2(w * c, c), at3(r * kw + s, kw, 1), size)
            else:
                for o in range(run):
                    for k in range(at + o * c, at + o * c + size):
                        y[k] = -np.inf
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
        top, bottom = clipped(row % oh, g["sh"], g["kh"], g["top"], h)
        r = top - (row % oh * g["sh"] - g["top"])
        j = 0
        while j < ow:
            left, right = clipped(j, sw, kw, g["left"], w)
            run, s = run_of(j, sw, kw, g["left"], w, ow), left - (j * sw - g["left"])
            if bottom > top and right > left:
                window_scatter(dx, ((row // oh * h + top) * w + left) * c + low, dy, argmax, (row * ow + j) * c + low,
                               run, at2(c, sw * c), at2(bottom - top, right - left), at2(w * c, c),
                               at3(r * kw + s, kw, 1), size)
            j += run


@inlined
def _gather_chunk(chunk, chunks, blocks, dx, dy, argmax, geometry):
    g = geometry[0]
    oh, ow, h, w, c, kw, sw = g["oh"], g["ow"], g["h"], g["w"], g["c"], g["kw"], g["sw"]
    first, last = chunk_of(chunk, chunks, g["n"] * h * blocks)
    for item in range(first, last):
        row, low, size = item_of(item, blocks, c)
        begin, end = covering(row % h, g["sh"], g["kh"], g["top"], oh)
        r = row % h + g["top"] - begin * g["sh"]
        outputs = (row // h * oh + begin) * ow * c + low
        for phase in range(min(sw, w)):
            q = phase
            while q < w:
                run = run_of_phase(q, sw, kw, g["left"], w, 0, ow)
                left, right = covering(q, sw, kw, g["left"], ow)
                s = q + g["left"] - left * sw
                window_gradient(dx, (row * w + q) * c + low, dy, argmax, outputs + left * c, run, at2(sw * c, c),
                                at2(end - begin, right - left), at2(ow * c, c),
                                at3(r * kw + s, -g["sh"] * kw, -sw), size)
                q += run * sw
