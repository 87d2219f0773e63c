"""As the CPU's `dropout`, on CUDA: the same random numbers, which are counters."""

from fastcnn.kernels import scalar
from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, i64, inlined, load1
from fastcnn.kernels.cuda.elementwise.elementary import mix

_LOW32 = 0xFFFFFFFF


def keys(seed, step):
    """Return two words of 32 bits, as the CPU's."""
    left = (seed & _LOW32) ^ scalar.mix(seed >> 32 & _LOW32)
    right = (step & _LOW32) ^ scalar.mix(step >> 32 & _LOW32)
    left ^= scalar.mix(right ^ 0x9E3779B9)
    right ^= scalar.mix(left)
    left ^= scalar.mix(right)
    return left, right


@inlined
def mixed(index, key, second):
    """Return 32 random bits of element `index`."""
    return mix(mix((index & _LOW32) ^ key) ^ second)


@launcher(in_place=("x",))
def dropout(y, x, rate, seed, step):
    """y[i] = x[i] / (1 - rate) where random(seed, step, i) >= rate, else 0, as the CPU's."""
    masked[blocks_for(y.size), THREADS](y, x, y.size, int(rate * 4294967296.0), *keys(int(seed), int(step)),
                                        1.0 / (1.0 - rate))


@kernel
def masked(y: floats, x: floats, size: i32, limit: i64, key: i64, second: i64, factor: f32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        larger = load1(x, i) * factor
        y[i] = f32(0) if mixed(i, key, second) < limit else larger  # not times 0: NaN, of infinity
