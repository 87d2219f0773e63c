"""As the CPU's `group`, on CUDA: a group of a sample is a row, whose numbers lie in runs of D, a position apart.

    x (N, P, G, D);   y = gamma xhat + beta,   xhat = (x - mean) rstd
    dx = rstd (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat))

The gradients of gamma and beta are sums over the columns of a table (N P, G D).
"""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1
from fastcnn.kernels.cuda.rows import row_of, rows_plan, sum_of_row
from fastcnn.kernels.cuda.sums import added, columns_plan, fold_columns, place_of, sum_lanes


def group_norm_forward_scratch(shape, dtype):
    """Return how many elements of scratch `group_norm_forward` wants for x of `shape` (N, P, G, D): none."""
    return 0


def group_norm_backward_scratch(shape, dtype):
    """Return how many elements of scratch `group_norm_backward` wants for x of `shape` (N, P, G, D)."""
    n, positions, groups, d = shape
    return 2 * columns_plan(n * positions, groups * d)[2] * groups * d


@inlined
def _place(row, k, positions, groups, d):
    """Return where number k of a row lies, and its channel."""
    image, p = div(row, groups), div(k, d)
    channel = i32((row - image * groups) * d + (k - p * d))
    return i32(i32(image * positions + p) * i32(groups * d)) + channel, channel


@launcher
def group_norm_forward(y, mean, rstd, scratch, x, gamma, beta, epsilon):
    """Normalize each sample's groups by their own mean and (biased) variance, as the CPU's."""
    n, positions, groups, d = x.shape
    blocks, lanes = rows_plan(n * groups, positions * d)
    forward[blocks, THREADS](y, mean, rstd, x, gamma, beta, n * groups, positions * d, lanes, positions, groups, d,
                             gamma.size, beta.size, 1.0 / max(1, positions * d), epsilon)


@kernel
def forward(y: floats, mean: floats, rstd: floats, x: floats, gamma: floats, beta: floats, rows: i32, columns: i32,
            lanes: i32, positions: i32, groups: i32, d: i32, has_gamma: i32, has_beta: i32, share: f32, epsilon: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    total, rest = f32(0), f32(0)
    for k in range(lane, end, lanes):
        total, rest = added(total, rest, load1(x, _place(row, k, positions, groups, d)[0]))
    middle = sum_of_row(held, total, lane, lanes) * share
    total, rest = f32(0), f32(0)
    for k in range(lane, end, lanes):
        apart = load1(x, _place(row, k, positions, groups, d)[0]) - middle
        total, rest = added(total, rest, apart * apart)
    scale = f32(1) / f32(math.sqrt(sum_of_row(held, total, lane, lanes) * share + epsilon))
    if row < rows and lane == 0:
        mean[row], rstd[row] = middle, scale
    for k in range(lane, end, lanes):
        at, channel = _place(row, k, positions, groups, d)
        value = (load1(x, at) - middle) * scale
        value = value * load1(gamma, channel) if has_gamma != 0 else value
        y[at] = value + load1(beta, channel) if has_beta != 0 else value


@launcher
def group_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma):
    """Write dx, and add to the gradients of scale and offset, as the CPU's."""
    n, positions, groups, d = x.shape
    blocks, lanes = rows_plan(n * groups, positions * d)
    backward[blocks, THREADS](dx, dy, x, mean, rstd, gamma, n * groups, positions * d, lanes, positions, groups, d,
                              gamma.size, 1.0 / max(1, positions * d))
    if dgamma.size or dbeta.size:
        grid, numbers, parts = columns_plan(n * positions, groups * d)
        parameter_sums[grid, THREADS](scratch, dy, x, mean, rstd, *numbers, positions, groups, d)
        if dbeta.size:
            fold_columns(dbeta, scratch, parts, groups * d, add=True)
        if dgamma.size:
            fold_columns(dgamma, scratch[parts * groups * d:], parts, groups * d, add=True)


@kernel
def backward(dx: floats, dy: floats, x: floats, mean: floats, rstd: floats, gamma: floats, rows: i32, columns: i32,
             lanes: i32, positions: i32, groups: i32, d: i32, has_gamma: i32, share: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    middle, scale = (load1(mean, row), load1(rstd, row)) if row < rows else (f32(0), f32(0))
    total, rest, product, product_rest = f32(0), f32(0), f32(0), f32(0)
    for k in range(lane, end, lanes):
        at, channel = _place(row, k, positions, groups, d)
        gradient = load1(dy, at) * load1(gamma, channel) if has_gamma != 0 else load1(dy, at)
        total, rest = added(total, rest, gradient)
        product, product_rest = added(product, product_rest, gradient * ((load1(x, at) - middle) * scale))
    total, product = sum_of_row(held, total, lane, lanes) * share, sum_of_row(held, product, lane, lanes) * share
    for k in range(lane, end, lanes):
        at, channel = _place(row, k, positions, groups, d)
        gradient = load1(dy, at) * load1(gamma, channel) if has_gamma != 0 else load1(dy, at)
        dx[at] = scale * (gradient - total - (load1(x, at) - middle) * scale * product)


@kernel
def parameter_sums(parts: floats, dy: floats, x: floats, mean: floats, rstd: floats, rows: i32, columns: i32,
                   across: i32, lanes: i32, each: i32, positions: i32, groups: i32, d: i32):
    """A block a part of the rows of some channels: sums of dy and of dy xhat, (2, part, channel)."""
    sums, products = cuda.shared.array(THREADS, f32), cuda.shared.array(THREADS, f32)
    column, lane, begin, end = place_of(rows, columns, across, lanes, each)
    total, rest, product, product_rest = f32(0), f32(0), f32(0), f32(0)
    for row in range(begin, end, lanes):
        at, of = i32(row * columns) + column, i32(div(row, positions) * groups + div(column, d))
        gradient = load1(dy, at)
        total, rest = added(total, rest, gradient)
        product, product_rest = added(product, product_rest, gradient * ((load1(x, at) - load1(mean, of))
                                                                         * load1(rstd, of)))
    sums[cuda.threadIdx.x], products[cuda.threadIdx.x] = total, product
    cuda.syncthreads()
    if lane == 0 and column < columns:
        at, apart = i32(cuda.blockIdx.x * columns + column), i32(cuda.gridDim.x * columns)
        parts[at], parts[at + apart] = sum_lanes(sums, across, lanes), sum_lanes(products, across, lanes)
