"""The transforms of Winograd's F(4x4, 3x3) and F(2x2, 5x5) as vector code: a vector of channels at a time.

A tile of 4x4 outputs of a 3x3 convolution (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016)::

    Y = A^T [ (G g G^T) * (B^T d B) ] A       d 6x6 pixels of x, g a 3x3 filter, * element by element, summed over c

Its transpose gives the gradient of the filters, F(3x3, 4x4), on the same tiles of x::

    dg = G^T [ (B^T d B) * (A dY A^T) ] G

A tile of 2x2 outputs of a 5x5 convolution has the same 6x6 pixels, B and 36 products, in place of 100: A has two rows
in place of four, G five columns.

The matrices belong to the points 0, +-a, +-b and infinity at which the polynomials are multiplied. With a = sqrt 2 and
b = 1 / sqrt 2 the errors are five times smaller than with the usual 1 and 2, for the same operations::

    B^T rows   a^2 b^2 d0 - (a^2 + b^2) d2 + d4                        A^T column of point p  (1, p, p^2, p^3)
       +-a     (d4 - b^2 d2) +- a (d3 - b^2 d1)                        of 0 (1, 0, 0, 0), of infinity (0, 0, 0, 1)
       +-b     (d4 - a^2 d2) +- b (d3 - a^2 d1)                        G row of point p  (1, p, p^2, ..) / N(p),
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


def _power(point, i):
    return (_A2 if point == _A else _B2) ** (i // 2) * point ** (i % 2)


def _to_points(degree, na=1.0, nb=1.0):
    """Return the rows of A, or of G with its scales: d0 + p d1 + .. + p^degree d of the highest, at all points p."""
    taps = tuple(range(degree + 1))

    def at(point, scale):
        def compute(v, d):
            even, odd = (_sum(v, [(d[i], _power(point, i - first) / scale) for i in taps[first::2]])
                         for first in range(2))
            return _even_odd(v, even, odd, point)

        return compute

    return (
        _TransformRows((0,), (0,), lambda v, d: [d[0]]),
        _TransformRows((1, 2), taps, at(_A, na)),
        _TransformRows((3, 4), taps, at(_B, nb)),
        _TransformRows((5,), (degree,), lambda v, d: [d[degree]]),
    )


def _sum(v, terms):
    """Values times factors, added."""
    (value, factor), *others = terms
    total = value if factor == 1 else v.mul(value, factor)
    for value, factor in others:
        total = v.fma(value, factor, total)
    return total


def _from_points(degree, na=1.0, nb=1.0):
    """Return the rows of A^T, or of G^T with its scales: of each power up to `degree` the sum over the points."""

    def row(v, m, i, a, b):
        base = m[0] if i == 0 else m[5] if i == degree else None
        if i == 0 and na == 1:
            return v.add(v.add(base, a), b)
        b = v.mul(b, _power(_B, i) / nb) if base is None else v.fma(b, _power(_B, i) / nb, base)
        return v.fma(a, _power(_A, i) / na, b)

    def compute(powers):
        def rows(v, m):
            join = v.add if powers[0] == 0 else v.sub
            a, b = join(m[1], m[2]), join(m[3], m[4])
            return [row(v, m, i, a, b) for i in powers]

        return rows

    found = []
    for first in range(2):
        powers = tuple(range(first, degree + 1, 2))
        ends = (0,) * (first == 0), (5,) * (degree in powers)
        found.append(_TransformRows(powers, (*ends[0], 1, 2, 3, 4, *ends[1]), compute(powers)))
    return tuple(found)


#: What `transform` can do: pixels to matrices (B^T, A, G) and back (A^T with bias, ReLU; G^T, added to what is there).
#: The pixels of an input are the same for filters of 3x3 and of 5x5.
INPUT, OUTPUT, GRADIENT, FILTER, FILTER_GRADIENT = range(5)
_KINDS = 5
OUTPUT_OF_5, GRADIENT_OF_5, FILTER_OF_5, FILTER_GRADIENT_OF_5 = range(_KINDS + 1, 2 * _KINDS)
_FROM_IMAGE, _CLIPPED = (INPUT, GRADIENT, FILTER), (INPUT, OUTPUT, GRADIENT)


def _rows_of(window):
    """Return for each kind its rows, and how many elements of a side they read and make."""
    side = TILE + 1 - window
    return {INPUT: (_INPUT, TILE, TILE), OUTPUT: (_from_points(side - 1), TILE, side),
            GRADIENT: (_to_points(side - 1), side, TILE), FILTER: (_to_points(window - 1, _NA, _NB), window, TILE),
            FILTER_GRADIENT: (_from_points(window - 1, _NA, _NB), TILE, window)}


_ROWS = _rows_of(3) | {_KINDS + kind: rows for kind, rows in _rows_of(5).items()}


@intrinsic(prefer_literal=True)
def transform(typingctx, WHAT, image, bounds, aside, matrices, ends, count):
    """Transform one tile, for `count` channels.

    Parameters
    ----------
    WHAT : literal int
        INPUT, OUTPUT, GRADIENT, FILTER or FILTER_GRADIENT, or one of them of 5x5.
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
    if not isinstance(WHAT, types.IntegerLiteral):
        raise RequireLiteralValue("transform: WHAT must be a literal integer")
    pointer, i = aside, types.int64
    places = [types.Tuple((pointer, types.UniTuple(i, numbers))) for numbers in (3, 2)]
    end = types.Tuple((pointer, pointer.dtype))
    signature = types.void(WHAT, places[0], types.UniTuple(i, 4), pointer, places[1], end, i)
    kind, of, dtype = WHAT.literal_value % _KINDS, _ROWS[WHAT.literal_value], pointer.dtype

    def codegen(context, builder, signature, args):
        (image, pixels), bounds, (matrices, elements), ends = (
            cgutils.unpack_tuple(builder, args[which]) for which in (1, 2, 4, 5))
        at, *steps = cgutils.unpack_tuple(builder, pixels)
        first, step = cgutils.unpack_tuple(builder, elements)
        v = _Sums(builder, dtype)
        side = of[1] if kind in _FROM_IMAGE else of[2]
        pixels = TilePixels(v, side, builder.gep(image, [at]), steps, bounds if kind in _CLIPPED else None, args[3])
        _emit(v, kind, of, pixels, (builder.gep(matrices, [first]), step), ends, args[6])
        return context.get_dummy_value()

    return signature, codegen


def _emit(v, kind, of, pixels, matrices, ends, count):
    """Emit a loop over vectors of channels; where masks are dear, without them, and the last part of a vector alone."""
    b_ = v.b
    vectors = lambda channels: b_.sdiv(channels, _I64(v.L))
    if kind == FILTER:  # whole vectors
        with cgutils.for_range(b_, vectors(count)) as loop:
            _emit_vector(v, kind, of, pixels, matrices, ends, b_.mul(loop.index, _I64(v.L)), None)
    elif MASKED:
        with cgutils.for_range(b_, vectors(b_.add(count, _I64(v.L - 1)))) as loop:
            place = b_.mul(loop.index, _I64(v.L))
            _emit_vector(v, kind, of, pixels, matrices, ends, place, b_.sub(count, place))
    else:
        with cgutils.for_range(b_, vectors(count)) as loop:
            _emit_vector(v, kind, of, pixels, matrices, ends, b_.mul(loop.index, _I64(v.L)), None)
        place = b_.mul(vectors(count), _I64(v.L))
        with b_.if_then(b_.icmp_signed("<", place, count)):
            _emit_vector(v, kind, of, pixels, matrices, ends, place, b_.sub(count, place))


def _emit_vector(v, kind, of, pixels, matrices, ends, c, left):
    """Transform the channels from c on, of which `left` exist; None: a vector of them."""
    (rows, size_in, _), b_, (matrix, step) = of, v.b, matrices
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
