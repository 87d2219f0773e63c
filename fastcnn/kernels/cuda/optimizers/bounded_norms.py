"""As the CPU's `bounded_norms`, on CUDA: a thread a vector, whose neighbours have the vectors beside it."""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, f64, i32, load1


def bound_norms_scratch(vectors, dtype):
    """Return how many float64 elements of scratch `bound_norms` wants for so many vectors: none."""
    return 0


@launcher
def bound_norms(array, scratch, low, high, rate, epsilon):
    """Scale each vector w: w <- w (rate min(max(|w|, low), high) + (1 - rate) |w|) / (|w| + epsilon), as the CPU's."""
    outer, length, inner = array.shape
    bounded[blocks_for(outer * inner), THREADS](array, outer * inner, length, inner, low, high, rate, epsilon)


@kernel
def bounded(array: floats, vectors: i32, length: i32, inner: i32, low: f64, high: f64, rate: f64, epsilon: f64):
    """A thread a vector."""
    for vector in range(cuda.grid(1), vectors, cuda.gridsize(1)):
        outer = div(vector, inner)
        first = i32(i32(outer * length) * inner + (vector - outer * inner))
        total = f64(0)
        for m in range(length):
            value = f64(load1(array, first + m * inner))
            total += value * value
        norm = f64(math.sqrt(total))
        inside = high if norm > high else (low if norm < low else norm)
        factor = (rate * inside + (f64(1) - rate) * norm) / (norm + epsilon)
        for m in range(length):
            at = i32(first + m * inner)
            array[at] = f32(f64(load1(array, at)) * factor)
