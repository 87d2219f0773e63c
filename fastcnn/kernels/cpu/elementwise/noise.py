"""Random numbers that are counters: computed again wherever they are wanted, never stored.

    uniform   r in [0, 1) of 24 bits, from (seed, step, index)
    normal    z = sqrt(-2 log u) cos(2 pi t),   u in (0, 1] and t in [0, 1) of 24 bits each

(Box and Muller, "A note on the generation of random normal deviates", 1958.) Of 24 bits, so that float32 and float64
have the same u and t; no z is beyond 5.8, where the normal distribution has one number in 10^8.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.elementwise.dropout import keys, mixed
from fastcnn.kernels.cpu.simd.elementary import cos_turn, log, mix
from fastcnn.kernels.cpu.simd.memory import BLOCK, copied

_COST = 4  # what an element costs, in plain elements of work
_UNIT = 2.0**-24


@kernel(in_place=("x",))
def gaussian_noise(y, x, stddev, multiplied, seed, step):
    """y[i] = x[i] + stddev z[i], or with `multiplied` x[i] (1 + stddev z[i]): then also its backward pass, of dy.

    Parameters
    ----------
    y : (size,) array
        Written.
    x : (size,) array
    stddev : float
    multiplied : int
    seed, step : int
        As in `dropout`.
    """
    chunks = chunks_for(_COST * y.size, 64)
    key, second = keys(seed, step)
    parallel(_noise_chunk, chunks, (chunks, y, x, stddev, multiplied, key, second))


@inlined(exact=True)
def _noise_chunk(chunk, chunks, y, x, stddev, multiplied, key, second):
    first, last = chunk_of(chunk, chunks, y.size)
    real = y.dtype.type
    unit, added, scaled = real(_UNIT), real(0 if multiplied else stddev), real(stddev if multiplied else 0)
    for begin in range(first, last, BLOCK):
        block = copied(y, x, begin, min(begin + BLOCK, last))
        for i in range(block.size):
            bits = mixed(begin + i, key, second)
            u = real(np.int32((bits >> 8) + 1)) * unit
            t = real(np.int32(mix(bits ^ key) >> 8)) * unit
            z = real(math.sqrt(real(-2) * log(u))) * cos_turn(t)
            block[i] += added * z + scaled * z * block[i]


@kernel
def uniform_numbers(y, low, high, seed, step):
    """y[i] = low + (high - low) r[i].

    Parameters
    ----------
    y : (size,) array
        Written.
    low, high : float
    seed, step : int
        As in `dropout`.
    """
    chunks = chunks_for(y.size, 64)
    key, second = keys(seed, step)
    parallel(_uniform_chunk, chunks, (chunks, y, low, high, key, second))


@inlined(exact=True)
def _uniform_chunk(chunk, chunks, y, low, high, key, second):
    first, last = chunk_of(chunk, chunks, y.size)
    real = y.dtype.type
    least, unit = real(low), real((high - low) * _UNIT)
    for i in range(first, last):
        y[i] = least + real(np.int32(mixed(i, key, second) >> 8)) * unit
