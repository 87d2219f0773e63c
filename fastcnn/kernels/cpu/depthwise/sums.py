"""The walk of the gradients of a depthwise convolution's weights: as `walk.py`, over a part of one image."""

from typing import Any, NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.depthwise.emitter import J
from fastcnn.kernels.cpu.depthwise.tile import (
    LOWER,
    TAP,
    TOTAL,
    UPPER,
    USUAL_GRADIENTS,
    blocks_gradient,
    columns_gradient,
    fetch,
    first_gradient,
    later_gradient,
)
from fastcnn.kernels.cpu.depthwise.walk import WINDOW, usual_number
from fastcnn.kernels.cpu.simd.width import lanes_of

POSITIONS = 32  # outputs, about, whose share is a short sum (`fastcnn.kernels.cpu.simd.sums`)


class GradientRange(NamedTuple):
    """Output rows first .. first + rows, columns low .. high, channels begin .. end.

    `far` is 1 if the images are larger than the caches.
    """

    first: Any
    rows: Any
    low: Any
    high: Any
    begin: Any
    end: Any
    far: Any


class GradientWalk(NamedTuple):
    """All numbers of a walk: where the sums, x and dy lie, as of `gradients`, the window and the part."""

    sums_at: Any
    x: Any
    dy: Any
    window: Any
    part: Any


def _ints(count):
    return types.UniTuple(types.int64, count)


_RANGE = types.NamedUniTuple(types.int64, 7, GradientRange)
_WALK = types.NamedTuple([types.int64, _ints(4), _ints(2), WINDOW, _RANGE], GradientWalk)


@inlined
def _usual(number, run, place, sums, x, dy, walk):
    """What some blocks of a row give to all taps of a usual window, and to the sum of dy."""
    (x_at, h, w, c), (dy_at, ow), window, part = walk.x, walk.dy, walk.window, walk.part
    (kh, kw, sh, sw, dh, _, top, left), (j, blocks), (tap, at) = window, run, place
    one, row = lanes_of(x), part.first * sh - top
    of = x_at + (row * w + j * sw - left) * c + at
    gradients, loops = (dy, (dy_at + (part.first * ow + j) * c + at, ow * c, c)), (part.rows, blocks, sw)
    first_gradient(number, (sums, (tap, tap + kh * kw * one)), (x, (of, sh * w * c, dh * w * c, c)), gradients, loops,
                   (row, sh, dh, h, c))
    if kh == 5:
        for r in range(UPPER, 5, LOWER):
            later_gradient(number, (sums, (tap + 5 * r * one, 0)),
                           (x, (of + r * dh * w * c, sh * w * c, dh * w * c, c)), gradients, loops,
                           (row + r * dh, sh, dh, h, c))


@inlined
def _any(j, stop, tap, at, sums, x, dy, walk):
    """What columns j .. stop give to each tap, whose outputs are those that see the image; at last to all of dy."""
    (x_at, h, w, c), (dy_at, ow), window, part = walk.x, walk.dy, walk.window, walk.part
    kh, kw, sh, sw, dh, dw, top, left = window
    one = lanes_of(x)
    for t in range(kh * kw + 1):
        up, shift = part.first * sh - top + t // kw * dh, t % kw * dw - left
        j0 = max(j, (sw - 1 - shift) // sw if shift < 0 else 0)
        j1 = min(stop, (w - shift + sw - 1) // sw if shift < w else 0)
        if t == kh * kw:
            j0, j1 = j, stop
        some = max(0, j1 - j0) // J if c >= one else 0
        rest = max(0, j1 - j0) - some * J
        place, number = (tap + t * one, tap + t * one), TAP if t < kh * kw else TOTAL
        of, gradient = x_at + (up * w + j0 * sw + shift) * c + at, dy_at + (part.first * ow + j0) * c + at
        blocks_gradient(number, (sums, place), (x, (of, sh * w * c, 0, c)), (dy, (gradient, ow * c, c)),
                        (part.rows, some, sw), (up, sh, 0, h, c))
        columns_gradient(number, (sums, place), (x, (of + some * J * sw * c, sh * w * c, 0, c)),
                         (dy, (gradient + some * J * c, ow * c, c)), (part.rows, rest, sw), (up, sh, 0, h, c))


@inlined(always=True)
def _fetch_ahead(stop, at, x, dy, walk):
    """Ask for what the block of outputs from `stop` on will see of one vector of channels."""
    (x_at, _, w, c), (dy_at, ow), window, part = walk.x, walk.dy, walk.window, walk.part
    kh, kw, sh, sw, dh, dw, top, left = window
    row, new = part.first * sh - top, stop * sw - left + max(0, (kw - 1) * dw + 1 - sw)
    for r in range(row, row + (part.rows - 1) * sh + (kh - 1) * dh + 1):
        for q in range(new, new + J * sw):
            fetch(x, x_at + (r * w + q) * c + at)
    for i in range(part.first, part.first + part.rows):
        for q in range(stop, stop + J):
            fetch(dy, dy_at + (i * ow + q) * c + at)


def _gradients(sums, x, dy, walk):
    """The walk on bare pointers: what a part of the outputs of one image gives to some channels."""
    (_, _, w, c), window, part, one = walk.x, walk.window, walk.part, lanes_of(x)
    kh, kw, _, sw, _, dw, _, left = window
    is_square, reach, share = kh == kw and dw == 1 and c >= one, (J - 1) * sw + (kw - 1) * dw, (kh * kw + 1) * one
    j, most = part.low, max(1, POSITIONS // (J * max(1, part.rows)))  # blocks that a sum takes in at once
    while j < part.high:
        column, stop, number, blocks = j * sw - left, min(part.high, j + most * J), -1, 1
        if is_square and j + J <= part.high:
            before, beyond = max(0, -column), max(0, column + reach + 1 - w)
            number = usual_number(window, before, beyond)
            if before + beyond == 0:  # all blocks that lie inside the image
                blocks = min(most, min((part.high - j) // J, (w - 1 - reach - column) // (J * sw) + 1))
            stop = j + J * blocks
        is_usual = number in USUAL_GRADIENTS
        for channel in range(part.begin, part.end, one):
            at = min(channel, c - one) if c >= one else channel
            tap = walk.sums_at + channel // one * share
            if part.far:
                _fetch_ahead(stop, at, x, dy, walk)
            if is_usual:
                _usual(number, (j, blocks), (tap, at), sums, x, dy, walk)
            else:
                _any(j, stop, tap, at, sums, x, dy, walk)
        j = stop


_shared = Shared(_gradients, lambda dtype: (*[types.CPointer(dtype)] * 3, _WALK))


@intrinsic
def gradients(typingctx, sums, x, dy, window, part):
    """Add what a part of one image gives to the sums of the taps and of dy.

    Parameters
    ----------
    sums : (array, int)
        (vectors of channels, KH * KW + 1, LANES); the last of each is the sum of dy.
    x : (array, (offset of the image, H, W, C))
    dy : (array, (offset of the image, OW))
    window : Window
    part : GradientRange
    """
    _shared.publish(x.types[0].dtype)
    operands = [types.Tuple((of.types[0], kind)) for of, kind in ((sums, types.int64), (x, _ints(4)), (dy, _ints(2)))]
    signature = types.void(*operands, WINDOW, _RANGE)

    def codegen(context, builder, signature, args):
        given = [cgutils.unpack_tuple(builder, value) for value in args[:3]]
        pointers = [context.make_array(kind.types[0])(context, builder, array).data
                    for kind, (array, _) in zip(signature.args[:3], given, strict=True)]
        record = context.make_tuple(builder, _WALK, [*(numbers for _, numbers in given), *args[3:]])
        _shared.call(builder, signature.args[0].types[0].dtype, [*pointers, record])
        return context.get_dummy_value()

    return signature, codegen
