"""As the CPU's `walk`, on CUDA: losses that are sums over elements, L = share sum_k f(x_k, t_k), by lanes of rows.

What f and f' are is a file's own; `row_walk` makes both into a function for its kernel.
"""

from fastcnn.kernels.cuda.compile.kernel import THREADS
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1
from fastcnn.kernels.cuda.rows import row_of, rows_plan, sum_of_row
from fastcnn.kernels.cuda.sums import added


def launch(kernel, losses, dx, x, targets, weights, code, numbers, share, scale, wants_gradient):
    """Launch a kernel of such losses: the arguments as of `elementwise_loss`, `numbers` being a, b, c."""
    blocks, lanes = rows_plan(*x.shape)
    each_element = weights.size > 0 and weights.size == x.size
    kernel[blocks, THREADS](losses, dx, x, targets, weights, *x.shape, lanes, code,
                            2 if each_element else min(weights.size, 1), int(wants_gradient), *numbers, share, scale)


def row_walk(value, slope):
    """Return what writes the losses of rows, and dx where it is wanted, from f and f', inlined functions.

    Its `weighted` is 0 for no weights, 1 for those of rows, 2 for those of elements.
    """
    @inlined
    def walk(losses, dx, x, targets, weights, shape, lanes, code, weighted, wants_gradient, numbers, factors):
        held = cuda.shared.array(THREADS, f32)
        (rows, columns), (share, scale), (a, b, c) = shape, factors, numbers
        row, lane, end = row_of(rows, columns, lanes)
        at = i32(row * columns)
        of_row = load1(weights, row) if weighted == 1 and row < rows else f32(1)
        total, rest = f32(0), f32(0)
        for k in range(at + lane, at + end, lanes):
            p, t = load1(x, k), load1(targets, k)
            weight = load1(weights, k) if weighted == 2 else f32(1)
            total, rest = added(total, rest, weight * value(p, t, code, a, b, c))
            if wants_gradient != 0:
                of_element = weight if weighted == 2 else of_row
                dx[k] = of_element * (scale * share * slope(p, t, code, a, b, c))
        total = sum_of_row(held, total, lane, lanes)
        if row < rows and lane == 0:
            losses[row] = of_row * (share * total)

    return walk
