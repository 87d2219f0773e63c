"""Images and filters as tiles read them: bfloat16, borders of zeros, pairs of rows interleaved."""

import numpy as np

from fastcnn.kernels.cpu.amx.plan import DEPTH, steps_of
from fastcnn.kernels.cpu.amx.product import BLOCK
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.elementwise.bfloat16 import rounded_bits


@inlined
def store_row(task, stored, x, p):
    """Store a row of a phase of an image, of `p.down[0] * p.across[0] * p.n * p.rows`: x, as bits of float32."""
    wide = steps_of(p) * DEPTH
    i, image = task % p.rows, task // p.rows % p.n
    phase = task // (p.rows * p.n)
    row = i * p.down[0] + phase // p.across[0] - p.top
    first, at = phase % p.across[0] - p.left, task * p.columns * wide
    for j in range(p.columns):
        column, to = j * p.across[0] + first, stored[at + j * wide:at + (j + 1) * wide]
        done = 0
        if 0 <= row < p.h and 0 <= column < p.w:
            of = ((image * p.h + row) * p.w + column) * p.c
            pixel, done = x[of:of + p.c], p.c
            for c in range(pixel.size):
                to[c] = rounded_bits(pixel[c]) >> np.uint32(16)
        for c in range(done, wide):
            to[c] = 0


@inlined
def pack_block(task, packed, weights, which, strides, p):
    """Pack a block of columns, pairs of numbers as one of 32 bits; `strides` of weights are (tap, depth, column)."""
    tap_stride, depth_stride, column_stride = strides
    steps, size = steps_of(p), BLOCK * DEPTH // 2
    columns = min(BLOCK, p.k - task * BLOCK)
    for t in range(which.size):
        for step in range(steps):
            at = ((task * which.size + t) * steps + step) * size
            for pair in range(DEPTH // 2):
                depth = step * DEPTH + 2 * pair
                of = which[t] * tap_stride + depth * depth_stride + task * BLOCK * column_stride
                for half in range(2):
                    to = packed[at + (half * 16 + pair) * 16:at + (half * 16 + pair + 1) * 16]
                    for column in range(16):
                        k = half * 16 + column
                        word = np.uint32(0)
                        if k < columns and depth < p.c:
                            word = rounded_bits(weights[of + k * column_stride]) >> np.uint32(16)
                            if depth + 1 < p.c:
                                word |= rounded_bits(weights[of + depth_stride + k * column_stride])
                        to[column] = word
