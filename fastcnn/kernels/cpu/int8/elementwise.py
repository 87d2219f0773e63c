"""From numbers to bytes and back, sums of bytes of two scales, and functions of a byte as tables.

    quantize_bytes      q = round(x / scale) + zero                      ONNX: QuantizeLinear
    dequantize_bytes    x = scale (q - zero)                             ONNX: DequantizeLinear
    quantized_add       q = round(a' (a - a0) + b' (b - b0)) + zero      a' and b' are the scales over that of the sum
    byte_table          q = table[x]                                     any function of single numbers
    byte_border         an image with a border of one byte around it

Rounding is that of `vectors.py`: half to even, the same bits on every machine.
"""

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.int8.vectors import emitted

_I64 = ir.IntType(64)
_CHUNKS = 64


@kernel
def quantize_bytes(y, x, scale, zero):
    """Turn numbers into bytes; what is beyond the bytes that there are becomes the nearest, NaN the lowest.

    Parameters
    ----------
    y : flat uint8 array
        Written.
    x : flat float32 array
    scale : (1,) float32 array
    zero : int
    """
    chunks = chunks_for(y.size, _CHUNKS)
    parallel(_quantize_part, chunks, (chunks, y, x, scale, zero))


@inlined
def _quantize_part(chunk, chunks, y, x, scale, zero):
    begin, end = chunk_of(chunk, chunks, y.size)
    _quantize_run((y, begin), (x, begin), (scale, 0), zero, end - begin)


@kernel
def dequantize_bytes(y, x, scale, zero):
    """Turn bytes into numbers.

    Parameters
    ----------
    y : flat float32 array
        Written.
    x : flat uint8 array
    scale : (1,) float32 array
    zero : int
    """
    chunks = chunks_for(y.size, _CHUNKS)
    parallel(_dequantize_part, chunks, (chunks, y, x, scale, zero))


@inlined
def _dequantize_part(chunk, chunks, y, x, scale, zero):
    begin, end = chunk_of(chunk, chunks, y.size)
    _dequantize_run((y, begin), (x, begin), (scale, 0), zero, end - begin)


@kernel(in_place=("a", "b"))
def quantized_add(y, a, b, scales, bounds, zeros):
    """Add bytes of two scales.

    Parameters
    ----------
    y : flat uint8 array
        Written.
    a, b : flat uint8 arrays
    scales : (2,) float32 array
        The scale of a and that of b, each over that of y.
    bounds : (2,) float32 array
        The lowest and the highest sum, before the zero is added.
    zeros : (3,) int64 array
        The bytes that stand for zero in a, b and y.
    """
    chunks = chunks_for(y.size, _CHUNKS)
    parallel(_add_part, chunks, (chunks, y, a, b, (scales, bounds, zeros)))


@inlined
def _add_part(chunk, chunks, y, a, b, told):
    scales, bounds, zeros = told
    begin, end = chunk_of(chunk, chunks, y.size)
    _add_run((y, begin), (a, begin), (b, begin), (scales, 0), (bounds, 0), (zeros[0], zeros[1], zeros[2]), end - begin)


@kernel(in_place=("x",))
def byte_table(y, x, table):
    """Look each byte up in a table: y[i] = table[x[i]].

    Parameters
    ----------
    y, x : flat uint8 arrays
        y is written.
    table : (256,) uint8 array
    """
    chunks = chunks_for(y.size, _CHUNKS)
    parallel(_table_part, chunks, (chunks, y, x, table))


@inlined
def _table_part(chunk, chunks, y, x, table):
    begin, end = chunk_of(chunk, chunks, y.size)
    for i in range(begin, end):
        y[i] = table[x[i]]


@kernel
def byte_border(y, x, sizes, value):
    """Write images with a border around each, and fill what `y` has beyond them.

    Parameters
    ----------
    y : (N * H' * W' * C + slack,) uint8 array
        Written.
    x : (N * H * W * C,) uint8 array
    sizes : (8,) int64 array
        N, H, W, C; H', W'; how many rows and columns are above and on the left of x.
    value : int
        Of the border.
    """
    rows = sizes[0] * sizes[4]
    chunks = max(1, min(rows, chunks_for(y.size, _CHUNKS)))
    parallel(_border_rows, chunks, (chunks, rows, y, x, sizes, value))


@inlined
def _border_rows(chunk, chunks, rows, y, x, sizes, value):
    h, size, height, top = sizes[1], sizes[2] * sizes[3], sizes[4], sizes[6]
    width, before = sizes[5] * sizes[3], sizes[7] * sizes[3]
    begin, end = chunk_of(chunk, chunks, rows)
    for row in range(begin, end):
        i, at = row % height - top, row * width
        inside = 0 <= i < h
        of, first, beyond = (row // height * h + i) * size, at + before, at + before + size
        if not inside:
            first = beyond = at + width
        _fill_run((y, at), first - at, value)
        if inside:
            _copy_run((y, first), (x, of), size)
        _fill_run((y, beyond), at + width - beyond, value)
    if end == rows:
        _fill_run((y, rows * width), y.size - rows * width, value)


# --- runs of numbers, emitted -----------------------------------------------------------------------------------------


def _over(v, count, step):
    """Emit step(index, mask) for each vector of `count` numbers; the last one is masked."""
    whole = v.b.sdiv(count, _I64(v.L))
    with cgutils.for_range(v.b, whole) as at:
        step(v.b.mul(at.index, _I64(v.L)), None)
    first = v.b.mul(whole, _I64(v.L))
    with v.b.if_then(v.b.icmp_signed("<", first, count)):
        step(first, v.mask(v.b.sub(count, first)))


def _zero(v, number):
    """Return an integer as a vector of sums, and as one of numbers."""
    whole = v.broadcast(v.b.trunc(number, ir.IntType(32)))
    return whole, v.b.sitofp(whole, v.vector)


@intrinsic
def _copy_run(typingctx, y, x, count):
    def emit(v, pointers, rest):
        cgutils.raw_memcpy(v.b, *pointers, rest[0], 1)

    return emitted(2, emit, y, x, count)


@intrinsic
def _fill_run(typingctx, y, count, value):
    def emit(v, pointers, rest):
        cgutils.memset(v.b, pointers[0], rest[0], v.b.trunc(rest[1], ir.IntType(8)))

    return emitted(1, emit, y, count, value)


@intrinsic
def _quantize_run(typingctx, y, x, scale, zero, count):
    def emit(v, pointers, rest):
        (y, x, scale), (zero, count) = pointers, rest
        added, number = _zero(v, zero)
        divisor = v.load_one(scale)
        low, high = v.b.fsub(v.constant(0.0), number), v.b.fsub(v.constant(255.0), number)

        def step(at, mask):
            value = v.over(v.load(v.b.gep(x, [at]), mask=mask), divisor)
            v.store(v.rounded(v.between(value, low, high), added), v.b.gep(y, [at]), mask=mask)

        _over(v, count, step)

    return emitted(3, emit, y, x, scale, zero, count)


@intrinsic
def _dequantize_run(typingctx, y, x, scale, zero, count):
    def emit(v, pointers, rest):
        (y, x, scale), (zero, count) = pointers, rest
        number, factor = _zero(v, zero)[1], v.load_one(scale)

        def step(at, mask):
            value = v.b.fsub(v.numbers(v.b.gep(x, [at]), mask), number)
            v.store(v.times(value, factor), v.b.gep(y, [at]), mask=mask)

        _over(v, count, step)

    return emitted(3, emit, y, x, scale, zero, count)


@intrinsic
def _add_run(typingctx, y, a, b, scales, bounds, zeros, count):
    def emit(v, pointers, rest):
        (y, a, b, scales, bounds), (zeros, count) = pointers, rest
        (_, a_zero), (_, b_zero), (added, _) = (_zero(v, one) for one in zeros)
        a_scale, b_scale, low, high = (v.broadcast(v.b.load(v.b.gep(table, [_I64(k)])))
                                       for table in (scales, bounds) for k in (0, 1))

        def step(at, mask):
            one = v.times(v.b.fsub(v.numbers(v.b.gep(a, [at]), mask), a_zero), a_scale)
            other = v.times(v.b.fsub(v.numbers(v.b.gep(b, [at]), mask), b_zero), b_scale)
            value = v.rounded(v.between(v.plus(one, other), low, high), added)
            v.store(value, v.b.gep(y, [at]), mask=mask)

        _over(v, count, step)

    return emitted(5, emit, y, a, b, scales, bounds, zeros, count)
