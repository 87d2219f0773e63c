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
from numba.extending import intrinsic

from fastcnn.kernels.cpu.depthwise.emitter import Emitter
from fastcnn.kernels.cpu.simd.vectors import Vectors, chosen
from fastcnn.kernels.cpu.simd.width import features

#: Windows that have tiles of their own, by (taps of a row, stride): how many columns of a tile may lie beside the
#: image, on its left and on its right.
BESIDE = {
    (1, 1): [(0, 0)],
    (2, 1): [(0, 0), (1, 0), (0, 1)],
    (3, 1): [(0, 0), (1, 0), (0, 1), (1, 1)],
    (3, 2): [(0, 0), (1, 0), (0, 1)],
    (5, 1): [(0, 0), (2, 0), (0, 2), (2, 2)],
    (5, 2): [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (2, 1), (1, 2)],
}

#: The shapes (taps, stride, left, right, edge) of these tiles, by their numbers: `walk.usual_number`.
USUAL = {1000 * taps + 100 * stride + 10 * left + right: (taps, stride, left, right, 0)
         for (taps, stride), sides in BESIDE.items() for left, right in sides}

#: Those for all other windows, by their numbers: whole, with missing columns, with missing lanes; those from LONG on
#: add sums of at most TERMS taps in float64.
WHOLE, EDGE, NARROW, LONG = 0, 1, 2, 3
_OTHER = {long + edge: (taps, 0, 0, 0, edge) for long, taps in ((0, 0), (LONG, -1)) for edge in range(3)}

#: Rows of a 5x5 window whose sums are made together, first and then: 16 registers hold the sums of one row alone.
UPPER, LOWER = (3, 2) if features()[2] == 32 else (1, 1)

#: The gradients' shapes (rows, whether dy is summed up too, shape of a row) of usual windows, by their numbers; of the
#: rows of a 5x5 window after the first UPPER; and those of one tap under any stride and of dy itself, in blocks of
#: columns and in single ones, of few lanes maybe.
_FIRST = {number: (3 if shape[0] == 3 else UPPER, 1, shape) for number, shape in USUAL.items() if shape[0] in (3, 5)}
_LATER = {number: (LOWER, 0, shape) for number, shape in USUAL.items() if shape[0] == 5}
TAP, TOTAL = 1, 0
_BLOCKS, _COLUMNS = ({taps: (taps, 1 - taps, (taps, 0, 0, 0, edge)) for taps in (TAP, TOTAL)} for edge in (0, 2))

#: Numbers of usual windows whose gradients have tiles of their own.
USUAL_GRADIENTS = tuple(_FIRST)


@intrinsic
def window_tile(typingctx, number, y, x, w, ends, loops, borders):
    """Compute J neighbouring pixels of one vector of channels.

    Parameters
    ----------
    number : (int, int)
        Of a tile in USUAL; or else of one for any window.
    y : (pointer, (offset, step of a column))
    x : (pointer, (offset, steps of a row of the window and of a column))
        Where the first tap of the first output lies; its column may lie beside the image.
    w : (pointer, (offset, steps of a row and of a tap))
    ends : (pointer, offset, pointer)
        Where the sums start (the bias), or at zero if the offset is negative; the lowest and the highest result.
    loops : (rows of the window, taps, stride, dilation, rows of a short sum, how many of those)
        Taps, stride and dilation are read for any window, and all for those that are summed in parts.
    borders : (first column, columns of the image, outputs, lanes)
        Read where columns or lanes are missing: outputs from `outputs` on, and lanes from `lanes` on, do not exist.
    """
    dtype, operand = y.types[0].dtype, lambda of, count: types.Tuple((of.types[0], _ints(count)))
    signature = types.void(_ints(2), operand(y, 2), operand(x, 3), operand(w, 3), ends, _ints(6), _ints(4))

    def codegen(context, builder, signature, args):
        def emit(shape):  # pointers too: LLVM keeps what all shapes share in registers, which the loops then lack
            *operands, ends, loops, borders = (cgutils.unpack_tuple(builder, value) for value in args[1:])
            y, x, w = (_placed(builder, operand) for operand in operands)
            Emitter(builder, dtype, shape).window(y, x, w, ends, loops, borders)

        usual, number = cgutils.unpack_tuple(builder, args[0])
        for shape in chosen(builder, usual, USUAL, _OTHER):
            if shape is not _OTHER:
                emit(shape)
                continue
            for other in chosen(builder, number, _OTHER):
                emit(other)
        return context.get_dummy_value()

    return signature, codegen


def _gradient_tile(table):
    """Make the intrinsic of some gradients: a table of its own for each place, since each place has all its code."""
    @intrinsic
    def gradient_tile(typingctx, number, sums, x, dy, loops, borders):
        """Add what `blocks` times J columns of some output rows give to the sums.

        Parameters
        ----------
        number : int
            Of a shape in the table.
        sums : (pointer, (offset, offset of the sum of dy))
            The sums of the taps, one vector after the other.
        x : (pointer, (offset, steps of an output row, of a row of the window and of a column))
            Where the first tap of the first output lies, whether that is in the image or not.
        dy : (pointer, (offset, steps of a row and of a column))
        loops : (output rows, blocks in a row, stride)
        borders : (first row, step of an output row, step of a row of the window, rows of the image, lanes)
            Rows of the window outside the image are left out.
        """
        dtype, operand = x.types[0].dtype, lambda of, count: types.Tuple((of.types[0], _ints(count)))
        signature = types.void(types.int64, operand(sums, 2), operand(x, 4), operand(dy, 3), _ints(3), _ints(5))

        def codegen(context, builder, signature, args):
            for rows, plain, shape in chosen(builder, args[0], table):
                (pointer, places), *operands, loops, borders = (cgutils.unpack_tuple(builder, v) for v in args[1:])
                taps, total = (builder.gep(pointer, [place]) for place in cgutils.unpack_tuple(builder, places))
                given = *(_placed(builder, operand) for operand in operands), loops, borders
                Emitter(builder, dtype, shape, rows).gradient(taps, total if plain else None, *given)
            return context.get_dummy_value()

        return signature, codegen

    return gradient_tile


first_gradient, later_gradient = _gradient_tile(_FIRST), _gradient_tile(_LATER)
blocks_gradient, columns_gradient = _gradient_tile(_BLOCKS), _gradient_tile(_COLUMNS)


@intrinsic
def fetch(typingctx, pointer, at):
    """Bring the cache line of an element towards L1, ahead of its use; it may be any place."""
    def codegen(context, builder, signature, args):
        Vectors(builder, pointer.dtype).prefetch(builder.gep(args[0], args[1:]))
        return context.get_dummy_value()

    return types.void(pointer, types.int64), codegen


def _ints(count):
    return types.UniTuple(types.int64, count)


def _placed(builder, operand):
    """Return an operand's pointer, moved to its offset, and its steps."""
    pointer, numbers = operand
    offset, *steps = cgutils.unpack_tuple(builder, numbers)
    return builder.gep(pointer, [offset]), steps
