"""2D convolution with few filters, the forward pass: vectors along the window. ONNX: Conv.

The last layers of networks that give pictures, masks or heat maps have 1 to 4 filters, which would fill that many of
the 16 lanes of the register tile. A row of a window, its columns and channels, lies side by side in memory; so a vector
is a piece of that, and some windows of a row are multiplied with all filters at once (`simd.dots`)::

    x, channels-last  |c c c c|c c c c|c c c c|..      packed   filter 0   r=0 |(s, c) ..|  r=1 |..|
                      | window of j   |                         filter 1   r=0 |(s, c) ..|
                              | window of j + 1|                ..         behind them the bias

Windows that hang over the left or right edge are shorter rows, one by one; those beyond the top have fewer rows.
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.dots import FEW, dot_windows
from fastcnn.kernels.cpu.simd.memory import accumulate, clip
from fastcnn.kernels.cpu.simd.width import lanes

_LONGEST = 4096  # terms of a lane; longer sums are the tile's affair, which keeps them exact


def few_filters_forward_suits(geometry, dtype):
    """Return whether `few_filters_forward` is faster than the register tile.

    Parameters
    ----------
    geometry : CONV2D
    dtype : dtype
    """
    g = geometry[0]
    row, one = g["kw"] * g["c"], lanes(dtype)
    return bool(g["groups"] == 1 and g["k"] <= FEW and g["dw"] == 1 and g["oh"] * g["ow"] > 1 and row >= 2 * one
                and g["kh"] * row >= 4 * one and g["kh"] * row <= _LONGEST * one)


def few_filters_forward_packed(geometry, dtype):
    """Return how many elements `packed` of `few_filters_forward` has."""
    g = geometry[0]
    return int(g["k"] * (g["kh"] * g["kw"] * g["c"] + 1))


@kernel
def few_filters_forward(y, packed, x, kernel, bias, addend, bounds, ready, geometry):
    """y = conv(x, kernel) + bias + addend, and what is beyond the bounds set to them, for 1 to 4 filters.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    packed : (few_filters_forward_packed(geometry, dtype),) array
        The filters one after the other and the bias: written, or read if `ready`.
    x : (N, H, W, C) array
    kernel : (KH, KW, C, K) array
    bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
        Lies as y does.
    bounds : (2,) array
        The lowest and the highest result.
    ready : int
        1 if `packed` is what an earlier call with the same kernel and bias left.
    geometry : CONV2D
        Of one group, without dilation of columns.
    """
    g = geometry[0]
    size, few = g["kh"] * g["kw"] * g["c"], g["k"]
    if not ready:
        flat = kernel.reshape(-1)
        for k in range(few):
            for at in range(size):
                packed[k * size + at] = flat[at * few + k]
            packed[few * size + k] = bias[k] if bias.size else 0
    rows = g["n"] * g["oh"]
    chunks = min(max(1, rows), chunks_for(y.size * size // 4, 64))
    parallel(_few_rows, chunks, (chunks, y.reshape(-1), packed, x.reshape(-1), addend, bounds, geometry))


@inlined
def _few_rows(chunk, chunks, y, packed, x, addend, bounds, geometry):
    g = geometry[0]
    h, w, c, oh, ow, few = g["h"], g["w"], g["c"], g["oh"], g["ow"], g["k"]
    kh, kw, sw, left, size = g["kh"], g["kw"], g["sw"], g["left"], g["kh"] * g["kw"] * g["c"]
    begin, end = chunk_of(chunk, chunks, g["n"] * oh)
    for row in range(begin, end):
        top = row % oh * g["sh"] - g["top"]
        first = min(kh, max(0, -(top // g["dh"])))
        last = max(first, min(kh, -((top - h) // g["dh"])))
        image = (row // oh * h + top + first * g["dh"]) * w
        j = 0
        while j < ow:
            at = j * sw - left
            skipped, columns = min(kw, max(0, -at)), max(0, min(kw, w - at))
            # One that is whole is followed by others up to the right edge.
            run = min(ow - j, (w - kw - at) // sw + 1) if at >= 0 and columns == kw else 1
            dot_windows((y, x, packed, packed), ((row * ow + j) * few, (image + at + skipped) * c,
                                                 (first * kw + skipped) * c, few * size), few,
                        (run, last - first, max(0, columns - skipped) * c), (sw * c, g["dh"] * w * c, kw * c, size))
            j += run
        if addend.size:
            accumulate(y, row * ow * few, addend, row * ow * few, ow * few)
        clip(y, row * ow * few, ow * few, bounds)
