r"""Depthwise 2D convolution: every channel has a window of its own (groups = C = K). ONNX: Conv with group = C.

    y[n, i, j, c]  = bias[c] + sum_r sum_s  x[n, i sh + r dh - top, j sw + s dw - left, c] * kernel[r, s, 0, c]
    dx[n, p, q, c] = sum of  dy[n, i, j, c] * kernel[r, s, 0, c]  over all (i, r), (j, s) with
                     p = i sh + r dh - top  and  q = j sw + s dw - left

A task is a band of output rows of an image, or a part of its channels. It goes through the band one vector of channels
after the other, so that a pixel that is in L1 serves all the rows that see it::

    x, channels-last: one vector of channels = a column of cache lines           y
      row i-1   |v|  |v|  |v|  |v|  ..   \
      row i     |v|  |v|  |v|  |v|  ..    > rows in L1, from L2 once a band  ->  |y0|y1|..|y6|   7 columns in
      row i+1   |v|  |v|  |v|  |v|  ..   /                                        registers
      weights   9 (25) vectors of the same channels, in L1

Rows and columns of the window that lie beside the image are left out, so nothing is padded or packed. Where C is no
multiple of the vector the last vector overlaps the one before it, and so does the last block of columns. Images that
are larger than the caches are mostly read as they lie, few rows at a time (`walk`).

The gradient of the input is the same walk over dy with the window rotated by 180 degrees. With strides it splits into
phases: all pixels p = a (mod sh), q = b (mod sw) see the same taps, which are equally far apart, and dy with stride 1.

The gradients of the weights lie in `backward_weights.py`.
"""

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.depthwise.walk import Window, WindowRange, windows
from fastcnn.kernels.cpu.gemm.shares import tasks_for
from fastcnn.kernels.cpu.simd.width import lanes_of

FAR = 5 << 20  # elements of x and y together beyond which the caches cannot hold them: 20 MB of float32
SLOW = 2  # how many times as long a multiply-add takes as in the register tile, at least
FEW_ROWS = 16  # of an image that is not worth two bands, which read some rows twice
BAND = 65536  # elements of the input rows of a band: 256 KB of float32, well within L2


def depthwise2d_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `depthwise2d_forward` wants."""
    return 0


def depthwise2d_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `depthwise2d_backward_input` wants."""
    return 0


@inlined
def depthwise_plan(array, images, rows, c, work):
    """Return how an output of images x rows x c is cut: tasks; bands of rows an image, parts of the channels.

    `work` is in multiply-adds. A function of the shape alone.
    """
    wanted = tasks_for(SLOW * work)
    pieces = -(-wanted // max(1, images))
    bands, parts = pieces, 1
    if rows < 8 * pieces:  # bands of few rows would read their neighbours' rows again: cut channels instead
        bands, parts = 1, min(-(-c // lanes_of(array)), pieces)
        if parts > 1 and images * parts % 2 != 0 and rows >= FEW_ROWS:  # two threads have as many pieces each
            bands = 2
    return min(wanted, images * bands * parts), bands, parts


@kernel
def depthwise2d_forward(y, scratch, x, kernel, bias, bounds, geometry):
    """y = depthwise_conv(x, kernel) + bias, and what is beyond the bounds set to them.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    scratch : (depthwise2d_forward_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    kernel : (KH, KW, 1, C) array
    bias : (C,) or (0,) array
    bounds : (2,) or (3,) array
        The lowest and the highest result, and an activation, as of `conv2d_forward`.
    geometry : CONV2D
        With as many groups and filters as channels.
    """
    g = geometry[0]
    work = y.size * g["kh"] * g["kw"]
    plan = depthwise_plan(y, g["n"], g["oh"], g["c"], work)
    parallel(_forward_task, plan[0],
             (y.reshape(-1), x.reshape(-1), kernel.reshape(-1), bias, bounds, plan, geometry))


@inlined
def _forward_task(task, y, x, kernel, bias, bounds, plan, geometry):
    """Some pieces of the output, each a band of rows of one image for a part of the channels."""
    tasks, bands, parts = plan
    pieces = geometry[0]["n"] * bands * parts
    for piece in range(task * pieces // tasks, (task + 1) * pieces // tasks):
        _forward_piece(piece, y, x, kernel, (bias, bounds), (bands, parts), geometry)


@inlined
def _forward_piece(piece, y, x, kernel, ends, cuts, geometry):
    g, (bias, bounds), (bands, parts) = geometry[0], ends, cuts
    image, band, part = piece // (bands * parts), piece // parts % bands, piece % parts
    begin, end = channels_of(y, g["c"], part, parts)
    bottom = (band + 1) * g["oh"] // bands
    row = band * g["oh"] // bands
    rows = max(1, BAND // (g["w"] * g["c"] * g["sh"]))
    while row < bottom:
        windows((y, (image * g["oh"] * g["ow"] * g["c"], g["ow"] * g["c"], g["c"])),
                (x, (image * g["h"] * g["w"] * g["c"], g["h"], g["w"], g["c"])),
                (kernel, (0, g["kw"] * g["c"], g["c"])), (bias, 0 if bias.size > 0 else -1), bounds, window_of(g),
                WindowRange(row, min(rows, bottom - row), g["ow"], begin, end, is_far(g)))
        row += rows


@kernel
def depthwise2d_backward_input(dx, scratch, dy, kernel, bias, bounds, geometry):
    """dx = the gradient of a depthwise convolution's input.

    As the forward pass of a transposed convolution, of dy: dx + bias, and what is beyond the bounds set to them.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    scratch : (depthwise2d_backward_input_scratch(geometry, dtype),) array
    dy : (N, OH, OW, C) array
    kernel : (KH, KW, 1, C) array
    bias : (C,) or (0,) array
    bounds : (2,) or (3,) array
        The lowest and the highest result, and an activation, as of `conv2d_forward`.
    geometry : CONV2D
        With as many groups and filters as channels.
    """
    g = geometry[0]
    work = dy.size * g["kh"] * g["kw"]
    steps = -(-g["h"] // g["sh"])
    plan = depthwise_plan(dx, g["n"], steps, g["c"], work)
    parallel(_backward_input_task, plan[0], (dx.reshape(-1), dy.reshape(-1), kernel.reshape(-1), bias, bounds,
                                             plan, geometry))


@inlined
def _backward_input_task(task, dx, dy, kernel, bias, bounds, plan, geometry):
    """As `_forward_task`."""
    tasks, bands, parts = plan
    pieces = geometry[0]["n"] * bands * parts
    for piece in range(task * pieces // tasks, (task + 1) * pieces // tasks):
        _backward_input_piece(piece, dx, dy, kernel, (bias, bounds), (bands, parts), geometry)


@inlined
def _backward_input_piece(piece, dx, dy, kernel, ends, cuts, geometry):
    """A band of rows of one image, for a part of the channels: all phases of some steps of the vertical stride."""
    g, (bias, bounds), (bands, parts) = geometry[0], ends, cuts
    w, c, sh, sw = g["w"], g["c"], g["sh"], g["sw"]
    image, band, part = piece // (bands * parts), piece // parts % bands, piece % parts
    begin, end = channels_of(dx, c, part, parts)
    steps = -(-g["h"] // sh)
    bottom = (band + 1) * steps // bands
    first = band * steps // bands
    rows = max(1, BAND // (w * c * sh))
    while first < bottom:
        last = min(bottom, first + rows)
        for a in range(sh):
            r, kh, step_r, dh, top = _phase(a + g["top"], g["kh"], sh, g["dh"])
            for b in range(sw):
                s, kw, step_s, dw, left = _phase(b + g["left"], g["kw"], sw, g["dw"])
                windows((dx, ((image * g["h"] + a) * w * c + b * c, sh * w * c, sw * c)),
                        (dy, (image * g["oh"] * g["ow"] * c, g["oh"], g["ow"], c)),
                        (kernel, ((r * g["kw"] + s) * c, -step_r * g["kw"] * c, -step_s * c)),
                        (bias, 0 if bias.size > 0 else -1), bounds, Window(kh, kw, 1, 1, dh, dw, top, left),
                        WindowRange(first, min(last, (g["h"] - a + sh - 1) // sh) - first, (w - b + sw - 1) // sw,
                                    begin, end, is_far(g)))
        first = last


@inlined
def window_of(g):
    """Return the window of a geometry."""
    return Window(g["kh"], g["kw"], g["sh"], g["sw"], g["dh"], g["dw"], g["top"], g["left"])


@inlined
def is_far(g):
    """Return 1 if x and y together are larger than the caches: rows are then fetched ahead."""
    return 1 if g["n"] * (g["h"] * g["w"] + g["oh"] * g["ow"]) * g["c"] > FAR else 0


@inlined
def _phase(a, taps, stride, dilation):
    """Return which taps the pixels m stride + a - padding see, and the window on dy that these taps are.

    The taps: the last one, how many, and their distance. The window: its dilation and padding.

    Tap t meets the pixel at output (m stride + a - t dilation) / stride where that is whole.
    """
    first = 0
    while first < taps and (a - first * dilation) % stride != 0:
        first += 1
    if first >= taps:
        return 0, 0, 1, 1, 0
    step = 1
    while step * dilation % stride != 0:
        step += 1
    count = (taps - 1 - first) // step + 1
    apart = step * dilation // stride
    return first + (count - 1) * step, count, step, apart, (count - 1) * apart - (a - first * dilation) // stride


@inlined
def channels_of(array, c, part, parts):
    """Return begin and end of a part of the channels, in whole vectors."""
    one = lanes_of(array)
    blocks = -(-c // one)
    return part * blocks // parts * one, min(c, (part + 1) * blocks // parts * one)
