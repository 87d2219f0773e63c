"""As the CPU's `parts`, on CUDA: norms and factors of parameters that lie side by side in one flat array.

A block has a chunk of the array, cut by its size alone, and sums each piece, where the chunk meets a part, in float64;
the sum of piece (chunk, part) lies in scratch[chunk + part]. Then a thread adds the pieces of a part, in order.
"""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import doubles, floats, int64s
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, f64, i32, inlined, load1, sized
from fastcnn.kernels.cuda.rows import sum_of_row

_CHUNKS = sized(1024, 5)


def squared_norms_scratch(parts, dtype):
    """Return how many float64 elements of scratch `squared_norms` wants for so many parts."""
    return _CHUNKS + parts


@launcher
def squared_norms(norms, scratch, array, offsets):
    """Write the sum of squares of each part, in float64, as the CPU's."""
    each = max(1, -(-array.size // _CHUNKS))
    chunks = max(1, -(-array.size // each))
    piece_sums[chunks, THREADS](scratch, array, offsets, array.size, norms.size, each)
    part_sums[blocks_for(norms.size), THREADS](norms, scratch, offsets, norms.size, each)


@inlined
def _part_at(offsets, parts, position):
    """Return the last part that begins at or before a position."""
    low, high = i32(0), parts
    while high - low > 1:
        middle = div(low + high, 2)
        if load1(offsets, middle) <= position:
            low = middle
        else:
            high = middle
    return i32(low)


@kernel
def piece_sums(sums: doubles, array: floats, offsets: int64s, size: i32, parts: i32, each: i32):
    """A block a chunk: all of its threads sum a piece, then the next one."""
    held = cuda.shared.array(THREADS, f64)
    t, chunk = i32(cuda.threadIdx.x), i32(cuda.blockIdx.x)
    begin, end = i32(chunk * each), min(size, i32((chunk + 1) * each))
    part = _part_at(offsets, parts, begin)
    while part < parts and load1(offsets, part) < end:
        first, last = max(begin, i32(load1(offsets, part))), min(end, i32(load1(offsets, part + 1)))
        total = f64(0)
        for i in range(first + t, last, THREADS):
            value = f64(load1(array, i))
            total += value * value
        total = sum_of_row(held, total, t, i32(THREADS))
        if t == 0:
            sums[chunk + part] = total
        part += 1


@kernel
def part_sums(norms: doubles, sums: doubles, offsets: int64s, parts: i32, each: i32):
    """A thread a part."""
    for part in range(cuda.grid(1), parts, cuda.gridsize(1)):
        begin, end, total = i32(load1(offsets, part)), i32(load1(offsets, part + 1)), f64(0)
        if begin < end:
            for chunk in range(div(begin, each), div(end - 1, each) + 1):
                total += load1(sums, chunk + part)
        norms[part] = total


@launcher
def scale_parts(array, factors, offsets, limit):
    """Multiply each part by its factor, in float64, and cut the result to [-limit, limit], as the CPU's."""
    scaled[blocks_for(array.size), THREADS](array, factors, offsets, array.size, factors.size, limit)


@kernel
def scaled(array: floats, factors: doubles, offsets: int64s, size: i32, parts: i32, limit: f64):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        x = f64(load1(array, i)) * load1(factors, _part_at(offsets, parts, i))
        x = limit if x > limit else x
        array[i] = f32(-limit if x < -limit else x)


@launcher
def moving_average(average, values, share):
    """Move an average towards values: average <- average + (values - average) share, as the CPU's."""
    averaged[blocks_for(values.size), THREADS](average, values, values.size, share)


@kernel
def averaged(average: floats, values: floats, size: i32, share: f32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        value, old = load1(values, i), load1(average, i)
        average[i] = value if share == f32(1) else old + (value - old) * share
