"""Max and average pooling of bytes, global pooling included. ONNX: MaxPool, QLinearAveragePool.

The largest byte stands for the largest number, so max pooling keeps the scale. An average is the sum of a window's
bytes, requantized (`vectors.py`), or a number. Positions beyond the image count for neither.
"""

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.int8.vectors import WIDTH, emitted
from fastcnn.kernels.cpu.pooling.average import divisor_of
from fastcnn.kernels.cpu.pooling.runs import columns_of, rows_of

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


@kernel
def byte_max_pool2d(y, x, zero, geometry):
    """Write the largest byte of each window.

    Parameters
    ----------
    y : (N * OH * OW * C,) uint8 array
        Written.
    x : (N * H * W * C,) uint8 array
    zero : int
        What a window gives that lies beyond the image altogether.
    geometry : POOL2D
    """
    g = geometry[0]
    rows = g["n"] * g["oh"]
    chunks = max(1, min(rows, chunks_for(x.size, 64)))
    parallel(_max_rows, chunks, (chunks, rows, y, x, zero, geometry))


@inlined
def _max_rows(chunk, chunks, rows, y, x, zero, geometry):
    g = geometry[0]
    c, w = g["c"], g["w"]
    begin, end = chunk_of(chunk, chunks, rows)
    for row in range(begin, end):
        top, height, _ = rows_of(g, row % g["oh"])
        for j in range(g["ow"]):
            left, width, _ = columns_of(g, j)
            at = (row * g["ow"] + j) * c
            if height > 0 and width > 0:
                of = ((row // g["oh"] * g["h"] + top) * w + left) * c
                _largest((y, at), (x, of), (height, width), (g["dh"] * w * c, g["dw"] * c), c)
            else:
                for k in range(at, at + c):
                    y[k] = zero


@kernel
def quantized_average_pool2d(y, x, factor, bounds, zeros, geometry):
    """Write the mean of each window.

    Parameters
    ----------
    y : (N * OH * OW * C,) uint8 array, or one of four times as many
        Written: bytes, or float32 numbers as bytes where the zero of y is -1.
    x : (N * H * W * C,) uint8 array
    factor : (1,) float32 array
        The scale of x over that of y.
    bounds : (2,) float32 array
        The lowest and the highest result, before the zero is added.
    zeros : (2,) int64 array
        The bytes that stand for zero in x and in y.
    geometry : POOL2D
    """
    g = geometry[0]
    rows = g["n"] * g["oh"] * g["ow"]
    chunks = max(1, min(rows, chunks_for(x.size, 64)))
    parallel(_average_rows, chunks, (chunks, rows, y, x, (factor, bounds, zeros), geometry))


@inlined
def _average_rows(chunk, chunks, rows, y, x, told, geometry):
    g, (factor, bounds, zeros) = geometry[0], told
    c, w, wide = g["c"], g["w"], 4 if zeros[1] < 0 else 1
    begin, end = chunk_of(chunk, chunks, rows)
    for position in range(begin, end):
        row = position // g["ow"]
        top, height, _ = rows_of(g, row % g["oh"])
        left, width, _ = columns_of(g, position % g["ow"])
        count = height * width
        of = ((row // g["oh"] * g["h"] + top) * w + left) * c
        divisor = divisor_of(g, row % g["oh"], position % g["ow"], count)
        _mean((y, position * c * wide), (x, of), (factor, 0), (bounds, 0),
              ((height, width), (g["dh"] * w * c, g["dw"] * c), c), (count * zeros[0], divisor, zeros[1]))


# --- windows, emitted -------------------------------------------------------------------------------------------------


def _window(b_, pointer, window, strides, step):
    """Emit step(pointer) for each position of a window."""
    with cgutils.for_range(b_, window[0]) as r:
        row = b_.gep(pointer, [b_.mul(r.index, strides[0])])
        with cgutils.for_range(b_, window[1]) as s:
            step(b_.gep(row, [b_.mul(s.index, strides[1])]))


@intrinsic
def _largest(typingctx, y, x, window, strides, channels):
    def emit(v, pointers, rest):
        (y, x), (window, strides, channels), b_ = pointers, rest, v.b
        kind = ir.VectorType(_I8, WIDTH)
        whole = b_.sdiv(channels, _I64(WIDTH))

        def of(kind, at):
            best = cgutils.alloca_once(b_, kind)
            b_.store(ir.Constant(kind, None), best)

            def step(pointer):
                other, known = b_.load(b_.bitcast(pointer, kind.as_pointer()), align=1), b_.load(best)
                b_.store(b_.select(b_.icmp_unsigned(">", other, known), other, known), best)

            _window(b_, b_.gep(x, [at]), window, strides, step)
            b_.store(b_.load(best), b_.bitcast(b_.gep(y, [at]), kind.as_pointer()), align=1)

        with cgutils.for_range(b_, whole) as block:
            of(kind, b_.mul(block.index, _I64(WIDTH)))
        first = b_.mul(whole, _I64(WIDTH))
        with cgutils.for_range(b_, b_.sub(channels, first)) as rest_:
            of(_I8, b_.add(first, rest_.index))

    return emitted(2, emit, y, x, window, strides, channels)


@intrinsic
def _mean(typingctx, y, x, factor, bounds, windows, told):
    def emit(v, pointers, rest):
        (y, x, factor, bounds), ((window, strides, channels), (taken, divisor, zero)), b_ = pointers, rest, v.b
        low, high = (v.broadcast(b_.load(b_.gep(bounds, [_I64(k)]))) for k in (0, 1))
        number = v.broadcast(b_.sitofp(divisor, v.element))
        scale = v.over(v.load_one(factor), number)
        taken, added = (v.broadcast(b_.trunc(one, _I32)) for one in (taken, zero))
        as_bytes = b_.icmp_signed(">=", zero, _I64(0))
        numbers = b_.bitcast(y, v.element.as_pointer())
        whole = b_.sdiv(channels, _I64(v.L))

        def of(at, mask):
            total = v.slots(1, v.no_sum)[0]
            _window(b_, b_.gep(x, [at]), window, strides, lambda pointer: b_.store(
                b_.add(b_.load(total), b_.zext(v.load(pointer, mask=mask), v.sums)), total))
            value = v.between(v.scaled_sum(b_.sub(b_.load(total), taken), scale), low, high)
            with b_.if_else(as_bytes) as (rounded, plain):
                with rounded:
                    v.store(v.rounded(value, added), b_.gep(y, [at]), mask=mask)
                with plain:
                    v.store(value, b_.gep(numbers, [at]), mask=mask)

        with cgutils.for_range(b_, whole) as block:
            of(b_.mul(block.index, _I64(v.L)), None)
        first = b_.mul(whole, _I64(v.L))
        with b_.if_then(b_.icmp_signed("<", first, channels)):
            of(first, v.mask(b_.sub(channels, first)))

    return emitted(4, emit, y, x, factor, bounds, windows, told)
