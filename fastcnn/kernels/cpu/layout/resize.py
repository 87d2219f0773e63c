"""Images of another size: each pixel a mixture of some pixels side by side. ONNX: Resize, Upsample.

    y[n, i, j, c] = sum_r sum_s row_weights[i, r] column_weights[j, s] x[n, row(i) + r, column(j) + s, c]

where row(i) and column(j) are the first pixels of their windows. What the weights are is not the kernel's affair:
linear and cubic interpolation, the means of an adaptive pooling, and the gradients of all of these are such tables
(`fastcnn.geometry.resize`). A pixel of the output is one walk over a window with weights
(`fastcnn.kernels.cpu.simd.windows.window_blend`), and written once::

    y[i, j]      <-  row_weights[i]  | a |     x   x   x
                                     | b |     x   x   x      sum of products, 4 vectors of channels at a time
                    column_weights[j]  (d, e, f)
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.windows import Windows, window_blend


@kernel
def resize2d(y, x, rows, row_weights, columns, column_weights):
    """Write each pixel as the mixture of a window of pixels.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    x : (N, H, W, C) array
    rows : (OH, 2) int64 array
        First row of each output row's window, and how many there are.
    row_weights : (OH, R) array
        Weights of those rows.
    columns : (OW, 2) int64 array
        As `rows`.
    column_weights : (OW, S) array
        As `row_weights`.
    """
    chunks = min(y.shape[0] * y.shape[1], chunks_for(max(y.size, x.size), 64))
    parallel(_resize_rows, chunks, (chunks, y, x, rows, row_weights, columns, column_weights))


@inlined
def _resize_rows(chunk, chunks, y, x, rows, row_weights, columns, column_weights):
    n, oh, ow, c = y.shape
    h, w, down, right = x.shape[1], x.shape[2], row_weights.shape[1], column_weights.shape[1]
    to, of, places = y.reshape(-1), x.reshape(-1), columns.reshape(-1)
    row_weights, column_weights = row_weights.reshape(-1), column_weights.reshape(-1)
    first, last = chunk_of(chunk, chunks, n * oh)
    for row in range(first, last):
        i = row % oh
        height, image = rows[i, 1], (row // oh * h + rows[i, 0]) * w * c
        for j in range(np.uintp(ow)):
            place, width = places[2 * j], places[2 * j + 1]
            window_blend((to, (row * ow + np.intp(j)) * c), (of, image + place * c), (row_weights, i * down),
                         (column_weights, np.intp(j) * right), Windows(1, (0, 0), (height, width), (w * c, c), c))
