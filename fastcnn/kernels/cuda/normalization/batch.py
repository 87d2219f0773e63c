"""As the CPU's `batch`, on CUDA: statistics of parts of the rows, which are merged in order, then a map.

    y = gamma (x - mean) rstd + beta                                          rstd = 1 / sqrt(variance + epsilon)
    dx = gamma rstd (dy - mean(dy) - xhat mean(dy xhat))                      xhat = (x - mean) rstd

A part has its own mean and its own sum of squares about that, so that nothing cancels; two of them are merged by Chan,
Golub and LeVeque's formula ("Algorithms for computing the sample variance", 1983).
"""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1, rem
from fastcnn.kernels.cuda.sums import added, columns_plan, fold_columns, place_of, sum_lanes


def batch_norm_forward_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_forward` wants for x of `shape` (P, C)."""
    return 2 * columns_plan(*shape)[2] * shape[1]


def batch_norm_predict_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_predict` wants for x of `shape` (P, C): none."""
    return 0


def batch_norm_backward_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_backward` wants for x of `shape` (P, C)."""
    return 2 * (columns_plan(*shape)[2] + 1) * shape[1]


@launcher(in_place=("x", "addend"))
def batch_norm_forward(y, mean, rstd, moving_mean, moving_variance, scratch, x, addend, gamma, beta, momentum, epsilon,
                       slope, ceiling):
    """Normalize with the statistics of the batch, and move the moving ones, as the CPU's."""
    rows, columns = x.shape
    grid, numbers, parts = columns_plan(rows, columns)
    statistics[grid, THREADS](scratch, x, *numbers)
    merge_statistics[(1, grid[1]), THREADS](mean, rstd, moving_mean, moving_variance, scratch, *numbers, parts,
                                            momentum, 1.0 - momentum, epsilon)
    normalize[blocks_for(x.size), THREADS](y, x, addend, gamma, beta, mean, rstd, x.size, columns, addend.size,
                                           gamma.size, beta.size, 0, epsilon, slope, ceiling)


@launcher(in_place=("x",))
def batch_norm_predict(y, scratch, x, gamma, beta, mean, variance, epsilon, slope, ceiling):
    """Normalize with given statistics, as the CPU's."""
    normalize[blocks_for(x.size), THREADS](y, x, x, gamma, beta, mean, variance, x.size, x.shape[1], 0, gamma.size,
                                           beta.size, 1, epsilon, slope, ceiling)


@inlined
def _merged(n, mean, squares, more, other_mean, other_squares):
    """Return count, mean and sum of squares of two sets of numbers together."""
    total = n + more
    if total == f32(0):
        return total, mean, squares
    apart = other_mean - mean
    return total, mean + apart * (more / total), squares + other_squares + apart * apart * (n * more / total)


@inlined
def _count(begin, end, apart):
    """Return how many numbers `range` has, as float32."""
    return f32((end - begin + apart - 1) // apart) if end > begin else f32(0)


@kernel
def statistics(parts: floats, x: floats, rows: i32, columns: i32, across: i32, lanes: i32, each: i32):
    """A block a part of the rows of some columns: mean and sum of squares about it, (part, 2, column)."""
    means, squares = cuda.shared.array(THREADS, f32), cuda.shared.array(THREADS, f32)
    t = i32(cuda.threadIdx.x)
    column, lane, begin, end = place_of(rows, columns, across, lanes, each)
    total, rest = f32(0), f32(0)
    for row in range(begin, end, lanes):
        total, rest = added(total, rest, load1(x, i32(row * columns) + column))
    count = _count(begin, end, lanes)
    mean = total / count if count > f32(0) else f32(0)
    total, rest = f32(0), f32(0)
    for row in range(begin, end, lanes):
        apart = load1(x, i32(row * columns) + column) - mean
        total, rest = added(total, rest, apart * apart)
    means[t], squares[t] = mean, total
    cuda.syncthreads()
    if lane == 0 and column < columns:
        n, mean, total = f32(0), f32(0), f32(0)
        for other in range(lanes):
            at = other * across + t
            n, mean, total = _merged(n, mean, total, _count(begin + other, end, lanes), means[at], squares[at])
        to = i32(2 * cuda.blockIdx.x * columns + column)
        parts[to], parts[to + columns] = mean, total


@kernel
def merge_statistics(mean: floats, rstd: floats, moving_mean: floats, moving_variance: floats, parts: floats, rows: i32,
                     columns: i32, across: i32, lanes: i32, each: i32, count: i32, momentum: f32, share: f32,
                     epsilon: f32):
    """Some lanes a column, which merge parts in turn; then the lanes are merged."""
    held, means, squares = (cuda.shared.array(THREADS, f32), cuda.shared.array(THREADS, f32),
                            cuda.shared.array(THREADS, f32))
    t = i32(cuda.threadIdx.x)
    column, lane, begin, end = place_of(count, columns, across, lanes, count)
    n, middle, total = f32(0), f32(0), f32(0)
    for part in range(begin, end, lanes):
        of, at = f32(min(each, rows - part * each)), i32(2 * part * columns + column)
        n, middle, total = _merged(n, middle, total, of, load1(parts, at), load1(parts, at + columns))
    held[t], means[t], squares[t] = n, middle, total
    cuda.syncthreads()
    if lane == 0 and column < columns:
        n, middle, total = f32(0), f32(0), f32(0)
        for other in range(lanes):
            at = other * across + t
            n, middle, total = _merged(n, middle, total, held[at], means[at], squares[at])
        variance = total / n if rows > 0 else f32(0)
        mean[column], rstd[column] = middle, f32(1) / f32(math.sqrt(variance + epsilon))
        if rows > 0:
            moving_mean[column] = momentum * load1(moving_mean, column) + share * middle
            moving_variance[column] = momentum * load1(moving_variance, column) + share * variance


@kernel
def normalize(y: floats, x: floats, addend: floats, gamma: floats, beta: floats, mean: floats, spread: floats,
              size: i32, columns: i32, adds: i32, has_gamma: i32, has_beta: i32, of_variance: i32, epsilon: f32,
              slope: f32, ceiling: f32):
    """A thread an element; `spread` is rstd, or with `of_variance` the variance."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        k = rem(i, columns)
        rstd = load1(spread, k)
        if of_variance != 0:
            rstd = f32(1) / f32(math.sqrt(rstd + epsilon))
        value = (load1(x, i) - load1(mean, k)) * rstd
        value = value * load1(gamma, k) if has_gamma != 0 else value
        value = value + load1(beta, k) if has_beta != 0 else value
        value = value + load1(addend, i) if adds != 0 else value
        value = value * slope if value < f32(0) else value
        y[i] = ceiling if value > ceiling else value


# --- backward ---------------------------------------------------------------------------------------------------------


@launcher(in_place=("dy", "x"))
def batch_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma, beta, slope, ceiling):
    """Write dx, and add to the gradients of scale and offset, as the CPU's."""
    rows, columns = x.shape
    grid, numbers, parts = columns_plan(rows, columns)
    arrays, has = (dy, x, mean, rstd, gamma, beta), (gamma.size, beta.size)
    gradient_sums[grid, THREADS](scratch, *arrays, *numbers, *has, slope, ceiling)
    sums = scratch[2 * parts * columns:]
    fold_columns(sums, scratch, parts, 2 * columns)
    gradient[blocks_for(max(dx.size, columns)), THREADS](
        dx, dgamma, dbeta, sums, *arrays, dx.size, columns, dgamma.size, dbeta.size, *has, slope, ceiling,
        1.0 / max(1, rows))


@inlined
def _passed(gradient, normalized, k, gamma, beta, has_gamma, has_beta, slope, ceiling):
    """Return dy behind the rectifier."""
    value = normalized * load1(gamma, k) if has_gamma != 0 else normalized
    value = value + load1(beta, k) if has_beta != 0 else value
    gradient = gradient * slope if value <= f32(0) else gradient
    return f32(0) if value >= ceiling and ceiling < f32(math.inf) else gradient


@kernel
def gradient_sums(parts: floats, dy: floats, x: floats, mean: floats, rstd: floats, gamma: floats, beta: floats,
                  rows: i32, columns: i32, across: i32, lanes: i32, each: i32, has_gamma: i32, has_beta: i32,
                  slope: f32, ceiling: f32):
    """A block a part of the rows of some columns: sums of dy and of dy xhat, (part, 2, column)."""
    sums, products = cuda.shared.array(THREADS, f32), cuda.shared.array(THREADS, f32)
    column, lane, begin, end = place_of(rows, columns, across, lanes, each)
    total, rest, product, product_rest = f32(0), f32(0), f32(0), f32(0)
    for row in range(begin, end, lanes):
        at = i32(row * columns) + column
        normalized = (load1(x, at) - load1(mean, column)) * load1(rstd, column)
        passed = _passed(load1(dy, at), normalized, column, gamma, beta, has_gamma, has_beta, slope, ceiling)
        total, rest = added(total, rest, passed)
        product, product_rest = added(product, product_rest, passed * normalized)
    sums[cuda.threadIdx.x], products[cuda.threadIdx.x] = total, product
    cuda.syncthreads()
    if lane == 0 and column < columns:
        at = i32(2 * cuda.blockIdx.x * columns + column)
        parts[at], parts[at + columns] = sum_lanes(sums, across, lanes), sum_lanes(products, across, lanes)


@kernel
def gradient(dx: floats, dgamma: floats, dbeta: floats, sums: floats, dy: floats, x: floats, mean: floats, rstd: floats,
             gamma: floats, beta: floats, size: i32, columns: i32, wants_gamma: i32, wants_beta: i32, has_gamma: i32,
             has_beta: i32, slope: f32, ceiling: f32, share: f32):
    """A thread an element of dx; the first ones a column of the gradients of gamma and beta, too."""
    for k in range(cuda.grid(1), columns, cuda.gridsize(1)):
        if wants_beta != 0:
            dbeta[k] = load1(dbeta, k) + load1(sums, k)
        if wants_gamma != 0:
            dgamma[k] = load1(dgamma, k) + load1(sums, columns + k)
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        k = rem(i, columns)
        normalized = (load1(x, i) - load1(mean, k)) * load1(rstd, k)
        passed = _passed(load1(dy, i), normalized, k, gamma, beta, has_gamma, has_beta, slope, ceiling)
        value = passed - share * load1(sums, k) - normalized * (share * load1(sums, columns + k))
        value *= load1(rstd, k)
        dx[i] = value * load1(gamma, k) if has_gamma != 0 else value
