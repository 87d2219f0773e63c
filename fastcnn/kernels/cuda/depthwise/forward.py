"""As the CPU's `forward`, on CUDA: a thread an output, or a pixel, whose neighbours have the next channels.

y[n, i, j, c]  = bias[c] + sum_r sum_s x[n, i sh + r dh - top, j sw + s dw - left, c] * kernel[r, s, 0, c]
dx[n, p, q, c] = bias[c] + sum of dy[n, i, j, c] * kernel[r, s, 0, c] over the outputs that see pixel (p, q)
"""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, load1
from fastcnn.kernels.cuda.pooling.runs import Line, clipped, covering, lines_of


def depthwise2d_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `depthwise2d_forward` wants: none."""
    return 0


def depthwise2d_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `depthwise2d_backward_input` wants: none."""
    return 0


@planned
def _channels(g):
    return g.c


@launcher
def depthwise2d_forward(y, scratch, x, kernel, bias, bounds, geometry):
    """y = depthwise_conv(x, kernel) + bias, and what is beyond the bounds set to them, as the CPU's."""
    forward[blocks_for(y.size), THREADS](y, x, kernel, bias, y.size, *lines_of(geometry), _channels(geometry),
                                         bias.size, float(bounds[0]), float(bounds[1]))


@kernel
def forward(y: floats, x: floats, bank: floats, bias: floats, size: i32, h: i32, oh: i32, kh: i32, sh: i32, dh: i32,
            top: i32, each_i: i32, w: i32, ow: i32, kw: i32, sw: i32, dw: i32, left: i32, each_j: i32, c: i32,
            has_bias: i32, low: f32, high: f32):
    """A thread an output."""
    down, right = Line(h, oh, kh, sh, dh, top, each_i), Line(w, ow, kw, sw, dw, left, each_j)
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, ow)
        image, channel = div(line, oh), i32(at - place * c)
        p, rows, r0 = clipped(down, i32(line - image * oh), i32(0))
        q, columns, s0 = clipped(right, i32(place - line * ow), i32(0))
        first = i32(i32(i32(image * h) + p) * w + q) * c + channel
        total = load1(bias, channel) if has_bias != 0 else f32(0)
        for r in range(rows):
            for s in range(columns):
                value = load1(x, i32(first + i32(i32(r * dh * w) + s * dw) * c))
                total += value * load1(bank, i32(i32(i32((r0 + r) * kw) + s0 + s) * c + channel))
        total = low if total < low else total
        y[at] = high if total > high else total


@launcher
def depthwise2d_backward_input(dx, scratch, dy, kernel, bias, bounds, geometry):
    """dx = the gradient of a depthwise convolution's input, as the CPU's."""
    backward_input[blocks_for(dx.size), THREADS](dx, dy, kernel, bias, dx.size, *lines_of(geometry),
                                                 _channels(geometry), bias.size, float(bounds[0]), float(bounds[1]))


@kernel
def backward_input(dx: floats, dy: floats, bank: floats, bias: floats, size: i32, h: i32, oh: i32, kh: i32, sh: i32,
                   dh: i32, top: i32, each_i: i32, w: i32, ow: i32, kw: i32, sw: i32, dw: i32, left: i32, each_j: i32,
                   c: i32, has_bias: i32, low: f32, high: f32):
    """A thread a pixel."""
    down, right = Line(h, oh, kh, sh, dh, top, each_i), Line(w, ow, kw, sw, dw, left, each_j)
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, w)
        image, channel = div(line, h), i32(at - place * c)
        p, q = i32(line - image * h), i32(place - line * w)
        (first_i, end_i), (first_j, end_j) = covering(down, p, i32(0)), covering(right, q, i32(0))
        total = load1(bias, channel) if has_bias != 0 else f32(0)
        for i in range(first_i, end_i, each_i):
            for j in range(first_j, end_j, each_j):
                tap = i32(div(p + top - i * sh, dh) * kw) + div(q + left - j * sw, dw)
                gradient = load1(dy, i32(i32(i32(i32(image * oh) + i) * ow + j) * c) + channel)
                total += gradient * load1(bank, i32(tap * c) + channel)
        total = low if total < low else total
        dx[at] = high if total > high else total
