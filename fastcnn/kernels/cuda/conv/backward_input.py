"""As the CPU's `backward_input`, on CUDA: the gradient of the input gathers dy by transposed taps.

    dx[n, h, w, c] = sum over (i, j, r, s) with i sh + r dh - top = h, j sw + s dw - left = w, and over k,
                     of dy[n, i, j, k] * kernel[r, s, c, k]

With a stride the pixels split into *phases*, h mod sh and w mod sw: those of a phase see the same taps, every ``each``
of them from ``first``, and pixel ``phase + p stride`` sees tap ``first + t each`` at output ``p + o - t step``. So a
phase is a convolution with stride 1, and no product with zero is made; along z of the grid lie phases and groups.
"""

import math

from fastcnn import config
from fastcnn.kernels.cuda.compile.kernel import launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, rem
from fastcnn.kernels.cuda.conv import gathered, gathered_wide
from fastcnn.kernels.cuda.conv.gathered import Axis, Bank, Destination, Image
from fastcnn.kernels.cuda.conv.tiles import TILES, aligned, grid_of, kernels_on_tiles, names_of


def conv2d_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_input` wants: none."""
    return 0


def conv2d_backward_input_packed(geometry, dtype):
    """Return how many elements `packed` of `conv2d_backward_input` has: none."""
    return 0


@launcher
def conv2d_backward_input(dx, scratch, packed, dy, kernel, bias, bounds, ready, geometry):
    """dx = the gradient with respect to the input: dy convolved with the transposed filters, as the CPU's."""
    names, grids, numbers = _plan(geometry, config.switches.tf32)
    if dx.size:
        name = names[0] if aligned(dx, dy, kernel, bias) else names[1]
        KERNELS[name][grids[name], TILES[name].THREADS](
            dx, dy, kernel, bias, *numbers, bias.size, float(bounds[0]), float(bounds[1]))


@planned
def _plan(g, tf32):
    """Return names of tiles, the fastest and a general one; their grids; and the kernel's numbers."""
    cg, kg = g.c // g.groups, g.k // g.groups
    positions = g.n * -(-g.h // g.sh) * -(-g.w // g.sw)  # of the largest phase
    phases = min(g.sh, g.h), min(g.sw, g.w)
    shape = positions, cg, g.groups * phases[0] * phases[1]
    names = names_of(*shape, kg if cg % 4 == 0 else None, tf32)
    return names, {name: grid_of(name, *shape) for name in names}, (
        g.n, g.h, g.w, g.c, cg, g.oh, g.ow, g.k, kg, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.top, g.left,
                   *phases, g.sh // math.gcd(g.sh, g.dh), g.sw // math.gcd(g.sw, g.dw))


@inlined
def _phase(phase, length, window, stride, dilation, border, each):
    """Return the first tap that pixels phase, phase + stride, .. see, and how they walk over outputs."""
    first = i32(0)
    while first < each and (phase + border - first * dilation) % stride != 0:
        first += 1
    taps = div(window - first + each - 1, each) if first < min(window, each) else i32(0)
    pixels = div(length - phase + stride - 1, stride)
    begin = i32((phase + border - first * dilation) // stride)
    return first, Axis(pixels, taps, begin, i32(1), i32(-div(each * dilation, stride)))


def _on(product):
    """Return the kernel of a product, on one of the tiles."""
    def backward_input(dx: floats, dy: floats, bank: floats, bias: floats, n: i32, h: i32, w: i32, c: i32, cg: i32,
                       oh: i32, ow: i32, k: i32, kg: i32, kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32,
                       top: i32, left: i32, phases_down: i32, phases_across: i32, down_each: i32, across_each: i32,
                       has_bias: i32, low: f32, high: f32):
        """A block BM pixels of a phase x BN channels of a group."""
        z = i32(cuda.blockIdx.z)
        line = div(z, phases_across)
        group, i, j = div(line, phases_down), rem(line, phases_down), rem(z, phases_across)
        first_down, down = _phase(i, h, kh, sh, dh, top, down_each)
        first_across, across = _phase(j, w, kw, sw, dw, left, across_each)
        at = group * kg + (first_down * kw + first_across) * cg * k
        product(
            dx, dy, bank, bias, dx, (has_bias, i32(0), low, high), n, Image(oh, ow, k, group * kg, kg), down, across,
            Bank(at, down_each * kw * cg * k, across_each * cg * k, 1, k),
            Destination(cg, group * cg, (i * w + j) * c + group * cg, h * w * c, sh * w * c, sw * c), True)

    return backward_input


KERNELS = kernels_on_tiles(_on, gathered.gathered_on, gathered_wide.gathered_on)
