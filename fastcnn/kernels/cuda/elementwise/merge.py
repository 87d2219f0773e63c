"""As the CPU's `merge`, on CUDA.

Forward, a thread goes over elements of y and finds those of a and b by their distances, 0 along what an input lacks.
Backward, a thread has an element of da (or db) and a part of the elements of dy that it stands for::

    da (A, 1, C) of dy (A, B, C):   B terms an element, cut into parts of TERMS     parts (p, A, C), folded in order
"""

import math

from fastcnn.kernels.codes import MASK, MAXIMUM, MINIMUM, PRELU, PRODUCT, SUM
from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1, rem
from fastcnn.kernels.cuda.sums import TERMS, added, fold, parts_of

_OF_SLOPE = MASK + 1  # the gradient of PRELU's second input


@launcher(in_place=("a", "b"))
def merge_forward(y, a, b, code, alpha, beta, relu):
    """Merge two arrays element by element, as the CPU's."""
    floor = 0.0 if relu else -math.inf
    if a.shape == b.shape:
        forward_whole[blocks_for(y.size), THREADS](y, a, b, y.size, code, alpha, beta, floor)
    else:
        steps = *_steps(a.shape), *_steps(b.shape)
        forward[blocks_for(y.size), THREADS](y, a, b, *y.shape, *steps, code, alpha, beta, floor)


@kernel
def forward_whole(y: floats, a: floats, b: floats, size: i32, code: i32, alpha: f32, beta: f32, floor: f32):
    """Arrays of one shape."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[at] = _merged(load1(a, at), load1(b, at), code, alpha, beta, floor)


@kernel
def forward(y: floats, a: floats, b: floats, planes: i32, rows: i32, columns: i32, ai: i32, aj: i32, ak: i32,
            bi: i32, bj: i32, bk: i32, code: i32, alpha: f32, beta: f32, floor: f32):
    """An input that lacks a dimension has the distance 0 along it."""
    for at in range(cuda.grid(1), planes * rows * columns, cuda.gridsize(1)):
        line = div(at, columns)
        k, j, i = i32(at - line * columns), rem(line, rows), div(line, rows)
        p, q = load1(a, i * ai + j * aj + k * ak), load1(b, i * bi + j * bj + k * bk)
        y[at] = _merged(p, q, code, alpha, beta, floor)


@inlined
def _merged(p, q, code, alpha, beta, floor):
    """f(p, q); NaN on either side is kept, but for what PRELU and MASK do not look at."""
    if code == SUM:
        value = alpha * p + beta * q
        return floor if value < floor else value
    if code == MAXIMUM:
        return p if p > q or p != p else q
    if code == MINIMUM:
        return p if p < q or p != p else q
    if code == PRELU and p > f32(0):
        return p
    if code == MASK and q == f32(0):
        return f32(0)
    return p * q


def _steps(shape):
    """Return the distances of an input's elements along the output's three dimensions; 0 along those it lacks."""
    a, b, c = shape
    return (b * c if a > 1 else 0), (c if b > 1 else 0), (1 if c > 1 else 0)


# --- backward ---------------------------------------------------------------------------------------------------------


def merge_backward_scratch(shape, a_shape, b_shape, dtype):
    """Return how many elements of scratch `merge_backward` wants for dy, da and db of these shapes."""
    return max(_partials(shape, a_shape), _partials(shape, b_shape))


def _partials(shape, x_shape):
    elements = math.prod(x_shape)
    parts = parts_of(math.prod(shape) // elements) if elements else 1
    return parts * elements if parts > 1 else 0


@launcher
def merge_backward(da, db, scratch, dy, a, b, code, alpha, beta):
    """Write the gradients of both inputs, as the CPU's."""
    if da.size:
        _input_gradient(da, scratch, dy, a, b, code, alpha)
    if db.size:
        _input_gradient(db, scratch, dy, b, a, _OF_SLOPE if code == PRELU else code, beta)


def _input_gradient(dx, scratch, dy, x, other, code, scale):
    """Write the gradient of `x` in f(x, other)."""
    lacking = [n if dx.shape[axis] < n else 1 for axis, n in enumerate(dy.shape)]
    terms = math.prod(lacking)
    parts = parts_of(terms)
    out = dx if parts == 1 else scratch
    backward[blocks_for(dx.size * parts), THREADS](
        out, dy, x, other, *dx.shape, dy.shape[1], dy.shape[2], *lacking[1:], *_steps(other.shape), terms, parts, code,
        scale)
    if parts > 1:
        fold(dx, scratch, parts, dx.size)


@kernel
def backward(out: floats, dy: floats, x: floats, other: floats, planes: i32, rows: i32, columns: i32, dy_rows: i32,
             dy_columns: i32, lacking_rows: i32, lacking_columns: i32, oi: i32, oj: i32, ok: i32, terms: i32,
             parts: i32, code: i32, scale: f32):
    """A thread an element and a part of its terms; `planes`, `rows`, `columns` are those of x."""
    size = planes * rows * columns
    for at in range(cuda.grid(1), size * parts, cuda.gridsize(1)):
        part = div(at, size)
        element = i32(at - part * size)
        value, line = load1(x, element), div(element, columns)
        i0, j0, k0 = div(line, rows), rem(line, rows), i32(element - line * columns)
        total, rest = f32(0), f32(0)
        for term in range(part * TERMS, min(terms, (part + 1) * TERMS)):
            line = div(term, lacking_columns)
            k, j, i = k0 + (term - line * lacking_columns), j0 + rem(line, lacking_rows), i0 + div(line, lacking_rows)
            gradient = load1(dy, (i * dy_rows + j) * dy_columns + k)
            slope = _slope(value, load1(other, i * oi + j * oj + k * ok), code, scale)
            total, rest = added(total, rest, f32(0) if slope == f32(0) else gradient * slope)
        out[at] = total


@inlined
def _slope(value, other, code, scale):
    """df/dx of f(x, other)."""
    if code == SUM:
        return scale
    if code == PRODUCT:
        return other
    if code == MAXIMUM:
        return f32(0.5) if value == other else (f32(1) if value > other else f32(0))
    if code == MINIMUM:
        return f32(0.5) if value == other else (f32(1) if value < other else f32(0))
    if code == PRELU:
        return f32(1) if value > f32(0) else other
    return f32(0) if other > f32(0) else other  # _OF_SLOPE
