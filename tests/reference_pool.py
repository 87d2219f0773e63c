"""Twins of the kernels of pooling, padding and resizing, as `tests.reference` says what a twin is."""

import numpy as np

from fastcnn import geometry as shapes


def _positions(geometry):
    """Yield (i, j, {position in the window: (row, column)}) of each output: the positions that lie in the image.

    Of an adaptive pooling a position is counted in the image: row W + column.
    """
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    for i in range(g["oh"]):
        for j in range(g["ow"]):
            if g["adaptive"]:
                rows = range(i * g["h"] // g["oh"], -(-(i + 1) * g["h"] // g["oh"]))
                columns = range(j * g["w"] // g["ow"], -(-(j + 1) * g["w"] // g["ow"]))
                yield i, j, {p * g["w"] + q: (p, q) for p in rows for q in columns}
            else:
                rows = [i * g["sh"] + r * g["dh"] - g["top"] for r in range(g["kh"])]
                columns = [j * g["sw"] + s * g["dw"] - g["left"] for s in range(g["kw"])]
                yield i, j, {r * g["kw"] + s: (p, q) for r, p in enumerate(rows) for s, q in enumerate(columns)
                             if 0 <= p < g["h"] and 0 <= q < g["w"]}


def _output_shape(geometry):
    return tuple(int(geometry[0][name]) for name in ("n", "oh", "ow", "c"))


def _input_shape(geometry):
    return tuple(int(geometry[0][name]) for name in ("n", "h", "w", "c"))


def max_pool2d_forward(x, geometry):
    x = np.asarray(x, np.float64)
    sign = -1 if geometry[0]["least"] else 1
    y = np.full(_output_shape(geometry), -np.inf)
    argmax = np.full(y.shape, -1)
    for i, j, places in _positions(geometry):
        for n in range(y.shape[0]):
            for c in range(y.shape[3]):
                for position, (p, q) in places.items():
                    value = sign * x[n, p, q, c]
                    if argmax[n, i, j, c] < 0 or value > y[n, i, j, c] or np.isnan(value):
                        y[n, i, j, c] = value
                        argmax[n, i, j, c] = position
    return sign * y, argmax


def max_pool2d_backward(dy, argmax, geometry):
    dy, dx = np.asarray(dy, np.float64), np.zeros(_input_shape(geometry))
    for i, j, places in _positions(geometry):
        for n in range(dy.shape[0]):
            for c in range(dy.shape[3]):
                if argmax[n, i, j, c] >= 0:
                    p, q = places[int(argmax[n, i, j, c])]
                    dx[n, p, q, c] += dy[n, i, j, c]
    return dx


def _divisor(places, i, j, geometry):
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    if g["divisor"] == shapes.SUM:
        return 1
    if g["divisor"] == shapes.COUNT_IMAGE:
        return max(1, len(places))
    rows = [r for r in range(g["kh"]) if i * g["sh"] + r * g["dh"] < g["top"] + g["h"] + g["bottom"]]
    columns = [s for s in range(g["kw"]) if j * g["sw"] + s * g["dw"] < g["left"] + g["w"] + g["right"]]
    return len(rows) * len(columns)


def average_pool2d_forward(x, geometry):
    x, y = np.asarray(x, np.float64), np.zeros(_output_shape(geometry))
    for i, j, places in _positions(geometry):
        for p, q in places.values():
            y[:, i, j] += x[:, p, q] / _divisor(places, i, j, geometry)
    return y


def average_pool2d_backward(dy, geometry):
    dy, dx = np.asarray(dy, np.float64), np.zeros(_input_shape(geometry))
    for i, j, places in _positions(geometry):
        for p, q in places.values():
            dx[:, p, q] += dy[:, i, j] / _divisor(places, i, j, geometry)
    return dx


def l2_step(a, b, step):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return [a * b, np.sqrt(a), np.where(b == 0, 0, a / np.where(b == 0, 1, b))][step]


def _padded(x, geometry, value):
    """Return x with its border as `numpy.pad` makes it, of a value where it is no copy; negative borders cut off."""
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names if name != "value"}
    before = [0, g["front"], g["top"], g["left"], 0]
    after = [0, *(g[out] - g[size] - p for out, size, p in zip(("od", "oh", "ow"), "dhw", before[1:], strict=False)), 0]
    mode = ("constant", "edge", "reflect", "wrap")[g["mode"]]
    sides = [(max(0, p), max(0, q)) for p, q in zip(before, after, strict=True)]
    x = np.pad(x, sides, mode, **({"constant_values": value} if mode == "constant" else {}))
    return x[tuple(slice(max(0, -p), size - max(0, -q)) for p, q, size in zip(before, after, x.shape, strict=True))]


def pad3d_forward(x, geometry):
    return _padded(np.asarray(x, np.float64), geometry, float(geometry[0]["value"]))


def pad3d_backward(dy, geometry):
    """Return the sums of the gradients of each element's copies: those to which its number was copied."""
    shape = tuple(int(geometry[0][name]) for name in ("n", "d", "h", "w", "c"))
    numbers = _padded(1 + np.arange(np.prod(shape)).reshape(shape), geometry, 0)
    dx = np.zeros(1 + np.prod(shape))
    np.add.at(dx, numbers.reshape(-1), np.asarray(dy, np.float64).reshape(-1))
    return dx[1:].reshape(shape)


def resize2d(x, rows, row_weights, columns, column_weights):
    x = np.asarray(x, np.float64)
    y = np.zeros((x.shape[0], len(rows), len(columns), x.shape[3]))
    for i, (row, height) in enumerate(rows):
        for j, (column, width) in enumerate(columns):
            for r in range(height):
                for s in range(width):
                    y[:, i, j] += float(row_weights[i, r]) * float(column_weights[j, s]) * x[:, row + r, column + s]
    return y
