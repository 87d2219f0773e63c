"""As the CPU's `backward_weights`, on CUDA: the columns of x * dy of each tap are summed over all positions."""

from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, load1, within
from fastcnn.kernels.cuda.sums import (
    added,
    columns_plan,
    fold_columns,
    place_of,
    sum_columns,
    sum_columns_scratch,
    sum_lanes,
)


def depthwise2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `depthwise2d_backward_weights` wants."""
    _, numbers, parts, taps = _plan(geometry)
    positions, channels = numbers[:2]
    return max(parts * taps * channels, sum_columns_scratch(positions, channels))


@launcher
def depthwise2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the weights and of the bias, as the CPU's."""
    grid, numbers, parts, taps = _plan(geometry)
    positions, channels = numbers[:2]
    tap_products[grid, THREADS](scratch, x, dy, *numbers)
    fold_columns(dkernel, scratch, parts, taps * channels, add=True)
    if dbias.size:
        sum_columns(dbias, scratch, dy, positions, channels, add=True)


@planned
def _plan(g):
    (parts, tiles), numbers, count = columns_plan(g.n * g.oh * g.ow, g.c)
    numbers = (*numbers, g.h, g.w, g.oh, g.ow, g.kw, g.sh, g.sw, g.dh, g.dw, g.top, g.left)
    return (parts, tiles, g.kh * g.kw), numbers, count, g.kh * g.kw


@kernel
def tap_products(parts: floats, x: floats, dy: floats, rows: i32, columns: i32, across: i32, lanes: i32, each: i32,
                 h: i32, w: i32, oh: i32, ow: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32):
    """A block a part of the positions, some channels and a tap: the sums lie (part, tap, channel)."""
    held = cuda.shared.array(THREADS, f32)
    column, lane, begin, end = place_of(rows, columns, across, lanes, each)
    tap = i32(cuda.blockIdx.z)
    r = div(tap, kw)
    i0, j0 = i32(r * dh - top), i32((tap - r * kw) * dw - left)
    total, rest = f32(0), f32(0)
    for place in range(begin, end, lanes):
        line = div(place, ow)
        image = div(line, oh)
        i, j = i32((line - image * oh) * sh) + i0, i32((place - line * ow) * sw) + j0
        if within(i, h) and within(j, w):
            value = load1(x, i32(i32(i32(i32(image * h) + i) * w + j) * columns) + column)
            total, rest = added(total, rest, value * load1(dy, i32(place * columns) + column))
    held[cuda.threadIdx.x] = total
    cuda.syncthreads()
    if lane == 0 and column < columns:
        at = i32(i32(cuda.blockIdx.x * cuda.gridDim.z) + tap) * columns + column
        parts[at] = sum_lanes(held, across, lanes)
