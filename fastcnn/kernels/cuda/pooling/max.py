"""As the CPU's `max`, on CUDA: forward a thread an output, backward a thread a pixel, which gathers from all outputs.

Saved is which position r KW + s of the window won (of an adaptive pooling the winner's place in the image, p W + q);
backward a pixel asks the outputs whose windows it lies in whether it is that one.
"""

import math

import numpy as np

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats, int32s, uint8s
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, load1
from fastcnn.kernels.cuda.pooling.runs import Line, clipped, covering, lines_of

_INFINITY = f32(math.inf)


def max_pool2d_index_type(geometry):
    """Return the type of what `max_pool2d_forward` saves: uint8, or int32 for windows of more than 255 positions."""
    return np.dtype(np.uint8 if geometry[0]["kh"] * geometry[0]["kw"] <= 255 else np.int32)


@planned
def _numbers(g):
    """Return the channels, 1 for an adaptive pooling, the sign of what is compared, and the code of no winner."""
    return g.c, g.adaptive, -1 if g.least else 1, 255 if g.kh * g.kw <= 255 else -1


@launcher
def max_pool2d_forward(y, argmax, x, geometry):
    """Write the largest element of each window, and where in the window it lies, as the CPU's."""
    forward[blocks_for(y.size), THREADS](y, argmax, x, y.size, *lines_of(geometry), *_numbers(geometry))


@kernel
def forward(y: floats, argmax: uint8s | int32s, x: floats, size: i32, h: i32, oh: i32, kh: i32, sh: i32, dh: i32,
            top: i32, each_i: i32, w: i32, ow: i32, kw: i32, sw: i32, dw: i32, left: i32, each_j: i32, c: i32,
            adaptive: i32, sign: f32, nothing: i32):
    """A thread an output; the first of several largest elements wins, and NaN over all."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, ow)
        image = div(line, oh)
        p, rows, r0 = clipped(Line(h, oh, kh, sh, dh, top, each_i), i32(line - image * oh), adaptive)
        q, columns, s0 = clipped(Line(w, ow, kw, sw, dw, left, each_j), i32(place - line * ow), adaptive)
        first = i32(i32(i32(image * h) + p) * w + q) * c + i32(at - place * c)
        best, code = -_INFINITY, nothing
        for r in range(rows):
            for s in range(columns):
                value = sign * load1(x, i32(first + i32(i32(r * dh * w) + s * dw) * c))
                if code == nothing or value > best or (value != value and best == best):
                    best = value
                    code = i32(i32((p + r) * w) + q + s) if adaptive != 0 else i32(i32((r0 + r) * kw) + s0 + s)
        y[at] = sign * best
        argmax[at] = code


@launcher
def max_pool2d_backward(dx, dy, argmax, geometry):
    """Add each element of dy to dx where its maximum came from; all else of dx is zero, as the CPU's."""
    backward[blocks_for(dx.size), THREADS](dx, dy, argmax, dx.size, *lines_of(geometry), *_numbers(geometry))


@kernel
def backward(dx: floats, dy: floats, argmax: uint8s | int32s, size: i32, h: i32, oh: i32, kh: i32, sh: i32, dh: i32,
             top: i32, each_i: i32, w: i32, ow: i32, kw: i32, sw: i32, dw: i32, left: i32, each_j: i32, c: i32,
             adaptive: i32, sign: f32, nothing: i32):
    """A thread a pixel."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, w)
        image = div(line, h)
        p, q = i32(line - image * h), i32(place - line * w)
        first_i, end_i = covering(Line(h, oh, kh, sh, dh, top, each_i), p, adaptive)
        first_j, end_j = covering(Line(w, ow, kw, sw, dw, left, each_j), q, adaptive)
        total = f32(0)
        for i in range(first_i, end_i, each_i):
            for j in range(first_j, end_j, each_j):
                code = i32(p * w + q)
                if adaptive == 0:
                    code = i32(div(p + top - i * sh, dh) * kw) + div(q + left - j * sw, dw)
                of = i32(i32(i32(image * oh) + i) * ow + j) * c + i32(at - place * c)
                if load1(argmax, of) == code:
                    total += load1(dy, of)
        dx[at] = total
