"""Rows scaled to length 1: what turns a dot product into the cosine of an angle. ONNX: LpNormalization with p = 2.

With something added to the square of the length it is the scaling by a root mean square (ONNX: RMSNormalization).

A row is read twice while it is in L1: for its length, and to be scaled::

    x | row of C numbers |  --sum of squares-->  scale = 1 / length  --->  y = scale x     one number kept for each row
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.sums import row_product


@kernel
def unit_rows_forward(y, scale, x, epsilon, more):
    """Write y = scale x with scale = min(1 / sqrt(|x|^2 + more), 1 / epsilon) for each row.

    Parameters
    ----------
    y : (rows, C) array
        Written; fresh memory.
    scale : (rows,) array
        Written, for the backward pass.
    x : (rows, C) array
    epsilon : float
        The least length that is scaled to 1; a shorter row stays shorter.
    more : float
        Added to the square of the length; 0 for none.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_forward_rows, chunks, (chunks, y, scale, x, epsilon, more))


@inlined
def _forward_rows(chunk, chunks, y, scale, x, epsilon, more):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    least = real(epsilon)
    for i in range(begin, end):
        to, row = y[i], x[i]
        length = np.sqrt(real(row_product(row, row)) + real(more))
        scale[i] = real(1) / (least if length < least else length)
        factor = scale[i]
        for j in range(row.size):
            to[j] = factor * row[j]


@kernel
def unit_rows_backward(dx, dy, y, scale, epsilon):
    """Write dx = scale (dy - y sum(dy y)) for each row; scale dy where the forward pass met its bound.

    Parameters
    ----------
    dx : (rows, C) array
        Written; fresh memory.
    dy, y : (rows, C) arrays
    scale : (rows,) array
    epsilon : float
        As in the forward pass.
    """
    chunks = min(dx.shape[0], chunks_for(dx.size, 64))
    parallel(_backward_rows, chunks, (chunks, dx, dy, y, scale, epsilon))


@inlined
def _backward_rows(chunk, chunks, dx, dy, y, scale, epsilon):
    begin, end = chunk_of(chunk, chunks, dx.shape[0])
    real = dx.dtype.type
    bound = real(1) / real(epsilon)
    for i in range(begin, end):
        out, gradient, value, factor = dx[i], dy[i], y[i], scale[i]
        total = real(row_product(gradient, value)) if factor < bound else real(0)
        for j in range(out.size):
            out[j] = factor * (gradient[j] - value[j] * total)
