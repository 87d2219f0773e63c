"""Axes in another order: a copy in blocks that both sides read and write in whole vectors. ONNX: Transpose.

`fastcnn.geometry.permutation` joins axes that stay neighbours. What is left is, for each place of the outer
dimensions, a matrix to be transposed (or, if the last axis stays the last, a run to be copied)::

    source (.., A, .., B)     B side by side                 result (.., B, .., A)    A side by side
    | a = 0:  b0 b1 b2 .. |                                  | b = 0:  a0 a1 .. |
    | a = 1:  b0 b1 b2 .. |   LANES x LANES in registers     | b = 1:  a0 a1 .. |
    |  ..                 |  --------------------------->    |  ..              |

A task takes a band of rows a, which fills whole cache lines of the result, through all b. What is narrower than a
vector (three colours, the edges of a matrix) goes number by number, the longest dimension innermost.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import at3, copy
from fastcnn.kernels.cpu.simd.transpose import transpose_block
from fastcnn.kernels.cpu.simd.width import lanes_of

_BAND = 64  # of the result's last axis
_RUN = 16384  # numbers one by one, after which their cache lines are met again, in L2


@kernel
def permute(y, x, geometry):
    """Write y = numpy.transpose(x, axes).

    Parameters
    ----------
    y : (size,) array
        Written.
    x : (size,) array
    geometry : PERMUTATION
        Of one element: ``fastcnn.geometry.permutation.permutation(shape, axes)``.
    """
    g = geometry[0]
    bands = 1 if min(g["a"], g["b"]) < lanes_of(y) else (g["a"] + _BAND - 1) // _BAND
    items = g["n0"] * g["n1"] * g["n2"] * g["n3"] * bands
    chunks = max(1, min(items, chunks_for(x.size, 64)))
    parallel(_permute_items, chunks, (chunks, items, bands, y, x, geometry))


@inlined
def _permute_items(chunk, chunks, items, bands, y, x, geometry):
    g, one = geometry[0], lanes_of(y)
    first, last = chunk_of(chunk, chunks, items)
    a, sa, b, tb, n4, s4, t4 = g["a"], g["sa"], g["b"], g["tb"], g["n4"], g["s4"], g["t4"]
    for item in range(first, last):
        outer, begin = item // bands, item % bands * _BAND
        i3, outer = outer % g["n3"], outer // g["n3"]
        i2, outer = outer % g["n2"], outer // g["n2"]
        i1, i0 = outer % g["n1"], outer // g["n1"]
        of = i0 * g["s0"] + i1 * g["s1"] + i2 * g["s2"] + i3 * g["s3"]
        to = i0 * g["t0"] + i1 * g["t1"] + i2 * g["t2"] + i3 * g["t3"]
        if b == 1 and a >= one:
            for i in range(n4):
                copy(y, to + i * t4, x, of + i * s4, a)
            continue
        narrow = min(a, b) < one
        end = a if narrow else min(a, begin + _BAND)
        i_whole = begin if narrow else begin + (end - begin) // one * one
        j_whole = 0 if narrow else b // one * one
        for n in range(0 if narrow else n4):
            for j in range(0, j_whole, one):
                for i in range(begin, i_whole, one):
                    transpose_block(y, to + n * t4 + j * tb + i, tb, x, of + n * s4 + i * sa + j, sa)
        # The edges: rows behind the whole blocks, then columns behind them. A narrow matrix is an edge.
        for edge in range(2):
            i, j = (i_whole, 0) if edge == 0 else (begin, j_whole)
            high, wide = (end - i_whole, b) if edge == 0 else (i_whole - begin, b - j_whole)
            if high > 0 and wide > 0:
                _one_by_one(y, to + j * tb + i, x, of + i * sa + j, at3(high, sa, 1),
                            at3(wide, 1, tb), at3(n4, s4, t4))


@inlined
def _one_by_one(y, to, x, of, first, second, third):
    """Copy a block of three dimensions (length, stride in x, stride in y), the longest innermost."""
    if first[0] > second[0]:
        first, second = second, first
    if second[0] > third[0]:
        second, third = third, second
    n, sn, tn = third
    for begin in range(0, n, _RUN):
        count = min(_RUN, n - begin)
        for i in range(first[0]):
            for j in range(second[0]):
                source = np.uintp(of + i * first[1] + j * second[1] + begin * sn)
                target = np.uintp(to + i * first[2] + j * second[2] + begin * tn)
                for _ in range(count):
                    y[target] = x[source]
                    source, target = source + np.uintp(sn), target + np.uintp(tn)
