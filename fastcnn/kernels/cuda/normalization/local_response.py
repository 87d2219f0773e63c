"""As the CPU's `local_response`, on CUDA: a thread an element, which sums its window of channels.

y_i  = x_i s_i^-beta,   s_i = k + alpha sum_j x_j^2
dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum_j t_j,   t_j = dy_j x_j s_j^(-beta - 1), kept in scratch
"""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1
from fastcnn.kernels.cuda.elementwise.elementary import exp, log
from fastcnn.kernels.cuda.sums import added


def local_response_norm_scratch(shape, before, after, dtype):
    """Return how many elements of scratch both kernels want for x of `shape` (P, C)."""
    return shape[0] * shape[1]


@launcher
def local_response_norm_forward(y, scratch, x, before, after, alpha, beta, k):
    """Divide each channel by a power of its neighbours' squares, as the CPU's."""
    forward[blocks_for(x.size), THREADS](y, x, x.size, max(1, x.shape[1]), before, after, alpha, beta, k)


@inlined
def _divisor(x, at, channel, columns, before, after, alpha, k):
    """Return s of an element."""
    total, rest = f32(0), f32(0)
    for j in range(max(-before, -channel), min(after + 1, columns - channel)):
        value = load1(x, at + j)
        total, rest = added(total, rest, value * value)
    return k + alpha * total


@kernel
def forward(y: floats, x: floats, size: i32, columns: i32, before: i32, after: i32, alpha: f32, beta: f32, k: f32):
    """A thread an element."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        channel = i32(at - div(at, columns) * columns)
        s = _divisor(x, at, channel, columns, before, after, alpha, k)
        y[at] = load1(x, at) * exp(-beta * log(s))


@launcher
def local_response_norm_backward(dx, scratch, dy, x, before, after, alpha, beta, k):
    """Write dx, as the CPU's."""
    numbers = x.size, max(1, x.shape[1]), before, after
    terms[blocks_for(x.size), THREADS](scratch, dx, dy, x, *numbers, alpha, beta, k)
    backward[blocks_for(x.size), THREADS](dx, scratch, x, *numbers, 2.0 * alpha * beta)


@kernel
def terms(t: floats, dx: floats, dy: floats, x: floats, size: i32, columns: i32, before: i32, after: i32, alpha: f32,
          beta: f32, k: f32):
    """A thread an element: t, and the first part of dx."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        channel = i32(at - div(at, columns) * columns)
        s = _divisor(x, at, channel, columns, before, after, alpha, k)
        part = load1(dy, at) * exp(-beta * log(s))
        dx[at], t[at] = part, part * load1(x, at) / s


@kernel
def backward(dx: floats, t: floats, x: floats, size: i32, columns: i32, before: i32, after: i32, twice: f32):
    """A thread an element: the sum over those in whose windows it lies."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        channel = i32(at - div(at, columns) * columns)
        total, rest = f32(0), f32(0)
        for j in range(max(-after, -channel), min(before + 1, columns - channel)):
            total, rest = added(total, rest, load1(t, at + j))
        dx[at] = load1(dx, at) - twice * load1(x, at) * total
