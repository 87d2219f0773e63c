"""2D convolution of bytes, a dense layer among them, on the register tile of bytes. ONNX: QLinearConv.

    y[n, i, j, k] = round(scale[k] (start[k] + sum_rsc x[n, i sh + r dh, j sw + s dw, c] w[r, s, c, k])) + zero

The image comes with its border, whose bytes are the zero of x, and `start` has the bias and takes the zero of x away:
start[k] = bias[k] - zero_x sum_rsc w[r, s, c, k]. So each window is whole, and every sum has the same steps.

Without dilation the pixels of a window's row are side by side, and so are their bytes: KW C of them are one run, of
which only the last step is padded to four bytes, by weights of zero::

    x, channels-last    |c c c|c c c|c c c|c ..      a window of three pixels of three channels: 9 bytes, 3 steps

What a step reads beyond a window meets zeros; beyond the array it must be memory all the same (`byte_slack`).
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.gemm.shares import cut, share_of
from fastcnn.kernels.cpu.gemm.walk_tiles import moved
from fastcnn.kernels.cpu.int8.tile import (
    SLIM,
    TABLE,
    TALL,
    Requantization,
    address,
    block_columns,
    byte_tile,
    offsets,
)
from fastcnn.kernels.cpu.int8.vectors import LANES

_T0, _T1, _T2 = TALL[0], TALL[1], TALL[-1]
_S0, _S1 = SLIM


def _steps(g):
    """Return the loops of a window: rows, columns that are loops of their own, and steps of four bytes."""
    depth = int(g["c"] // g["groups"])
    kh, kw = int(g["kh"]), int(g["kw"])
    if g["groups"] == 1 and g["dw"] == 1:
        return kh, 1, -(-kw * depth // 4)
    return kh, kw, -(-depth // 4)


def quantized_conv2d_packed(geometry, weights):
    """Return weights as `quantized_conv2d` takes them: in blocks of columns, four bytes of a column together.

    Parameters
    ----------
    geometry : CONV2D
    weights : (KH, KW, C // groups, K) int8 array
    """
    g = geometry[0]
    rows, columns, steps = _steps(g)
    groups, filters = int(g["groups"]), int(g["k"] // g["groups"])
    width = block_columns(filters)
    blocks = -(-filters // width)
    depth = weights.size // (rows * columns * int(g["k"]))
    table = np.zeros((rows, columns, 4 * steps, groups, blocks * width), np.int8)
    table[:, :, :depth, :, :filters] = weights.reshape(rows, columns, depth, groups, filters)
    table = table.reshape(rows, columns, steps, 4, groups, blocks, width).transpose(4, 5, 0, 1, 2, 6, 3)
    return np.ascontiguousarray(table).reshape(-1)


def quantized_columns(geometry, values):
    """Return a number for each filter as `quantized_conv2d` takes them: in whole blocks of columns.

    Parameters
    ----------
    geometry : CONV2D
    values : (K,) array
    """
    g = geometry[0]
    groups, filters = int(g["groups"]), int(g["k"] // g["groups"])
    width = block_columns(filters)
    table = np.zeros((groups, -(-filters // width) * width), values.dtype)
    table[:, :filters] = values.reshape(groups, filters)
    return table.reshape(-1)


def byte_slack(geometry):
    """Return how many bytes `quantized_conv2d` may read beyond its image.

    Parameters
    ----------
    geometry : CONV2D
    """
    g = geometry[0]
    columns, steps = _steps(g)[1:]
    return 4 * steps - int(g["kw"] * g["c"] // g["groups"]) // columns


@kernel
def quantized_conv2d(y, x, packed, start, scale, bounds, zero, geometry):
    """Convolve bytes with integers of 8 bits.

    Parameters
    ----------
    y : (N * OH * OW * K,) uint8 array, or one of four times as many
        Written: bytes, or float32 numbers as bytes where `zero` is -1.
    x : (bytes,) uint8 array
        (N, H, W, C), and `byte_slack(geometry)` bytes more.
    packed : int8 array
        As `quantized_conv2d_packed` returns it.
    start, scale : int32 array, float32 array
        As `quantized_columns` returns them.
    bounds : (2,) float32 array
        The lowest and the highest result, before the zero is added.
    zero : int
        The byte that stands for zero in y; -1 for results in float32.
    geometry : CONV2D
        Without padding.
    """
    g = geometry[0]
    positions, filters = g["n"] * g["oh"] * g["ow"], g["k"] // g["groups"]
    weights = g["kh"] * g["kw"] * (g["c"] // g["groups"]) * g["k"]
    blocks = _blocks(filters)[1]
    rows, parts = cut(1, positions, 1, x.size, weights, blocks, weights)[1:]
    parts = parts if g["groups"] == 1 else 1
    tasks = -(-positions // rows) * parts
    parallel(_task, tasks, (y, x, packed, (start, scale, bounds), (zero, rows, parts), geometry))


@inlined
def _blocks(filters):
    width = LANES if filters <= LANES else 2 * LANES
    return width, -(-filters // width)


@inlined
def _task(task, y, x, packed, columns, shares, geometry):
    """Some output positions, and a part of the blocks of filters."""
    g, (start, scale, bounds), (zero, rows, parts) = geometry[0], columns, shares
    groups, filters, depth = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    positions, (width, blocks) = g["n"] * g["oh"] * g["ow"], _blocks(filters)
    item, part = share_of(task, -(-positions // rows), parts, filters * g["kh"] * g["kw"], g["n"] * g["h"] * g["w"])
    low, high = item * rows, min(item * rows + rows, positions)
    is_run = groups == 1 and g["dw"] == 1
    loops = (g["kh"], 1, (g["kw"] * depth + 3) // 4) if is_run else (g["kh"], g["kw"], (depth + 3) // 4)
    steps = g["dh"] * g["w"] * g["c"], g["dw"] * g["c"]
    block = loops[0] * loops[1] * loops[2] * 4 * width
    y_rows, x_rows = offsets(), offsets()
    first = low
    while first < high:
        count = min(TABLE, high - first)
        _places(y_rows, x_rows, first, count, g)
        for group in range(groups):
            for number in range(part * blocks // parts, (part + 1) * blocks // parts):
                at = group * blocks + number
                left = filters - number * width
                c_at = (group * filters + number * width) * (4 if zero < 0 else 1)
                rounding = Requantization(address(start, at * width), address(scale, at * width), address(bounds, 0),
                                          zero)
                row = 0
                while row < count:
                    height = _height(count - row, width)
                    c, a = (address(y, c_at), moved(y_rows, row), left), (address(x, group * depth), moved(x_rows, row))
                    byte_tile(height, np.int64(width // LANES), c, (*a, steps), address(packed, at * block), loops,
                              rounding)
                    row += height
        first += count


@inlined(always=True)
def _height(rows, width):
    """Return how tall the next tile is, where some rows are left."""
    if width == LANES:
        return np.int64(_S0 if rows > _S1 else _S1)
    return np.int64(_T0 if rows > _T1 else _T1 if rows > _T2 else _T2)


@inlined(always=True)
def _places(y_rows, x_rows, first, count, g):
    """Write where the results of some output positions and their windows begin, and the last ones again."""
    pixels = g["oh"] * g["ow"]
    image, i, j = first // pixels, first % pixels // g["ow"], first % g["ow"]
    for row in range(count):
        y_rows[row] = (first + row) * g["k"]
        x_rows[row] = ((image * g["h"] + i * g["sh"]) * g["w"] + j * g["sw"]) * g["c"]
        j += 1
        if j == g["ow"]:
            j, i = np.int64(0), i + 1
            if i == g["oh"]:
                i, image = np.int64(0), image + 1
    for row in range(count, count + _T0):
        y_rows[row], x_rows[row] = y_rows[count - 1], x_rows[count - 1]



