"""Dropout with random numbers that are counters: the mask is computed again wherever it is wanted, never stored.

ONNX: Dropout. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011, for the idea of a counter.
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.elementary import mix
from fastcnn.kernels.cpu.simd.memory import BLOCK, copied

_LOW32 = 0xFFFFFFFF


@kernel(in_place=("x",))
def dropout(y, x, rate, seed, step):
    """y[i] = x[i] / (1 - rate) where random(seed, step, i) >= rate, else 0: also the backward pass, called on dy.

    Parameters
    ----------
    y : (size,) array
        Written.
    x : (size,) array
    rate : float
        The share to drop, 0 <= rate < 1.
    seed, step : int
        Each pair has a mask of its own. Of each the lower 64 bits count.
    """
    chunks = chunks_for(y.size, 64)
    key, second = keys(seed, step)
    limit = int(rate * 4294967296.0)
    parallel(_dropout_chunk, chunks, (chunks, y, x, limit, 1.0 / (1.0 - rate), key, second))


@inlined
def keys(seed, step):
    """Return two words of 32 bits: three rounds of a Feistel cipher, so that no two (seed, step) share them."""
    left = (seed & _LOW32) ^ mix(seed >> 32 & _LOW32)
    right = (step & _LOW32) ^ mix(step >> 32 & _LOW32)
    left ^= mix(right ^ 0x9E3779B9)
    right ^= mix(left)
    left ^= mix(right)
    return left, right


@inlined(always=True)
def mixed(index, key, second):
    """Return 32 random bits of element `index`."""
    return mix(mix((index & _LOW32) ^ key) ^ second)


@inlined(exact=True)
def _dropout_chunk(chunk, chunks, y, x, limit, scale, key, second):
    first, last = chunk_of(chunk, chunks, y.size)
    zero, factor = y.dtype.type(0), y.dtype.type(scale)
    for begin in range(first, last, BLOCK):
        block = copied(y, x, begin, min(begin + BLOCK, last))
        for i in range(block.size):
            larger = block[i] * factor
            block[i] = zero if mixed(begin + i, key, second) < limit else larger  # not times 0: NaN, of infinity
