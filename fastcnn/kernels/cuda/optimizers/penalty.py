"""As the CPU's `penalty`, on CUDA: a block a chunk of the weights, whose sums are folded in order, in float64."""

from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import doubles, floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, f64, i32, load1, sized
from fastcnn.kernels.cuda.rows import sum_of_row

_CHUNKS = sized(512, 3)


def penalty_scratch(size, dtype):
    """Return how many float64 elements of scratch `penalty` wants for an array of `size`."""
    return _CHUNKS


@launcher
def penalty(total, gradient, scratch, array, l1, l2):
    """Write l1 sum|w| + l2 sum w^2, and add its slope to the gradient, as the CPU's."""
    each = max(1, -(-array.size // _CHUNKS))
    chunks = max(1, -(-array.size // each))
    chunk_sums[chunks, THREADS](scratch, gradient, array, array.size, each, gradient.size, l1, l2)
    fold_sums[1, THREADS](total, scratch, chunks)


@kernel
def chunk_sums(sums: doubles, gradient: floats, array: floats, size: i32, each: i32, wants_gradient: i32, l1: f64,
               l2: f64):
    """A block a chunk."""
    held = cuda.shared.array(THREADS, f64)
    t, chunk = i32(cuda.threadIdx.x), i32(cuda.blockIdx.x)
    sizes, squares, step, factor = f64(0), f64(0), f32(l1), f32(f64(2) * l2)
    for i in range(chunk * each + t, min(size, (chunk + 1) * each), THREADS):
        w = load1(array, i)
        x = f64(w)
        sizes += abs(x)
        squares += x * x
        if wants_gradient != 0:
            slope = step if w > f32(0) else (-step if w < f32(0) else f32(0))
            gradient[i] = load1(gradient, i) + (factor * w + slope)
    sizes, squares = sum_of_row(held, sizes, t, i32(THREADS)), sum_of_row(held, squares, t, i32(THREADS))
    if t == 0:
        sums[chunk] = l1 * sizes + l2 * squares


@kernel
def fold_sums(total: doubles, sums: doubles, count: i32):
    """One block."""
    held = cuda.shared.array(THREADS, f64)
    t, value = i32(cuda.threadIdx.x), f64(0)
    for i in range(t, count, THREADS):
        value += load1(sums, i)
    value = sum_of_row(held, value, t, i32(THREADS))
    if t == 0:
        total[0] = value
