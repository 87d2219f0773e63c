"""As the CPU's `resize`, on CUDA: a thread an element of the result, which walks over its window with weights."""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats, int64s
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, load1
from fastcnn.kernels.cuda.sums import added


@launcher
def resize2d(y, x, rows, row_weights, columns, column_weights):
    """Write each pixel as the mixture of a window of pixels, as the CPU's."""
    blended[blocks_for(y.size), THREADS](y, x, row_weights, column_weights, rows, columns, y.size, *y.shape[1:],
                                         *x.shape[1:3], row_weights.shape[1], column_weights.shape[1])


@kernel
def blended(y: floats, x: floats, row_weights: floats, column_weights: floats, rows: int64s, columns: int64s, size: i32,
            oh: i32, ow: i32, c: i32, h: i32, w: i32, most_rows: i32, most_columns: i32):
    """A thread an element."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        place = div(at, c)
        line = div(place, ow)
        image = div(line, oh)
        i, j = i32(line - image * oh), i32(place - line * ow)
        p, height = i32(load1(rows, 2 * i)), i32(load1(rows, 2 * i + 1))
        q, width = i32(load1(columns, 2 * j)), i32(load1(columns, 2 * j + 1))
        first = i32(i32(i32(image * h) + p) * w + q) * c + i32(at - place * c)
        total, rest = f32(0), f32(0)
        for r in range(height):
            weight = load1(row_weights, i32(i * most_rows) + r)
            for s in range(width):
                value = load1(x, i32(first + i32(i32(r * w) + s) * c))
                total, rest = added(total, rest, weight * load1(column_weights, i32(j * most_columns) + s) * value)
        y[at] = total
