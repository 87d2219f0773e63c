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
