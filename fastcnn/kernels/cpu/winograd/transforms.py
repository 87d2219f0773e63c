"""The transforms of Winograd's F(4x4, 3x3), emitted as vector code: one vector of channels at a time, in registers.

A tile of 4x4 outputs of a 3x3 convolution (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016)::

    Y = A^T [ (G g G^T) * (B^T d B) ] A       d 6x6 pixels of x, g a 3x3 filter, * element by element, summed over c

Its transpose gives the gradient of the filters, F(3x3, 4x4), on the same tiles of x::

    dg = G^T [ (B^T d B) * (A dY A^T) ] G

The matrices belong to the points 0, +-a, +-b and infinity at which the polynomials are multiplied. With a = sqrt 2 and
b = 1 / sqrt 2 the errors are five times smaller than with the usual 1 and 2, for the same operations::

    B^T rows   a^2 b^2 d0 - (a^2 + b^2) d2 + d4                        A^T column of point p  (1, p, p^2, p^3)
       +-a     (d4 - b^2 d2) +- a (d3 - b^2 d1)                        of 0 (1, 0, 0, 0), of infinity (0, 0, 0, 1)
       +-b     (d4 - a^2 d2) +- b (d3 - a^2 d1)                        G row of point p  (1, p, p^2) / N(p),
       inf     a^2 b^2 d1 - (a^2 + b^2) d3 + d5                        N(a) = 2 a^2 (a^2 - b^2), N(0) = a^2 b^2

Each product of three matrices runs in two passes. The rows of the first pass are made in groups that share terms, each
group's second pass before the next group, so that at most 12 of the 36 intermediate vectors are alive::

    d 6x6, in L1     first pass, rows +-a            second pass                to 36 matrices
      .x.x.x.x.x.x    +a  t0 t1 t2 t3 t4 t5   -->    B^T of the row: 6 results  -> stored
      .x.x.x.x.x.x    -a  t0 t1 t2 t3 t4 t5   -->    6 results                  -> stored
      (loaded again for the next group: a load costs less than a spilled vector's store)
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.vectors import Vectors
from fastcnn.kernels.cpu.winograd.tile_pixels import MASKED, TilePixels

_I64 = ir.IntType(64)
TILE = 6  # pixels of a side at most
_A, _B = 2.0**0.5, 0.5**0.5
_A2, _B2 = 2.0, 0.5  # their squares; a^2 b^2 = 1, which takes a multiplication out of two rows
_SUM = _A2 + _B2
_NA, _NB = 2 * _A2 * (_A2 - _B2), 2 * _B2 * (_B2 - _A2)


class _Sums(Vectors):
    """Sums of vectors times constants."""

    def fma(self, x: Any, factor: float, y: Any) -> Any:
        return self.fmuladd(x, self.constant(factor), y)

    def mul(self, x: Any, factor: float) -> Any:
        return self.b.fmul(x, self.constant(factor))

    def add(self, x: Any, y: Any) -> Any:
        return self.b.fadd(x, y)

    def sub(self, x: Any, y: Any) -> Any:
        return self.b.fsub(x, y)


class _TransformRows(NamedTuple):
    """Some rows of a matrix that share terms: which rows, which elements they read, and how."""

    made: Sequence[int]
    read: Sequence[int]
    compute: Callable[[_Sums, Any], Sequence[Any]]


def _even_odd(v, even, odd, point):
    """even + point * odd and even - point * odd."""
    return v.fma(odd, point, even), v.fma(odd, -point, even)


_INPUT = (  # B^T
    _TransformRows((0,), (0, 2, 4), lambda v, d: [v.fma(d[2], -_SUM, v.add(d[0], d[4]))]),
    _TransformRows((1, 2), (1, 2, 3, 4),
                   lambda v, d: _even_odd(v, v.fma(d[2], -_B2, d[4]), v.fma(d[1], -_B2, d[3]), _A)),
    _TransformRows((3, 4), (1, 2, 3, 4),
                   lambda v, d: _even_odd(v, v.fma(d[2], -_A2, d[4]), v.fma(d[1], -_A2, d[3]), _B)),
    _TransformRows((5,), (1, 3, 5), lambda v, d: [v.fma(d[3], -_SUM, v.add(d[1], d[5]))]),
)


def _output_even(v, m):
    a, b = v.add(m[1], m[2]), v.add(m[3], m[4])
    return v.add(v.add(m[0], a), b), v.fma(a, _A2, v.mul(b, _B2))


def _output_odd(v, m):
    a, b = v.sub(m[1], m[2]), v.sub(m[3], m[4])
    return v.fma(a, _A, v.mul(b, _B)), v.fma(a, _A * _A2, v.fma(b, _B * _B2, m[5]))


_OUTPUT = (  # A^T
    _TransformRows((0, 2), (0, 1, 2, 3, 4), _output_even),
    _TransformRows((1, 3), (1, 2, 3, 4, 5), _output_odd),
)


def _at_points(v, d, point):
    """d0 + p d1 + p^2 d2 + p^3 d3 at p and -p."""
    return _even_odd(v, v.fma(d[2], point**2, d[0]), v.fma(d[3], point**2, d[1]), point)


_GRADIENT = (  # A
    _TransformRows((0,), (0,), lambda v, d: [d[0]]),
    _TransformRows((1, 2), (0, 1, 2, 3), lambda v, d: _at_points(v, d, _A)),
    _TransformRows((3, 4), (0, 1, 2, 3), lambda v, d: _at_points(v, d, _B)),
    _TransformRows((5,), (3,), lambda v, d: [d[3]]),
)


def _filter_at(v, g, point, scale):
    """(g0 + p g1 + p^2 g2) / N at p and -p."""
    return _even_odd(v, v.fma(g[2], point**2 / scale, v.mul(g[0], 1 / scale)), v.mul(g[1], 1 / scale), point)


_FILTER = (  # G
    _TransformRows((0,), (0,), lambda v, g: [g[0]]),
    _TransformRows((1, 2), (0, 1, 2), lambda v, g: _filter_at(v, g, _A, _NA)),
    _TransformRows((3, 4), (0, 1, 2), lambda v, g: _filter_at(v, g, _B, _NB)),
    _TransformRows((5,), (2,), lambda v, g: [g[2]]),
)


def _filter_gradient(v, m):
    a, b, a_odd, b_odd = v.add(m[1], m[2]), v.add(m[3], m[4]), v.sub(m[1], m[2]), v.sub(m[3], m[4])
    return (v.fma(a, 1 / _NA, v.fma(b, 1 / _NB, m[0])), v.fma(a_odd, _A / _NA, v.mul(b_odd, _B / _NB)),
            v.fma(a, _A2 / _NA, v.fma(b, _B2 / _NB, m[5])))


_FILTER_GRADIENT = (_TransformRows((0, 1, 2), (0, 1, 2, 3, 4, 5), _filter_gradient),)  # G^T

#: What `transform` can do: pixels to matrices (B^T, A, G) and back (A^T with bias, ReLU; G^T, added to what is there).
INPUT, OUTPUT, GRADIENT, FILTER, FILTER_GRADIENT = range(5)
_KINDS = {INPUT: (_INPUT, 6, 6), OUTPUT: (_OUTPUT, 6, 4), GRADIENT: (_GRADIENT, 4, 6), FILTER: (_FILTER, 3, 6),
          FILTER_GRADIENT: (_FILTER_GRADIENT, 6, 3)}
_FROM_IMAGE, _CLIPPED = (INPUT, GRADIENT, FILTER), (INPUT, OUTPUT, GRADIENT)


@intrinsic(prefer_literal=True)
def transform(typingctx, KIND, image, bounds, aside, matrices, ends, count):
    """Transform one tile, for `count` channels.

    Parameters
    ----------
    KIND : literal int
        INPUT, OUTPUT, GRADIENT, FILTER or FILTER_GRADIENT.
    image : (pointer, (offset, row, column))
        The tile's first pixel, for FILTER kinds the filter's first element, and the steps from a pixel to the one below
        and to the one on its right. Channels lie side by side.
    bounds : (r0, r1, s0, s1)
        Rows and columns of the tile that exist. The others are read as zeros, or not written.
    aside : pointer
        `TILE` times `count` zeros (of an input), or memory for as many elements that nobody reads (of an output).
    matrices : (pointer, (offset, step))
        Element (0, 0) of the transformed tile; element i of the 36 lies i * `step` further. They are whole vectors, of
        which an INPUT writes `count` numbers alone. A GRADIENT writes one more, the sum of its pixels.
    ends : (pointer, float)
        The bias, in whole vectors, which is added to outputs, and the number to which lower ones are set: for OUTPUT
        alone.
    count : int
    """
    if not isinstance(KIND, types.IntegerLiteral):
        raise RequireLiteralValue("transform: KIND must be a literal integer")
    pointer, i = aside, types.int64
    places = [types.Tuple((pointer, types.UniTuple(i, numbers))) for numbers in (3, 2)]
    end = types.Tuple((pointer, pointer.dtype))
    signature = types.void(KIND, places[0], types.UniTuple(i, 4), pointer, places[1], end, i)
    kind, dtype = KIND.literal_value, pointer.dtype

    def codegen(context, builder, signature, args):
        (image, pixels), bounds, (matrices, elements), ends = (
            cgutils.unpack_tuple(builder, args[which]) for which in (1, 2, 4, 5))
        at, *steps = cgutils.unpack_tuple(builder, pixels)
        first, step = cgutils.unpack_tuple(builder, elements)
        v = _Sums(builder, dtype)
        pixels = TilePixels(v, _side(kind), builder.gep(image, [at]), steps, bounds if kind in _CLIPPED else None,
                            args[3])
        _emit(v, kind, pixels, (builder.gep(matrices, [first]), step), ends, args[6])
        return context.get_dummy_value()

    return signature, codegen


def _side(kind):
    """Return how many pixels a side of the tile has."""
    _, size_in, size_out = _KINDS[kind]
    return size_in if kind in _FROM_IMAGE else size_out


def _emit(v, kind, pixels, matrices, ends, count):
    """Emit a loop over vectors of channels; where masks are dear, without them, and the last part of a vector alone."""
    b_ = v.b
    vectors = lambda channels: b_.sdiv(channels, _I64(v.L))
    if kind == FILTER:  # whole vectors
        with cgutils.for_range(b_, vectors(count)) as loop:
            _emit_vector(v, kind, pixels, matrices, ends, b_.mul(loop.index, _I64(v.L)), None)
    elif MASKED:
        with cgutils.for_range(b_, vectors(b_.add(count, _I64(v.L - 1)))) as loop:
            place = b_.mul(loop.index, _I64(v.L))
            _emit_vector(v, kind, pixels, matrices, ends, place, b_.sub(count, place))
    else:
        with cgutils.for_range(b_, vectors(count)) as loop:
            _emit_vector(v, kind, pixels, matrices, ends, b_.mul(loop.index, _I64(v.L)), None)
        place = b_.mul(vectors(count), _I64(v.L))
        with b_.if_then(b_.icmp_signed("<", place, count)):
            _emit_vector(v, kind, pixels, matrices, ends, place, b_.sub(count, place))


def _emit_vector(v, kind, pixels, matrices, ends, c, left):
    """Transform the channels from c on, of which `left` exist; None: a vector of them."""
    rows, size_in, _ = _KINDS[kind]
    b_, (matrix, step) = v.b, matrices
    pixels.begin(c, left)
    element = lambda i, j: b_.gep(b_.gep(matrix, [b_.add(c, b_.mul(_I64(6 * i), step))]), [b_.mul(_I64(j), step)])
    # Beside the channels of an image there may be another's; those of dy end with zeros, which the product reads.
    lanes = pixels.lanes if kind == INPUT else None
    read_one, write_one = pixels.load, lambda value, i, j: v.store(value, element(i, j), mask=lanes)
    if kind not in _FROM_IMAGE:
        read_one, write_one = lambda i, j: v.load(element(i, j)), _stored(v, kind, pixels, ends, c)
    if kind in _CLIPPED:
        pixels.fetch_next(write=kind == OUTPUT)
    total = None
    for group in rows:
        across: dict[int, dict[int, Any]] = {r: {} for r in group.made}
        for s in range(size_in):
            read = {r: read_one(r, s) for r in group.read}
            if kind == GRADIENT and len(read) == size_in and group.made[0] == 1:  # each pixel once
                for pixel in read.values():
                    total = pixel if total is None else v.add(total, pixel)
            made = group.compute(v, read)
            for r, value in zip(group.made, made, strict=True):
                across[r][s] = value
        for r in group.made:
            for second in rows:
                for s, value in zip(second.made, second.compute(v, across[r]), strict=True):
                    write_one(value, r, s)
    if total is not None:
        v.store(total, element(6, 0))


def _stored(v, kind, pixels, ends, c):
    """Return what writes a result to a pixel: with the bias and not below the bound, or added to what is there."""
    if kind == FILTER_GRADIENT:
        return lambda value, i, j: pixels.store(v.add(value, pixels.load(i, j)), i, j)
    low, offset = v.broadcast(ends[1]), v.load(v.b.gep(ends[0], [c]))
    return lambda value, i, j: pixels.store(v.at_least(low, v.add(value, offset)), i, j)
