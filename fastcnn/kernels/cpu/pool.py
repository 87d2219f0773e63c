"""Max and average pooling in 2D, global pooling included (a window of the whole image). ONNX: MaxPool, AveragePool.

    max      y[n, i, j, c] = max of x[n, i sh + r - top, j sw + s - left, c] over the window's positions in the image
    average  the mean of the same elements: padding never wins, and is not counted

NaN wins every comparison. A window that lies in the padding altogether gives -inf and 0.

A row of outputs is cut into *runs* whose windows differ only by their place: one run of all windows that do not hang
over the left or right edge, and a run for each that does. Of a run's windows four positions are read at a time, so that
the results stay in registers. The loops over channels become vectors; their indices are unsigned because Numba tests
every signed one for being negative, and a test in the way leaves the loop scalar.
"""

import numpy as np

from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined, kernel, parallel


@inlined
def _cut(rows, c, work):
    """Return into how many chunks the work is cut, and into how many blocks of channels each row, if rows are few."""
    chunks = chunks_for(work, 64)
    blocks = max(1, min(c // 32, -(-chunks // max(1, rows))))
    return min(chunks, rows * blocks), blocks


@inlined
def _item(item, blocks, c):
    """Return the row of work `item`, and begin and size of its block of channels."""
    low, high = chunk_of(item % blocks, blocks, c)
    return item // blocks, low, high - low


@inlined
def _covered(output, stride, window, before, length):
    """Return begin and end of the part of a window that lies in the image."""
    begin = output * stride - before
    return max(0, begin), min(length, begin + window)


@inlined
def _covering(pixel, stride, window, before, outputs):
    """Return begin and end of the outputs whose windows a pixel lies in."""
    return max(0, (pixel + before - window) // stride + 1), min(outputs, (pixel + before) // stride + 1)


@inlined
def _run(output, stride, window, before, length, outputs):
    """Return how many outputs from `output` on belong to its run: those whose windows lie in the image, or itself."""
    begin = output * stride - before
    if begin < 0 or begin + window > length:
        return 1
    return min(outputs, (length + before - window) // stride + 1) - output


@inlined
def _place(position, positions, top, left, columns, w):
    """Return where in the image a window's position lies, row by row; behind the last one comes the last one again."""
    position = min(position, positions - 1)
    return (top + position // columns) * w + left + position % columns


@kernel
def max_pool2d_forward(y, argmax, x, geometry):
    """Write the largest element of each window, and where it lies.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    argmax : (N, OH, OW, C) int32 array
        Written: ih * W + iw, the position in the image, of the first of several largest elements; -1 in padding.
    x : (N, H, W, C) array
    geometry : POOL2D
    """
    rows = y.shape[0] * y.shape[1]
    chunks, blocks = _cut(rows, y.shape[3], x.size)
    parallel(_max_chunk, chunks, (chunks, blocks, y.reshape(-1), argmax.reshape(-1), x.reshape(-1), geometry))


@inlined
def _max_chunk(chunk, chunks, blocks, y, argmax, x, geometry):
    g = geometry[0]
    oh, ow, h, w, c = g["oh"], g["ow"], g["h"], g["w"], g["c"]
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = _item(item, blocks, c)
        top, bottom = _covered(row % oh, g["sh"], g["kh"], g["top"], h)
        image = row // oh * h * w * c + low
        j = 0
        while j < ow:
            left, right = _covered(j, g["sw"], g["kw"], g["left"], w)
            run = _run(j, g["sw"], g["kw"], g["left"], w, ow)
            at = (row * ow + j) * c + low
            columns = right - left
            positions = max(0, bottom - top) * max(0, columns)
            if positions == 0:
                for o in range(run):
                    for k in range(size):
                        y[at + o * c + k] = -np.inf
                        argmax[at + o * c + k] = -1
            for p in range(0, positions, 4):
                a, b = _place(p, positions, top, left, columns, w), _place(p + 1, positions, top, left, columns, w)
                d, e = _place(p + 2, positions, top, left, columns, w), _place(p + 3, positions, top, left, columns, w)
                for o in range(run):
                    to = o * g["sw"]
                    _max_of_4(y, argmax, at + o * c, p == 0, x, image, c, size, a + to, b + to, d + to, e + to)
            j += run


@inlined
def _max_of_4(y, argmax, at, first, x, image, c, size, a, b, d, e):
    """Let four pixels compete with the best so far, or among themselves if they are the first."""
    xa, xb, xd, xe = image + a * c, image + b * c, image + d * c, image + e * c
    pa, pb, pd, pe = np.int32(a), np.int32(b), np.int32(d), np.int32(e)
    if first:
        for k in range(size):
            best, where = _better(x[np.uintp(xa + k)], pa, x[np.uintp(xb + k)], pb)
            best, where = _better(best, where, x[np.uintp(xd + k)], pd)
            best, where = _better(best, where, x[np.uintp(xe + k)], pe)
            y[np.uintp(at + k)] = best
            argmax[np.uintp(at + k)] = where
    else:
        for k in range(size):
            best, where = _better(y[np.uintp(at + k)], argmax[np.uintp(at + k)], x[np.uintp(xa + k)], pa)
            best, where = _better(best, where, x[np.uintp(xb + k)], pb)
            best, where = _better(best, where, x[np.uintp(xd + k)], pd)
            best, where = _better(best, where, x[np.uintp(xe + k)], pe)
            y[np.uintp(at + k)] = best
            argmax[np.uintp(at + k)] = where


@inlined
def _better(best, where, value, position):
    wins = (value > best) | (value != value)
    return (value if wins else best), (position if wins else where)


@kernel
def max_pool2d_backward(dx, dy, argmax, geometry):
    """Add each element of dy to dx where its maximum came from; all else of dx is zero.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, OH, OW, C) array
    argmax : (N, OH, OW, C) int32 array
        As the forward pass wrote it.
    geometry : POOL2D
    """
    chunks, blocks = _cut(dx.shape[0], dx.shape[3], dx.size)
    parallel(_scatter_chunk, chunks, (chunks, blocks, dx.reshape(-1), dy.reshape(-1), argmax.reshape(-1), geometry))


@inlined
def _scatter_chunk(chunk, chunks, blocks, dx, dy, argmax, geometry):
    g = geometry[0]
    c, pixels, outputs = g["c"], g["h"] * g["w"], g["oh"] * g["ow"]
    first, last = chunk_of(chunk, chunks, g["n"] * blocks)
    for item in range(first, last):
        n, low, size = _item(item, blocks, c)
        image = dx[n * pixels * c:(n + 1) * pixels * c]
        whole = size == c
        for pixel in range(1 if whole else pixels):
            part = image if whole else image[pixel * c + low:pixel * c + low + size]
            for k in range(part.size):
                part[k] = 0
        for output in range(n * outputs, (n + 1) * outputs):
            at = output * c + low
            gradient, where = dy[at:at + size], argmax[at:at + size]
            for k in range(size):
                if where[k] >= 0:
                    image[np.uintp(where[k] * c + low + k)] += gradient[k]


@kernel
def average_pool2d_forward(y, x, geometry):
    """Write the mean of each window's elements in the image.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    x : (N, H, W, C) array
    geometry : POOL2D
    """
    rows = y.shape[0] * y.shape[1]
    chunks, blocks = _cut(rows, y.shape[3], x.size)
    parallel(_average_chunk, chunks, (chunks, blocks, y.reshape(-1), x.reshape(-1), geometry))


@inlined
def _average_chunk(chunk, chunks, blocks, y, x, geometry):
    g = geometry[0]
    oh, ow, h, w, c = g["oh"], g["ow"], g["h"], g["w"], g["c"]
    first, last = chunk_of(chunk, chunks, g["n"] * oh * blocks)
    for item in range(first, last):
        row, low, size = _item(item, blocks, c)
        top, bottom = _covered(row % oh, g["sh"], g["kh"], g["top"], h)
        image = row // oh * h * w * c + low
        j = 0
        while j < ow:
            left, right = _covered(j, g["sw"], g["kw"], g["left"], w)
            run = _run(j, g["sw"], g["kw"], g["left"], w, ow)
            columns = right - left
            positions = max(0, bottom - top) * max(0, columns)
            share = y.dtype.type(1) / y.dtype.type(max(1, positions))
            alone = positions % 4 if positions > 0 else 1
            for o in range(run if alone else 0):
                at = (row * ow + j + o) * c + low
                for k in range(size):
                    y[np.uintp(at + k)] = 0
                for p in range(positions % 4):
                    a = image + (_place(p, positions, top, left, columns, w) + o * g["sw"]) * c
                    for k in range(size):
                        y[np.uintp(at + k)] += share * x[np.uintp(a + k)]
            for p in range(positions % 4, positions, 4):
                a, b = _place(p, positions, top, left, columns, w), _place(p + 1, positions, top, left, columns, w)
                d, e = _place(p + 2, positions, top, left, columns, w), _place(p + 3, positions, top, left, columns, w)
                for o in range(run):
                    source = image + o * g["sw"] * c
                    _add_4(y, (row * ow + j + o) * c + low, p == 0, x, source + a * c, source + b * c, source + d * c,
                           source + e * c, size, share)
            j += run


@inlined
def _add_4(y, at, first, x, a, b, d, e, size, share):
    """Add the share of four pixels to a mean, or write it if they are the first."""
    if first:
        for k in range(size):
            y[np.uintp(at + k)] = share * ((x[np.uintp(a + k)] + x[np.uintp(b + k)])
                                           + (x[np.uintp(d + k)] + x[np.uintp(e + k)]))
    else:
        for k in range(size):
            y[np.uintp(at + k)] += share * ((x[np.uintp(a + k)] + x[np.uintp(b + k)])
                                            + (x[np.uintp(d + k)] + x[np.uintp(e + k)]))


@kernel
def average_pool2d_backward(dx, dy, geometry):
    """Spread each element of dy evenly over the part of its window in the image.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, OH, OW, C) array
    geometry : POOL2D
    """
    rows = dx.shape[0] * dx.shape[1]
    chunks, blocks = _cut(rows, dx.shape[3], dx.size)
    parallel(_spread_chunk, chunks, (chunks, blocks, dx.reshape(-1), dy.reshape(-1), geometry))


@inlined
def _spread_chunk(chunk, chunks, blocks, dx, dy, geometry):
    g = geometry[0]
    h, w, c, oh, ow = g["h"], g["w"], g["c"], g["oh"], g["ow"]
    first, last = chunk_of(chunk, chunks, g["n"] * h * blocks)
    for item in range(first, last):
        row, low, size = _item(item, blocks, c)
        begin, end = _covering(row % h, g["sh"], g["kh"], g["top"], oh)
        at = row * w * c + low
        above = _covering(row % h - 1, g["sh"], g["kh"], g["top"], oh)
        if item > first and size == c and row % h > 0 and above[0] == begin and above[1] == end:
            for k in range(w * c):
                dx[np.uintp(at + k)] = dx[np.uintp(at - w * c + k)]
            continue
        for q in range(w):
            for k in range(size):
                dx[np.uintp(at + q * c + k)] = 0
        for i in range(begin, end):
            top, bottom = _covered(i, g["sh"], g["kh"], g["top"], h)
            for j in range(ow):
                left, right = _covered(j, g["sw"], g["kw"], g["left"], w)
                share = dx.dtype.type(1) / dx.dtype.type(max(1, (bottom - top) * (right - left)))
                source = ((row // h * oh + i) * ow + j) * c + low
                for q in range(left, right):
                    for k in range(size):
                        dx[np.uintp(at + q * c + k)] += share * dy[np.uintp(source + k)]
