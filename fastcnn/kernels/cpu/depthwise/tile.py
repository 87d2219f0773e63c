"""The register tiles of depthwise convolution: vectors across channels, J neighbouring output columns at once.

A depthwise convolution has no sum over channels, so the product's tile (`tile.py`) has nothing to broadcast. Here an
image's vector, the channels of one pixel, meets the vector of the same channels of one weight::

    one row r of the window, 3 taps, stride 1, J = 7                 registers
                  x   | q0 | q1 | q2 | q3 | .. | q8 |  from L1       w0 w1 w2    the row's weights
      y j=0  acc0 +=   w0*q0 w1*q1 w2*q2                             acc0..acc6  output columns (forward),
      y j=1  acc1 +=        w0*q1 w1*q2 w2*q3                                    or sums of the taps (gradient)
      ...                                                            one pixel on its way

Each pixel that is loaded serves every output column that sees it: 9 + 3 loads for 21 multiply-adds, so these are the
floor. Seven columns because images are 7, 14, 28, 56 and 112 wide; their accumulators hide the latency of a
multiply-add and leave room for five weights in 16 registers.

Beside a border of the image there are tiles of their own that leave out one or two columns, for the usual windows; any
other window takes a tile that reads what lies beside the image from a vector of zeros. Lanes are masked only where an
image has fewer channels than a vector has lanes. `emitter.py` writes the code.
"""

from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

from fastcnn.kernels.cpu.depthwise.emitter import Emitter
from fastcnn.kernels.cpu.gemm.tile import prefetch


@intrinsic(prefer_literal=True)
def window_tile(typingctx, taps, stride, left, right, edge, y, y_at, x, x_at, w, w_at, start, start_at, bounds, loops,
                borders):
    """Compute J neighbouring pixels of one vector of channels; the first five arguments are literals.

    Parameters
    ----------
    taps, stride : literal int
        Taps of a row of the window and their stride, with dilation 1, or both 0 for any. With -1 taps, for any as
        well, sums of at most TERMS taps are added in float64.
    left, right : literal int
        How many of the columns that the tile sees lie beside the image: they are left out.
    edge : literal int
        1 for a tile any of whose columns may not exist, 2 for one with missing lanes as well, else 0.
    y, y_at : pointer, (offset, step of a column)
    x, x_at : pointer, (offset, steps of a row of the window and of a column)
        Where the first tap of the first output lies; its column may lie beside the image.
    w, w_at : pointer, (offset, steps of a row and of a tap)
    start, start_at : pointer, int
        Where the sums start (the bias), or at zero if negative.
    bounds : pointer
        The lowest and the highest result.
    loops : (rows of the window, taps, stride, dilation, rows of a short sum, how many of those)
        Taps, stride and dilation are read if `taps` is 0, and all if it is -1.
    borders : (first column, columns of the image, outputs, lanes)
        Read if `edge`: outputs from `outputs` on, and lanes from `lanes` on, do not exist.
    """
    shape = _literals("window_tile", taps, stride, left, right, edge)
    emit = Emitter(shape[0], shape[1], shape[2:4], shape[4], y.dtype)
    signature = types.void(taps, stride, left, right, edge, y, _ints(2), x, _ints(3), w, _ints(3), start, types.int64,
                           bounds, _ints(6), _ints(4))

    def codegen(context, builder, signature, args):
        at = [cgutils.unpack_tuple(builder, args[k]) for k in (6, 8, 10, 14, 15)]
        y, x, w = (builder.gep(args[k], at[n][:1]) for k, n in ((5, 0), (7, 1), (9, 2)))
        emit.window(builder, y, at[0][1], x, at[1][1:], w, at[2][1:], args[11], args[12], args[13], at[3], at[4])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic(prefer_literal=True)
def gradient_tile(typingctx, rows, taps, stride, left, right, edge, plain, sums, sums_at, x, x_at, dy, dy_at, loops,
                  borders):
    """Add what `blocks` times J columns of some output rows give to the sums; the first seven arguments are literals.

    Parameters
    ----------
    rows, taps, stride : literal int
        Rows and taps of the window, and its stride, with dilation 1. One row of one tap takes any stride, 0.
    left, right : literal int
        How many of the columns that a block sees lie beside the image: they are left out.
    edge : literal int
        2 for a block of one column, from which lanes may be missing; else 0.
    plain : literal int
        1 to add up dy itself as well.
    sums, sums_at : pointer, (offset, offset of the sum of dy)
        The sums of the taps, one vector after the other.
    x, x_at : pointer, (offset, steps of an output row, of a row of the window and of a column)
        Where the first tap of the first output lies, whether that is in the image or not.
    dy, dy_at : pointer, (offset, steps of a row and of a column)
    loops : (output rows, blocks in a row, stride)
    borders : (first row, step of an output row, step of a row of the window, rows of the image, lanes)
        Rows of the window outside the image are left out.
    """
    shape = _literals("gradient_tile", rows, taps, stride, left, right, edge, plain)
    emit = Emitter(shape[1], shape[2], shape[3:5], shape[5], sums.dtype)
    signature = types.void(rows, taps, stride, left, right, edge, plain, sums, _ints(2), x, _ints(4), dy, _ints(3),
                           _ints(3), _ints(5))

    def codegen(context, builder, signature, args):
        places, *at = [cgutils.unpack_tuple(builder, args[k]) for k in (8, 10, 12, 13, 14)]
        total = builder.gep(args[7], places[1:]) if shape[6] else None
        emit.gradient(builder, shape[0], builder.gep(args[7], places[:1]), total, builder.gep(args[9], at[0][:1]),
                      at[0][1:], builder.gep(args[11], at[1][:1]), at[1][1:], at[2], at[3])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def fetch(typingctx, pointer, at):
    """Bring the cache line of an element towards L1, ahead of its use; it may be any place."""
    def codegen(context, builder, signature, args):
        prefetch(builder, builder.gep(args[0], args[1:]))
        return context.get_dummy_value()

    return types.void(pointer, types.int64), codegen


def _ints(count):
    return types.UniTuple(types.int64, count)


def _literals(who, *values):
    if not all(isinstance(value, types.IntegerLiteral) for value in values):
        raise RequireLiteralValue(f"{who}: columns, taps, stride and edge must be literal integers")
    return [value.literal_value for value in values]
