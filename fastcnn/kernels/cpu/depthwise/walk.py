"""The walk of depthwise convolution: a window over the rows and channels of one image.

Its tiles are most of the machine code, so it is compiled once for each type and kernels call it through a symbol
(`fastcnn.kernels.cpu.compile.shared`, which wants it in another file than the kernels).
"""

from typing import Any, NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.codes import LINEAR
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.depthwise.emitter import J
from fastcnn.kernels.cpu.depthwise.tile import EDGE, LONG, NARROW, WHOLE, fetch, window_tile
from fastcnn.kernels.cpu.simd.activations import activate_steps, function_behind
from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.width import lanes_of

LINES = 6  # of a column of the window, times the stride: so much a tile may read from L2, not from L1
ROWS = 8  # of outputs to which a function is applied at a time, while they are in L1
NEAR = 3072  # elements that a run of tiles sees of larger images: 12 KB of float32, a part of L1


class Window(NamedTuple):
    """A window's size, strides, dilation, and the zeros above and on the left of the image."""

    kh: Any
    kw: Any
    sh: Any
    sw: Any
    dh: Any
    dw: Any
    top: Any
    left: Any


class WindowRange(NamedTuple):
    """Rows first .. first + rows of an output of `columns`, channels begin .. end.

    `far` is 1 if the images are larger than the caches.
    """

    first: Any
    rows: Any
    columns: Any
    begin: Any
    end: Any
    far: Any


class WindowWalk(NamedTuple):
    """All numbers of a walk: where y, x, the filters and the bias lie, as of `windows`, the window and the part.

    `function` is the code of an activation of the results.
    """

    y: Any
    x: Any
    k: Any
    bias_at: Any
    window: Any
    part: Any
    function: Any


def _ints(count):
    return types.UniTuple(types.int64, count)


WINDOW = types.NamedUniTuple(types.int64, 8, Window)
_RANGE = types.NamedUniTuple(types.int64, 6, WindowRange)
_WALK = types.NamedTuple([_ints(3), _ints(4), _ints(3), types.int64, WINDOW, _RANGE, types.int64], WindowWalk)


@inlined(always=True)
def usual_number(window, before, beyond):
    """Return the number of a usual window, of whose columns some lie beside the image; or of no tile."""
    if window.dw != 1 or window.sw > 2 or before > 9 or beyond > 9:
        return -1
    return 1000 * window.kw + 100 * window.sw + 10 * before + beyond


@inlined(always=True)
def _fetch_ahead(x, behind, tile, tiles, walk):
    """Ask for a tile's share of the rows of x that lie behind those of a run of output rows, and are seen next.

    `tiles` of one output row come to them, one after the other.
    """
    _, _, width, c = walk.x
    one = lanes_of(x)
    share = (walk.window.sh * width * c + tiles * one - 1) // (tiles * one)
    for q in range(tile * share, (tile + 1) * share):
        fetch(x, behind + q * one)


@inlined(always=True)
def _columns(place, run, y, x, k, bias, bounds, walk):
    """J columns from j on of a run of output rows, of one vector of channels from `at` on: a tile a row.

    What the columns have in common is found before the rows begin: where an image has few pixels, a row is one tile
    of some dozen instructions.
    """
    (j, at), (first, last, tile, tiles) = place, run
    (y_at, y_row, y_col), (x_at, h, w, c), (k_at, k_row, k_col) = walk.y, walk.x, walk.k
    window, part, one = walk.window, walk.part, lanes_of(y)
    kh, kw, sh, sw, dh, dw, top, left = window
    many, tall = kh * kw > TERMS, max(1, TERMS // max(1, kw))  # rows of the window that are one short sum
    column = j * sw - left
    before, beyond = max(0, -column), max(0, column + (J - 1) * sw + (kw - 1) * dw + 1 - w)
    usual = -1 if many or c < one or part.columns < J else usual_number(window, before, beyond)
    other = NARROW if c < one else WHOLE if before + beyond == 0 and part.columns >= J else EDGE
    number, start = (usual, other + LONG if many else other), walk.bias_at + at if walk.bias_at >= 0 else -1
    behind = x_at + ((last - 1) * sh - top + (kh - 1) * dh + 1) * w * c
    for i in range(first, last):
        row = i * sh - top
        r0, r1 = max(0, -row), min(kh, h - row)  # the rows of the window that lie in the image
        if dh > 1:
            r0, r1 = (r0 + dh - 1) // dh, min(kh, (max(0, h - row) + dh - 1) // dh)
        rows = max(r0, r1) - r0
        to, of = y_at + i * y_row + j * y_col + at, x_at + ((row + r0 * dh) * w + column) * c + at
        if part.far:
            _fetch_ahead(x, behind, tile * (last - first) + i - first, tiles, walk)
        window_tile(number, (y, (to, y_col)), (x, (of, dh * w * c, c)), (k, (k_at + r0 * k_row + at, k_row, k_col)),
                    (bias, start, bounds), (rows, kw, sw, dw, tall, -(-rows // tall) if many else 1),
                    (column, w, part.columns - j, c))
        # Some rows at a time, so that the function's constants stay in registers.
        if walk.function != LINEAR and (i + 1 == last or (i + 1 - first) % ROWS == 0):
            for done in range(i - (i - first) % ROWS, i + 1):
                activate_steps(y, y_at + done * y_row + j * y_col + at, y_col, min(J, part.columns - j), min(c, one),
                               walk.function)


def _windows(y, x, k, bias, bounds, walk):
    """The walk on bare pointers.

    Of images in the caches a vector of channels goes through all rows, which it finds in L1. Larger ones are read as
    they lie, few rows at a time and pixel by pixel, if the rows that a window sees again come from L2 soon enough.
    """
    part, window, c, one = walk.part, walk.window, walk.x[3], lanes_of(y)
    blocks, vectors = (part.columns + J - 1) // J, (part.end - part.begin + one - 1) // one
    rows, end = part.rows, part.first + part.rows
    as_it_lies = part.far == 1 and window.kh * window.sw <= LINES
    if as_it_lies:
        seen = ((J - 1) * window.sw + window.kw) * vectors * one
        rows = max(1, (NEAR // seen - window.kh) // window.sh + 1)
    for first in range(part.first, end, max(1, rows)):
        block = vector = 0
        for tile in range(blocks * vectors):
            channel = part.begin + vector * one
            at = min(channel, c - one) if c >= one else channel
            j = min(block * J, max(0, part.columns - J))  # the last block overlaps the one before it
            _columns((j, at), (first, min(first + rows, end), tile, blocks * vectors), y, x, k, bias, bounds, walk)
            if as_it_lies:
                vector += 1
                if vector == vectors:
                    vector, block = 0, block + 1
            else:
                block += 1
                if block == blocks:
                    block, vector = 0, vector + 1


_shared = Shared(_windows, lambda dtype: (*[types.CPointer(dtype)] * 5, _WALK))


@intrinsic
def windows(typingctx, y, x, k, bias, bounds, window, part):
    """Slide the window over a part of one image.

    Parameters
    ----------
    y : (array, (offset of row 0, steps of a row and of a column))
    x : (array, (offset of the image, H, W, C))
    k : (array, (offset of the first tap, steps of a row and of a tap))
    bias : (array, int)
        Where the bias begins; negative if there is none.
    bounds : (2,) or (3,) array
        The lowest and the highest result, and the code of an activation of the results (`simd.activations`).
    window : Window
    part : WindowRange
    """
    _shared.publish(y.types[0].dtype)
    operands = [types.Tuple((of.types[0], _ints(count))) for of, count in ((y, 3), (x, 4), (k, 3))]
    signature = types.void(*operands, types.Tuple((bias.types[0], types.int64)), bounds, WINDOW, _RANGE)

    def codegen(context, builder, signature, args):
        data = lambda kind, value: context.make_array(kind)(context, builder, value).data
        given = [cgutils.unpack_tuple(builder, value) for value in args[:4]]
        pointers = [data(kind.types[0], array) for kind, (array, _) in zip(signature.args[:4], given, strict=True)]
        bounds = context.make_array(signature.args[4])(context, builder, args[4])
        record = context.make_tuple(builder, _WALK, [*(numbers for _, numbers in given), *args[5:],
                                                     function_behind(builder, bounds)])
        _shared.call(builder, signature.args[4].dtype, [*pointers, bounds.data, record])
        return context.get_dummy_value()

    return signature, codegen
