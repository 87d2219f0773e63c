"""As the CPU's `average`, on CUDA: forward a thread an output, backward a thread a pixel, which gathers its shares."""

from fastcnn.geometry import COUNT_PADDED, SUM
from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1
from fastcnn.kernels.cuda.pooling.runs import Line, clipped, covering, lines_of
from fastcnn.kernels.cuda.sums import added


@planned
def _numbers(g):
    """Return the channels, 1 for an adaptive pooling, the divisor, and where the borders end on either side."""
    return g.c, g.adaptive, g.divisor, g.h + g.top + g.bottom, g.w + g.left + g.right


@inlined
def _share(down, right, i, j, rows, columns, divisor, height, width):
    """Return what a window's sum is multiplied with; `rows` times `columns` of its elements lie in the image."""
    count = i32(rows * columns)
    if divisor == COUNT_PADDED:
        count = i32(min(down.window, div(height - 1 - i * down.stride, down.dilation) + 1)
                    * min(right.window, div(width - 1 - j * right.stride, right.dilation) + 1))
    count = i32(1) if divisor == SUM or count < 1 else count
    return f32(1) / f32(count)


@launcher
def average_pool2d_forward(y, x, geometry):
    """Write the mean of each window's elements in the image, as the CPU's."""
    forward[blocks_for(y.size), THREADS](y, x, y.size, *lines_of(geometry), *_numbers(geometry))


@kernel
def forward(y: floats, x: floats, size: i32, h: i32, oh: i32, kh: i32, sh: i32, dh: i32, top: i32, each_i: i32, w: i32,
            ow: i32, kw: i32, sw: i32, dw: i32, left: i32, each_j: i32, c: i32, adaptive: i32, divisor: i32,
            height: i32, width: i32):
    """A thread an output."""
    down, right = Line(h, oh, kh, sh, dh, top, each_i), Line(w, ow, kw, sw, dw, left, each_j)
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, ow)
        image = div(line, oh)
        i, j = i32(line - image * oh), i32(place - line * ow)
        (p, rows, _), (q, columns, _) = clipped(down, i, adaptive), clipped(right, j, adaptive)
        first = i32(i32(i32(image * h) + p) * w + q) * c + i32(at - place * c)
        total, rest = f32(0), f32(0)
        for r in range(rows):
            for s in range(columns):
                total, rest = added(total, rest, load1(x, i32(first + i32(i32(r * dh * w) + s * dw) * c)))
        y[at] = total * _share(down, right, i, j, rows, columns, divisor, height, width)


@launcher
def average_pool2d_backward(dx, dy, geometry):
    """Spread each element of dy evenly over the part of its window in the image, as the CPU's."""
    backward[blocks_for(dx.size), THREADS](dx, dy, dx.size, *lines_of(geometry), *_numbers(geometry))


@kernel
def backward(dx: floats, dy: floats, size: i32, h: i32, oh: i32, kh: i32, sh: i32, dh: i32, top: i32, each_i: i32,
             w: i32, ow: i32, kw: i32, sw: i32, dw: i32, left: i32, each_j: i32, c: i32, adaptive: i32, divisor: i32,
             height: i32, width: i32):
    """A thread a pixel."""
    down, right = Line(h, oh, kh, sh, dh, top, each_i), Line(w, ow, kw, sw, dw, left, each_j)
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, w)
        image = div(line, h)
        first_i, end_i = covering(down, i32(line - image * h), adaptive)
        first_j, end_j = covering(right, i32(place - line * w), adaptive)
        total, rest = f32(0), f32(0)
        for i in range(first_i, end_i, each_i):
            rows = clipped(down, i, adaptive)[1]
            for j in range(first_j, end_j, each_j):
                columns = clipped(right, j, adaptive)[1]
                share = _share(down, right, i, j, rows, columns, divisor, height, width)
                of = i32(i32(i32(image * oh) + i) * ow + j) * c + i32(at - place * c)
                total, rest = added(total, rest, load1(dy, of) * share)
        dx[at] = total
