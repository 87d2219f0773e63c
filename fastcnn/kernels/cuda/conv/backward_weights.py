"""As the CPU's `backward_weights`, on CUDA: a product over positions, in parts that are folded in order.

    dkernel (R, K) += A' (R, M) dy (M, K)      M = N OH OW positions, R = KH KW C taps, A' gathered from the images

A product of few taps and filters has few tiles, so the positions are cut into parts, by shapes alone; each part has
sums of its own in scratch. With one part they are added to the gradient at once. The bias has column sums of its own.
"""

import math

from fastcnn import config
from fastcnn.kernels.cuda.compile.kernel import launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import i32, sized
from fastcnn.kernels.cuda.conv import weights, weights_wide
from fastcnn.kernels.cuda.conv.bias import bias_backward, bias_backward_scratch
from fastcnn.kernels.cuda.conv.tiles import TILES, aligned, grid_of, kernels_on_tiles, names_of
from fastcnn.kernels.cuda.sums import fold

_BLOCKS = sized(512, 12)  # that fill a card
_LEAST, _MOST = 64, 16384  # positions of a part


def conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_weights` wants, on whatever tile."""
    most = 0
    for tf32 in (False, True):
        plans, size, positions = _plan(geometry, tf32)[1:]
        most = max(most, *(size * parts for _, parts, _ in plans.values() if parts > 1), 0)
    return max(most, bias_backward_scratch((positions, int(geometry[0]["k"])), dtype))


@launcher
def conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias, as the CPU's."""
    names, plans, size, positions = _plan(geometry, config.switches.tf32)
    if not dy.size:
        return
    name = names[0] if aligned(x, dy) else names[1]
    grid, parts, numbers = plans[name]
    out = dkernel if parts == 1 else scratch
    KERNELS[name][grid, TILES[name].THREADS](out, x, dy, *numbers)
    if parts > 1:
        fold(dkernel, scratch, parts, size, add=True)
    if dbias.size:
        bias_backward(dbias, scratch, dy.reshape(positions, -1))


@planned
def _plan(g, tf32):
    """Return names of tiles, the fastest and a general one; of each grid, parts, numbers; weights; positions."""
    cg, kg, positions = g.c // g.groups, g.k // g.groups, g.n * g.oh * g.ow
    taps, plans = g.kh * g.kw * cg, {}
    for name, one in TILES.items():
        blocks = math.prod(grid_of(name, taps, kg, g.groups))
        parts = max(1, min(-(-_BLOCKS // blocks), -(-positions // _LEAST)), -(-positions // _MOST))
        each = max(1, -(-positions // (parts * one.BK)) * one.BK)
        parts = max(1, -(-positions // each))
        plans[name] = grid_of(name, taps, kg, g.groups * parts), parts, (
            positions, each, g.h, g.w, g.c, cg, g.oh, g.ow, g.k, kg, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.top, g.left,
            g.groups, int(parts == 1))
    in_quads = cg % 4 == 0 and kg % 4 == 0
    names = names_of(taps, kg, g.groups * plans["_wide"][1], 0 if in_quads else None, tf32)
    return names, {name: plans[name] for name in names}, taps * g.k, positions


def _on(product):
    """Return the kernel of a product, on one of the tiles."""
    def backward_weights(out: floats, x: floats, dy: floats, positions: i32, each: i32, h: i32, w: i32, c: i32, cg: i32,
                         oh: i32, ow: i32, k: i32, kg: i32, kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32,
                         top: i32, left: i32, groups: i32, add: i32):
        """A block BM taps x BN filters of a group, over a part of the positions."""
        product(out, x, dy, positions, each, h, w, c, cg, oh, ow, k, kg, kh, kw, sh, sw, dh, dw,
                top, left, groups, add)

    return backward_weights


KERNELS = kernels_on_tiles(_on, weights.weights_on, weights_wide.weights_on)
