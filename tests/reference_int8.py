"""Twins of the kernels on bytes. Weights, start values and scales are as they were before packing."""

import numpy as np


def _requantized(sums, scale, bounds, zero):
    """Return sums as bytes, or as numbers where `zero` is -1."""
    value = np.clip(sums.astype(np.int32).astype(np.float32) * np.float32(scale), *bounds)
    return value if zero < 0 else (np.rint(value) + zero).astype(np.uint8)


def quantized_conv2d(x, weights, start, scale, bounds, zero, geometry):
    g = geometry[0]
    groups = int(g["groups"])
    filters, depth = g["k"] // groups, g["c"] // groups
    images = x[:g["n"] * g["h"] * g["w"] * g["c"]].reshape(g["n"], g["h"], g["w"], g["c"]).astype(np.int64)
    sums = np.zeros((g["n"], g["oh"], g["ow"], g["k"]), np.int64) + start
    for i in range(g["oh"]):
        for j in range(g["ow"]):
            for r in range(g["kh"]):
                for s in range(g["kw"]):
                    pixel = images[:, i * g["sh"] + r * g["dh"], j * g["sw"] + s * g["dw"]]
                    for group in range(groups):
                        of, to = (slice(group * size, (group + 1) * size) for size in (depth, filters))
                        sums[:, i, j, to] += pixel[:, of] @ weights[r, s, :, to].astype(np.int64)
    return _requantized(sums, scale, bounds, zero)


quantized_depthwise2d = quantized_tiles2d = quantized_conv2d


def byte_tile_product(a, b, taps, steps):
    depth, c = 64 * steps, np.zeros((32, 32), np.int64)
    # Tiles (tap, step, which of two, four rows, column, which of the four) -> (tap, row, column).
    filters = b.reshape(len(taps), steps, 2, 16, 16, 4).transpose(0, 1, 3, 5, 2, 4).reshape(-1, depth, 32)
    flat = a.reshape(-1).astype(np.int64)
    for tap, bank in zip(taps, filters.astype(np.int64), strict=True):
        for row in range(32):
            at = tap + row * a.shape[1]
            c[row] += flat[at:at + depth] @ bank
    return c


def quantize_bytes(x, scale, zero):
    value = np.where(np.isnan(x), -np.inf, x) / scale
    return (np.rint(np.clip(value, -zero, 255 - zero)) + zero).astype(np.uint8)


def dequantize_bytes(x, scale, zero):
    return (x.astype(np.float32) - np.float32(zero)) * scale


def quantized_add(a, b, scales, bounds, zeros):
    one, other = ((x.astype(np.float32) - np.float32(zero)) * scale for x, zero, scale in zip((a, b), zeros, scales))
    return (np.rint(np.clip(one + other, *bounds)) + zeros[2]).astype(np.uint8)


def byte_table(x, table):
    return np.array([table[one] for one in x], np.uint8)


def byte_border(x, sizes, value):
    n, h, w, c, height, width, top, left = sizes
    around = ((0, 0), (top, height - h - top), (left, width - w - left), (0, 0))
    return np.pad(x.reshape(n, h, w, c), around, constant_values=value)


def _windows(x, g):
    """Yield (image, row, column, the pixels of its window that lie in the image) of each output."""
    images = x.reshape(g["n"], g["h"], g["w"], g["c"])
    for n in range(g["n"]):
        for i in range(g["oh"]):
            for j in range(g["ow"]):
                places = [(i * g["sh"] + r * g["dh"] - g["top"], j * g["sw"] + s * g["dw"] - g["left"])
                          for r in range(g["kh"]) for s in range(g["kw"])]
                yield n, i, j, [images[n, p, q].astype(np.int64) for p, q in places
                                if 0 <= p < g["h"] and 0 <= q < g["w"]]


def byte_max_pool2d(x, zero, geometry):
    g = geometry[0]
    y = np.full((g["n"], g["oh"], g["ow"], g["c"]), zero, np.uint8)
    for n, i, j, pixels in _windows(x, g):
        if pixels:
            y[n, i, j] = np.max(pixels, 0)
    return y


def quantized_average_pool2d(x, factor, bounds, zeros, geometry):
    g = geometry[0]
    y = np.zeros((g["n"], g["oh"], g["ow"], g["c"]), np.float32 if zeros[1] < 0 else np.uint8)
    for n, i, j, pixels in _windows(x, g):
        sums = np.sum(pixels, 0) - len(pixels) * zeros[0]
        y[n, i, j] = _requantized(sums, factor[0] / np.float32(max(1, len(pixels))), bounds, zeros[1])
    return y
