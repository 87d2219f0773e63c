"""As the CPU's `runs`, on CUDA: where windows lie along one dimension, in integers.

Position r of output o lies on pixel ``o stride - before + r dilation``. In an adaptive pooling output o of O covers the
pixels ``floor(o length / O) .. ceil((o + 1) length / O) - 1`` instead.
"""

import math
from typing import Any, NamedTuple

from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.shim import div, i32, inlined, rem


class Line(NamedTuple):
    """One dimension; `each`: the distance of outputs whose windows a pixel lies in."""

    length: Any
    outputs: Any
    window: Any
    stride: Any
    dilation: Any
    before: Any
    each: Any


@planned
def lines_of(g):
    """Return the numbers of a `Line` of rows and of one of columns."""
    return (g.h, g.oh, g.kh, g.sh, g.dh, g.top, g.dh // math.gcd(g.dh, g.sh),
            g.w, g.ow, g.kw, g.sw, g.dw, g.left, g.dw // math.gcd(g.dw, g.sw))


@inlined
def clipped(line, output, adaptive):
    """Return the first pixel of a window that lies in the image, how many do, and that one's position in the window."""
    if adaptive != 0:
        first = div(output * line.length, line.outputs)
        return first, i32(div((output + 1) * line.length + line.outputs - 1, line.outputs) - first), i32(0)
    begin = i32(output * line.stride - line.before)
    position = div(line.dilation - 1 - begin, line.dilation) if begin < 0 else i32(0)
    beyond = line.length - 1 - begin
    end = min(line.window, div(beyond, line.dilation) + 1) if beyond >= 0 else i32(0)
    return i32(begin + position * line.dilation), max(i32(0), i32(end - position)), position


@inlined
def covering(line, pixel, adaptive):
    """Return the first of the outputs whose windows a pixel lies in, and where they end; they lie `each` apart."""
    if adaptive != 0:
        return (div(pixel * line.outputs, line.length),
                div((pixel + 1) * line.outputs + line.length - 1, line.length))
    at = i32(pixel + line.before)
    reach = (line.window - 1) * line.dilation
    first = div(at - reach + line.stride - 1, line.stride) if at > reach else i32(0)
    end = min(line.outputs, div(at, line.stride) + 1) if at >= 0 else i32(0)
    while first < end and rem(at - first * line.stride, line.dilation) != 0:
        first += 1
    return i32(first), i32(end)
