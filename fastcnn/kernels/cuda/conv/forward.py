"""As the CPU's `forward`, on CUDA: 2D convolution as a matrix product, whatever strides, padding, dilation and groups.

    y (M, K) = A (M, R) B (R, K) + bias + addend, between bounds

    M = N OH OW positions; R = KH KW C taps; B is the filter bank as it lies; A is gathered from the images

Nothing is packed, so `packed` and `ready` have no meaning.
"""

from fastcnn import config
from fastcnn.kernels.cuda.compile.kernel import launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32
from fastcnn.kernels.cuda.conv import gathered, gathered_wide
from fastcnn.kernels.cuda.conv.gathered import Axis, Bank, Destination, Image
from fastcnn.kernels.cuda.conv.tiles import TILES, aligned, grid_of, kernels_on_tiles, names_of


def conv2d_forward_packed(geometry, dtype, kept=True):
    """Return how many elements `packed` of `conv2d_forward` has: none."""
    return 0


@launcher(in_place=("addend",))
def conv2d_forward(y, packed, x, kernel, bias, addend, bounds, ready, geometry):
    """y = conv(x, kernel) + bias + addend, and what is beyond the bounds set to them, as the CPU's."""
    names, grids, numbers = _plan(geometry, config.switches.tf32)
    if y.size:
        name = names[0] if aligned(y, x, kernel, bias, addend) else names[1]
        KERNELS[name][grids[name], TILES[name].THREADS](
            y, x, kernel, bias, addend, *numbers, bias.size, addend.size, float(bounds[0]), float(bounds[1]))


@planned
def _plan(g, tf32):
    """Return names of tiles, the fastest and a general one; their grids; and the kernel's numbers."""
    cg, kg = g.c // g.groups, g.k // g.groups
    shape = g.n * g.oh * g.ow, kg, g.groups
    names = names_of(*shape, cg if kg % 4 == 0 else None, tf32)
    return names, {name: grid_of(name, *shape) for name in names}, (
        g.n, g.h, g.w, g.c, cg, g.oh, g.ow, g.k, kg, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.top, g.left)


def _on(product):
    """Return the kernel of a product, on one of the tiles."""
    def forward(y: floats, x: floats, bank: floats, bias: floats, addend: floats, n: i32, h: i32, w: i32, c: i32,
                cg: i32, oh: i32, ow: i32, k: i32, kg: i32, kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32,
                top: i32, left: i32, has_bias: i32, has_addend: i32, low: f32, high: f32):
        """A block BM positions x BN filters of a group."""
        group = i32(cuda.blockIdx.z)
        product(
            y, x, bank, bias, addend, (has_bias, has_addend, low, high), n, Image(h, w, c, group * cg, cg),
            Axis(oh, kh, -top, sh, dh), Axis(ow, kw, -left, sw, dw), Bank(group * kg, kw * cg * k, cg * k, k, 1),
            Destination(kg, group * kg, group * kg, oh * ow * k, ow * k, k), False)

    return forward


KERNELS = kernels_on_tiles(_on, gathered.gathered_on, gathered_wide.gathered_on)
