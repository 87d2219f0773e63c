"""As the CPU's `permute`, on CUDA: a thread an element of the result, whose place in the source is a sum of digits.

Where both last axes are long, a block moves a tile by way of shared memory, so that both sides are read and written
side by side.
"""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1, rem, sized

_SIDE = sized(32, 4)  # of a tile
_ROWS = THREADS // _SIDE
_WIDTH = _SIDE + 1  # a column of a tile lies in as many banks as it has numbers
_TILE = _SIDE * _WIDTH


@launcher
def permute(y, x, geometry):
    """Write y = numpy.transpose(x, axes), as the CPU's."""
    tiles, numbers = _plan(geometry)
    if tiles is None:
        moved[blocks_for(y.size), THREADS](y, x, y.size, *numbers)
    else:
        moved_in_tiles[tiles, THREADS](y, x, *numbers)


@planned
def _plan(g):
    """Return the grid of tiles, or None, and the kernel's numbers: outer dimensions, then the inner two."""
    outer = [(getattr(g, f"n{i}"), getattr(g, f"s{i}"), getattr(g, f"t{i}")) for i in range(5)]
    numbers = (*(one for dimension in outer for one in dimension), g.a, g.sa, g.b, g.tb)
    count = g.n0 * g.n1 * g.n2 * g.n3 * g.n4
    if min(g.a, g.b) < _SIDE or -(-g.b // _SIDE) > 65535 or count > 65535:
        return None, numbers
    return (-(-g.a // _SIDE), -(-g.b // _SIDE), count), numbers


@inlined
def _outer(index, n1, n2, n3, n4, d0, d1, d2, d3, d4):
    """Return where an element of the outer dimensions lies, from their distances."""
    i3, i4 = div(index, n4), rem(index, n4)
    i2, i1 = div(i3, n3), i32(0)
    i3 = i32(i3 - i2 * n3)
    i1 = div(i2, n2)
    i2 = i32(i2 - i1 * n2)
    i0 = div(i1, n1)
    i1 = i32(i1 - i0 * n1)
    return i32(i0 * d0 + i1 * d1 + i2 * d2 + i3 * d3 + i4 * d4)


@kernel
def moved(y: floats, x: floats, size: i32, n0: i32, s0: i32, t0: i32, n1: i32, s1: i32, t1: i32, n2: i32, s2: i32,
          t2: i32, n3: i32, s3: i32, t3: i32, n4: i32, s4: i32, t4: i32, a: i32, sa: i32, b: i32, tb: i32):
    """A thread an element."""
    for at in range(cuda.grid(1), size, cuda.gridsize(1)):
        rest = div(at, a)
        i = i32(at - rest * a)
        index = div(rest, b)
        j = i32(rest - index * b)
        of = _outer(index, n1, n2, n3, n4, s0, s1, s2, s3, s4) + i * sa + (j if b > 1 else 0)
        y[_outer(index, n1, n2, n3, n4, t0, t1, t2, t3, t4) + i + j * tb] = load1(x, of)


@kernel
def moved_in_tiles(y: floats, x: floats, n0: i32, s0: i32, t0: i32, n1: i32, s1: i32, t1: i32, n2: i32, s2: i32,
                   t2: i32, n3: i32, s3: i32, t3: i32, n4: i32, s4: i32, t4: i32, a: i32, sa: i32, b: i32, tb: i32):
    """A block a tile: rows are read along b, and written along a."""
    tile = cuda.shared.array(_TILE, f32)
    lane, row, index = rem(cuda.threadIdx.x, _SIDE), div(cuda.threadIdx.x, _SIDE), i32(cuda.blockIdx.z)
    a0, b0 = i32(cuda.blockIdx.x * _SIDE), i32(cuda.blockIdx.y * _SIDE)
    of = _outer(index, n1, n2, n3, n4, s0, s1, s2, s3, s4)
    to = _outer(index, n1, n2, n3, n4, t0, t1, t2, t3, t4)
    for i in range(row, _SIDE, _ROWS):
        if a0 + i < a and b0 + lane < b:
            tile[i * _WIDTH + lane] = load1(x, i32(of + i32((a0 + i) * sa) + b0 + lane))
    cuda.syncthreads()
    for j in range(row, _SIDE, _ROWS):
        if b0 + j < b and a0 + lane < a:
            y[i32(to + i32((b0 + j) * tb) + a0 + lane)] = tile[lane * _WIDTH + j]
