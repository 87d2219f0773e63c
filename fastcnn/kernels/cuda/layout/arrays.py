"""As the CPU's `arrays`, on CUDA: moving and adding arrays, a thread an element."""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import doubles, floats, int32s, int64s, uint8s
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, load1, rem, within


@launcher
def gather(out, source, index):
    """Copy rows of a data set into a batch: out[i] = source[index[i]], as the CPU's.

    `source` is of float32, float64, uint8, int32 or int64.
    """
    gathered[blocks_for(out.size), THREADS](out, source, index, out.size, max(1, out.shape[1]))


@kernel
def gathered(out: floats, source: floats | doubles | uint8s | int32s | int64s, index: int64s, size: i32, columns: i32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        row = div(i, columns)
        out[i] = f32(source[load1(index, row) * columns + (i - row * columns)])


@launcher(in_place=("a", "b"))
def add(out, a, b):
    """out = a + b, for flat arrays of one size, as the CPU's."""
    added[blocks_for(out.size), THREADS](out, a, b, out.size)


@kernel
def added(out: floats, a: floats, b: floats, size: i32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        out[i] = load1(a, i) + load1(b, i)


@launcher
def copy_columns(out, to, source, of, columns):
    """out[:, to:to + columns] = source[:, of:of + columns], the rest of `out` stays, as the CPU's."""
    size = out.shape[0] * columns
    columns_copied[blocks_for(size), THREADS](out, source, size, max(1, columns), out.shape[1], to, source.shape[1], of)


@kernel
def columns_copied(out: floats, source: floats, size: i32, columns: i32, out_columns: i32, to: i32, source_columns: i32,
                   of: i32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        row = div(i, columns)
        column = i32(i - row * columns)
        out[i32(row * out_columns) + to + column] = load1(source, i32(row * source_columns) + of + column)


@launcher
def pad2d(y, x, top, left):
    """Write `x` into the middle of `y` at (top, left), and zeros around it, as the CPU's."""
    padded[blocks_for(y.size), THREADS](y, x, y.size, *y.shape[1:], *x.shape[1:3], top, left)


@kernel
def padded(y: floats, x: floats, size: i32, height: i32, width: i32, c: i32, h: i32, w: i32, top: i32, left: i32):
    """A thread an element."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        pixel = div(at, c)
        line = div(pixel, width)
        i, j, value = i32(rem(line, height) - top), i32(pixel - line * width - left), f32(0)
        if within(i, h) and within(j, w):
            value = load1(x, i32(i32(i32(div(line, height) * h) + i) * w + j) * c + i32(at - pixel * c))
        y[at] = value
