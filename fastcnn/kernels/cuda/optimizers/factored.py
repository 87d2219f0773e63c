"""As the CPU's `factored`, on CUDA: Adafactor's moments of rows and columns, a thread a row, a column or a matrix."""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import doubles, floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, f64, i32, load1


def factored_step_scratch(columns, dtype):
    """Return how many float64 elements of scratch `factored_step` wants for so many columns in all."""
    return columns  # of which as many as there are matrices are used: the means of the rows' moments


@launcher
def factored_step(u, state, scratch, gradients, beta, epsilon):
    """Update the second moments, and write u = g / sqrt(moment), as the CPU's."""
    outer, rows, columns = u.shape
    if rows == 1 or columns == 1:
        whole_step[blocks_for(u.size), THREADS](u, state, gradients, u.size, beta, 1.0 - beta, epsilon)
        return
    vectors = outer * (rows + columns)
    moments[blocks_for(vectors), THREADS](state, gradients, vectors, rows, columns, beta, 1.0 - beta, epsilon)
    means[blocks_for(outer), THREADS](scratch, state, outer, rows, columns)
    step[blocks_for(u.size), THREADS](u, scratch, state, gradients, u.size, rows, columns)


@kernel
def whole_step(u: floats, state: floats, gradients: floats, size: i32, beta: f32, share: f32, epsilon: f32):
    """A thread an element, which has a moment of its own."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        g = load1(gradients, i)
        moment = beta * load1(state, i) + share * (g * g + epsilon)
        state[i] = moment
        u[i] = g / f32(math.sqrt(moment))


@kernel
def moments(state: floats, gradients: floats, vectors: i32, rows: i32, columns: i32, beta: f64, share: f64,
            epsilon: f64):
    """A thread a row or a column."""
    for vector in range(cuda.grid(1), vectors, cuda.gridsize(1)):
        outer = div(vector, rows + columns)
        i, matrix = i32(vector - outer * (rows + columns)), i32(i32(outer * rows) * columns)
        length, first, apart = columns, i32(matrix + i * columns), i32(1)
        if i >= rows:
            length, first, apart = rows, i32(matrix + i - rows), columns
        total = f64(0)
        for k in range(length):
            g = f64(load1(gradients, first + k * apart))
            total += g * g
        state[matrix + i] = f32(beta * f64(load1(state, matrix + i)) + share * (total / f64(length) + epsilon))


@kernel
def means(found: doubles, state: floats, outer: i32, rows: i32, columns: i32):
    """A thread a matrix: the mean of its rows' moments."""
    for matrix in range(cuda.grid(1), outer, cuda.gridsize(1)):
        total = f64(0)
        for i in range(rows):
            total += f64(load1(state, i32(i32(matrix * rows) * columns) + i))
        found[matrix] = total / f64(rows)


@kernel
def step(u: floats, found: doubles, state: floats, gradients: floats, size: i32, rows: i32, columns: i32):
    """A thread an element."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        line = div(at, columns)
        matrix = div(line, rows)
        i, j, first = i32(line - matrix * rows), i32(at - line * columns), i32(i32(matrix * rows) * columns)
        share = f32(f64(load1(state, first + i)) / load1(found, matrix))
        u[at] = load1(gradients, at) / f32(math.sqrt(share * load1(state, first + rows + j)))
