"""Moving and adding arrays: the batch that training gathers, sums of gradients, zero padding."""

from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, kernel, prange


@kernel
def gather(out, source, index):
    """Copy rows of a data set into a batch: out[i] = source[index[i]], converted to the type of `out`.

    Parameters
    ----------
    out : (B, F) float array
        Written.
    source : (N, F) array of any integer or floating type
    index : (B,) int64 array
        Rows in 0..N-1.
    """
    rows, features = out.shape
    chunks = min(rows, chunks_for(out.size, 64))
    for chunk in prange(chunks):
        begin, end = chunk_of(chunk, chunks, rows)
        for i in range(begin, end):
            row = index[i]
            for j in range(features):
                out[i, j] = source[row, j]


@kernel
def add(out, a, b):
    """out = a + b, for flat arrays of one size; `out` may be `a` or `b`."""
    chunks = chunks_for(out.size, 64)
    for chunk in prange(chunks):
        begin, end = chunk_of(chunk, chunks, out.size)
        for i in range(begin, end):
            out[i] = a[i] + b[i]


@kernel
def pad2d(y, x, top, left):
    """Write `x` (N, H, W, C) into the middle of `y` (N, H', W', C) at (top, left), and zeros around it."""
    n, height, width, c = y.shape
    h, w = x.shape[1], x.shape[2]
    for row in prange(n * height):
        image, i = row // height, row % height - top
        inside = 0 <= i < h
        for j in range(width):
            if inside and left <= j < left + w:
                for k in range(c):
                    y[image, i + top, j, k] = x[image, i, j - left, k]
            else:
                for k in range(c):
                    y[image, i + top, j, k] = 0


@kernel
def crop2d(x, y, top, left):
    """Read `x` (N, H, W, C) out of the middle of `y` (N, H', W', C): the inverse and the gradient of `pad2d`."""
    n, h, w, c = x.shape
    for row in prange(n * h):
        image, i = row // h, row % h
        for j in range(w):
            for k in range(c):
                x[image, i, j, k] = y[image, i + top, j + left, k]
