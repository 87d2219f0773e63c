"""As the CPU's `noise`, on CUDA: the same random bits, and from them the same numbers to a few units in the last place.

uniform   r in [0, 1) of 24 bits, from (seed, step, index)
normal    z = sqrt(-2 log u) cos(2 pi t),   u in (0, 1] and t in [0, 1) of 24 bits each
"""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, i64, load1
from fastcnn.kernels.cuda.elementwise.dropout import keys, mixed
from fastcnn.kernels.cuda.elementwise.elementary import cos_turn, log, mix

_UNIT, _MINUS_TWO = f32(2.0**-24), f32(-2)


@launcher(in_place=("x",))
def gaussian_noise(y, x, stddev, multiplied, seed, step):
    """y[i] = x[i] + stddev z[i], or with `multiplied` x[i] (1 + stddev z[i]), as the CPU's."""
    noisy[blocks_for(y.size), THREADS](y, x, y.size, *keys(int(seed), int(step)), 0.0 if multiplied else stddev,
                                       stddev if multiplied else 0.0)


@kernel
def noisy(y: floats, x: floats, size: i32, key: i64, second: i64, added: f32, scaled: f32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        bits = mixed(i, key, second)
        u, t = f32(i32((bits >> 8) + 1)) * _UNIT, f32(i32(mix(bits ^ key) >> 8)) * _UNIT
        z = f32(math.sqrt(_MINUS_TWO * log(u))) * cos_turn(t)
        value = load1(x, i)
        y[i] = value + (added * z + scaled * z * value)


@launcher
def uniform_numbers(y, low, high, seed, step):
    """y[i] = low + (high - low) r[i], as the CPU's."""
    uniform[blocks_for(y.size), THREADS](y, y.size, *keys(int(seed), int(step)), low, (high - low) * 2.0**-24)


@kernel
def uniform(y: floats, size: i32, key: i64, second: i64, least: f32, unit: f32):
    """A thread an element."""
    for i in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[i] = least + f32(i32(mixed(i, key, second) >> 8)) * unit
