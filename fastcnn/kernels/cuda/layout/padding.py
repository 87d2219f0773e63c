"""As the CPU's `padding`, on CUDA: a thread an element of y, or of dx, which gathers its copies in their order."""

from typing import Any, NamedTuple

from fastcnn.geometry.resize import PAD_EDGE, PAD_REFLECT, PAD_WRAP, PAD_ZERO
from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1
from fastcnn.kernels.cuda.sums import added


class Border(NamedTuple):
    """One dimension: pixels, outputs, and how many of these lie before the first pixel."""

    length: Any
    outputs: Any
    before: Any


@planned
def _numbers(g):
    return g.d, g.h, g.w, g.c, g.od, g.oh, g.ow, g.front, g.top, g.left, g.mode, g.value


@launcher
def pad3d_forward(y, x, geometry):
    """Write volumes with a border around them, as the CPU's."""
    forward[blocks_for(y.size), THREADS](y, x, y.size, *_numbers(geometry))


@inlined
def _source(at, length, mode):
    """Return the pixel that lies at `at`, which may be outside of 0..length - 1, or -1 for zero."""
    if at >= 0 and at < length:
        return i32(at)
    if mode == PAD_ZERO:
        return i32(-1)
    if mode == PAD_EDGE:
        return i32(0) if at < 0 else i32(length - 1)
    if mode == PAD_REFLECT:
        return i32(-at) if at < 0 else i32(2 * (length - 1) - at)
    return i32(at % length)


@kernel
def forward(y: floats, x: floats, size: i32, d: i32, h: i32, w: i32, c: i32, od: i32, oh: i32, ow: i32, front: i32,
            top: i32, left: i32, mode: i32, value: f32):
    """A thread an element."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, ow)
        plane = div(line, oh)
        image = div(plane, od)
        k = _source(i32(plane - image * od) - front, d, mode)
        i, j = _source(i32(line - plane * oh) - top, h, mode), _source(i32(place - line * ow) - left, w, mode)
        found = value
        if k >= 0 and i >= 0 and j >= 0:
            found = load1(x, i32(i32(i32(i32(i32(image * d) + k) * h + i) * w + j) * c + (at - place * c)))
        y[at] = found


@launcher
def pad3d_backward(dx, dy, geometry):
    """Write into each element the sum of its copies' gradients, as the CPU's."""
    backward[blocks_for(dx.size), THREADS](dx, dy, dx.size, *_numbers(geometry)[:-1])


@inlined
def _copies(at, border, mode):
    """Return begin, end and step of outputs among which all copies of a pixel are; of reflections not only these."""
    first = i32(at + border.before)
    if mode == PAD_WRAP:
        return i32(first % border.length), border.outputs, border.length
    begin, end = max(i32(0), first), min(border.outputs, i32(first + 1))
    if mode == PAD_REFLECT or (mode == PAD_EDGE and at == 0):
        begin = i32(0)
    if mode == PAD_REFLECT or (mode == PAD_EDGE and at == border.length - 1):
        end = border.outputs
    return begin, end, i32(1)


@kernel
def backward(dx: floats, dy: floats, size: i32, d: i32, h: i32, w: i32, c: i32, od: i32, oh: i32, ow: i32, front: i32,
             top: i32, left: i32, mode: i32):
    """A thread an element."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, w)
        plane = div(line, h)
        image = div(plane, d)
        r, p, q = i32(plane - image * d), i32(line - plane * h), i32(place - line * w)
        first_k, end_k, step_k = _copies(r, Border(d, od, front), mode)
        first_i, end_i, step_i = _copies(p, Border(h, oh, top), mode)
        first_j, end_j, step_j = _copies(q, Border(w, ow, left), mode)
        total, rest = f32(0), f32(0)
        for k in range(first_k, end_k, step_k):
            for i in range(first_i, end_i, step_i):
                if _source(k - front, d, mode) == r and _source(i - top, h, mode) == p:
                    of = i32(i32(i32(image * od + k) * oh + i) * ow)
                    for j in range(first_j, end_j, step_j):
                        if _source(j - left, w, mode) == q:
                            total, rest = added(total, rest, load1(dy, i32(i32((of + j) * c) + (at - place * c))))
        dx[at] = total
