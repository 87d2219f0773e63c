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
def _fetch_ahead(y, y_at, x, x_at, walk):
    """Ask for what the next row will see, and where it will lie."""
    _, _, width, c = walk.x
    for r in range(walk.window.sh):
        for q in range(J * walk.window.sw):
            fetch(x, x_at + ((walk.window.dh + r) * width + q) * c)
    for q in range(J):
        fetch(y, y_at + walk.y[1] + q * walk.y[2])


@inlined(always=True)
def _columns(j, at, y, x, k, bias, bounds, walk):
    """J columns of outputs from j on, of one vector of channels from `at` on: a tile a row.

    What the columns have in common is found before the rows begin: where an image has few pixels, a row is one tile
    of some dozen instructions.
    """
    (y_at, y_row, y_col), (x_at, h, w, c), (k_at, k_row, k_col) = walk.y, walk.x, walk.k
    window, part, one = walk.window, walk.part, lanes_of(y)
    kh, kw, sh, sw, dh, dw, top, left = window
    many, tall = kh * kw > TERMS, max(1, TERMS // max(1, kw))  # rows of the window that are one short sum
    column = j * sw - left
    before, beyond = max(0, -column), max(0, column + (J - 1) * sw + (kw - 1) * dw + 1 - w)
    usual = -1 if many or c < one or part.columns < J else usual_number(window, before, beyond)
    other = NARROW if c < one else WHOLE if before + beyond == 0 and part.columns >= J else EDGE
    number, start = (usual, other + LONG if many else other), walk.bias_at + at if walk.bias_at >= 0 else -1
    for i in range(part.first, part.first + part.rows):
        row = i * sh - top
        r0, r1 = max(0, -row), min(kh, h - row)  # the rows of the window that lie in the image
        if dh > 1:
            r0, r1 = (r0 + dh - 1) // dh, min(kh, (max(0, h - row) + dh - 1) // dh)
        rows = max(r0, r1) - r0
        to, of = y_at + i * y_row + j * y_col + at, x_at + ((row + r0 * dh) * w + column) * c + at
        if part.far:
            _fetch_ahead(y, to, x, of + (rows - 1) * dh * w * c, walk)
        window_tile(number, (y, (to, y_col)), (x, (of, dh * w * c, c)), (k, (k_at + r0 * k_row + at, k_row, k_col)),
                    (bias, start, bounds), (rows, kw, sw, dw, tall, -(-rows // tall) if many else 1),
                    (column, w, part.columns - j, c))
        if walk.function != LINEAR:
            activate_steps(y, to, y_col, min(J, part.columns - j), min(c, one), walk.function)


def _windows(y, x, k, bias, bounds, walk):
    """The walk on bare pointers."""
    part, c, one = walk.part, walk.x[3], lanes_of(y)
    for channel in range(part.begin, part.end, one):
        at = min(channel, c - one) if c >= one else channel
        for block in range(0, part.columns, J):
            j = min(block, max(0, part.columns - J))  # the last block overlaps the one before it
            _columns(j, at, y, x, k, bias, bounds, walk)


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
