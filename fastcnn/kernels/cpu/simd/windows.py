"""Windows of images as vectors over channels: their maxima, their sums, and the gradients of both.

Numba cannot hold a SIMD vector in a variable, and LLVM cannot know that writing results leaves the pixels of a window
unchanged. So these walks are emitted as vector code by ``@intrinsic``, like the tile
(`fastcnn.kernels.cpu.gemm.tile`). Each makes a *run* of results whose windows differ only by their place::

      one result                 its window                       registers, 4 vectors of channels at a time
      c0 .... c3                 row 0:  x x x   <- pixels,       best   | 4 |   or the sum, or the gradient
      |  |  |  |  <-- reduce --  row 1:  x x x      C numbers     where  | 4 |   which position of the window it was
      y[C numbers]               row 2:  x x x      each          sum    | 4 |   NaN if a NaN was met

The window is read once, the results are written once; between neighbouring results its pixels lie in L1. Channels
that fill no vector are masked, so that 6 channels take one masked vector. All offsets and strides are in elements.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.operands import dtype_of, integers, unpacked
from fastcnn.kernels.cpu.simd.window_emitters import Blend, Gradient, Max, Scatter, Spread, Sum


class Windows(NamedTuple):
    """A run of windows that differ only by their place.

    Attributes
    ----------
    run : int
        How many.
    steps : (int, int)
        From one to the next in what has one place a window, and in what the windows lie on.
    window : (int, int)
        Rows and columns.
    strides : (int, int)
        From one row and column of a window to the next.
    channels : int
    """

    run: Any
    steps: Any
    window: Any
    strides: Any
    channels: Any


@intrinsic
def window_max(typingctx, y, where, x, windows, codes, least):
    """Write the largest elements of a run of windows, and the code of the position that each came from.

    NaN is larger than anything, and the last of several wins; else it is the first of several equal ones.

    Parameters
    ----------
    y, where : (array, offset), (integer array, offset)
        The results.
    x : (array, offset)
        Where the first window begins.
    windows : Windows
        Of one position at least.
    codes : (int, int, int)
        The code of the window's first position, and how it grows with rows and columns.
    least : int
        1 for the smallest elements.
    """
    return _walk(Max, [y, where, x], windows, codes, least)


@intrinsic
def window_gradient(typingctx, dx, dy, where, windows, codes):
    """Write sums of those elements of dy, over a run of windows of *outputs*, that came from this very position.

    Parameters
    ----------
    dx : (array, offset)
        The results.
    dy, where : (array, offset), (integer array, offset)
        Where the first window of outputs begins.
    windows : Windows
        They may be empty: then zeros are written.
    codes : (int, int, int)
        The position that counts in the first output of the window, and how it grows with rows and columns.
    """
    return _walk(Gradient, [dx, dy, where], windows, codes)


@intrinsic
def window_sum(typingctx, y, x, windows, scale, add):
    """Write `scale` times the sums of a run of windows, or add them if `add` is 1; the rest as `window_max`."""
    return _walk(Sum, [y, x], windows, dtype_of(y), add)


@intrinsic
def window_scatter(typingctx, dx, dy, where, windows, codes):
    """Write each element of dy, over a run of outputs, into the position of its window that won, zero into the others.

    Parameters
    ----------
    dx : (array, offset)
        Where the first window begins; windows do not overlap.
    dy, where : (array, offset), (integer array, offset)
        The outputs.
    windows, codes
        As `window_max`, with `dx` for its `x`.
    """
    return _walk(Scatter, [dx, dy, where], windows, codes)


@intrinsic
def window_spread(typingctx, dx, dy, windows, scale):
    """Write `scale` times each element of dy into all positions of its window; the rest as `window_scatter`."""
    return _walk(Spread, [dx, dy], windows, dtype_of(dx))


@intrinsic
def window_blend(typingctx, y, x, down, right, windows):
    """Write the sum of a window with weights: those of its rows times those of its columns; the rest as `window_max`.

    Parameters
    ----------
    y, x : (array, offset)
    down, right : (array, offset)
        The weights of the rows, and those of the columns.
    windows : Windows
        They may be empty: then zeros are written.
    """
    return _walk(Blend, [y, x, down, right], windows)


def _walk(emitter, operands, windows, *special):
    """Return what an intrinsic returns that calls a walk: `special` are the types of what it has beside the windows."""
    dtype = dtype_of(operands[0])

    def codegen(context, builder, signature, args):
        count = len(operands)
        pointers = [unpacked(context, builder, *pair)[0]
                    for pair in zip(signature.args[:count], args[:count], strict=True)]
        rest = [value if kind == dtype else integers(context, builder, kind, value)
                for kind, value in zip(signature.args[count:], args[count:], strict=True)]
        builder.call(_function(builder.module, emitter, dtype, pointers, rest), [*pointers, *_flat(rest)])
        return context.get_dummy_value()

    return types.void(*operands, windows, *special), codegen


def _flat(values):
    """Return the values of nested lists one after the other."""
    return list(itertools.chain(*(_flat(one) if isinstance(one, list) else [one] for one in values)))


def _like(values, flat):
    """Return values from an iterator, grouped as the nested lists of `values` are."""
    return [_like(one, flat) if isinstance(one, list) else next(flat) for one in values]


def _function(module, emitter, dtype, pointers, rest):
    """Return the function of a walk in a module, emitted when first asked for; `rest` says how its numbers group.

    It is a function of its own. Inlined, LLVM would hoist constants out of the loops around it until registers run out.
    """
    name = f"fastcnn_{emitter.__name__}_{dtype}"
    function = module.globals.get(name)
    if function is None:
        kinds = [value.type for value in [*pointers, *_flat(rest)]]
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inside = ir.IRBuilder(function.append_basic_block("entry"))
        windows, *special = _like(rest, iter(function.args[len(pointers):]))
        emitter(inside, dtype).run(list(function.args[:len(pointers)]), windows, special)
        inside.ret_void()
    return function


# --- without a compiler -----------------------------------------------------------------------------------------------


def _positions(windows):
    """Yield for each window its number and (row, column, offset) of its positions, for each channel apart."""
    (rows, columns), strides = windows.window, windows.strides
    places = [(r, s, r * strides[0] + s * strides[1]) for r in range(rows) for s in range(columns)]
    for o in range(windows.run):
        for k in range(windows.channels):
            to, of = (o * step + k for step in windows.steps)
            yield to, [(r, s, of + offset) for r, s, offset in places]


def _max_in_python(y, where, x, windows, codes, least):
    (y, at), (where, where_at), (x, x_at), sign = y, where, x, -1 if least else 1
    for to, places in _positions(windows):
        best, index = -np.inf, codes[0]
        for r, s, of in places:
            value = sign * x[x_at + of]
            if value > best or value != value:
                best, index = value, codes[0] + r * codes[1] + s * codes[2]
        y[at + to], where[where_at + to] = sign * best, index


def _gradient_in_python(dx, dy, where, windows, codes):
    (dx, dx_at), (dy, at), (where, where_at) = dx, dy, where
    for to, places in _positions(windows):
        dx[dx_at + to] = sum(dy[at + of] for r, s, of in places
                             if where[where_at + of] == codes[0] + r * codes[1] + s * codes[2])


def _sum_in_python(y, x, windows, scale, add):
    (y, at), (x, x_at) = y, x
    for to, places in _positions(windows):
        y[at + to] = (y[at + to] if add else 0) + scale * sum(x[x_at + of] for _, _, of in places)


def _blend_in_python(y, x, down, right, windows):
    (y, at), (x, x_at), (down, down_at), (right, right_at) = y, x, down, right
    for to, places in _positions(windows):
        y[at + to] = sum(down[down_at + r] * right[right_at + s] * x[x_at + of] for r, s, of in places)


def _scatter_in_python(dx, dy, where, windows, codes):
    (dx, dx_at), (dy, at), (where, where_at) = dx, dy, where
    for to, places in _positions(windows):
        for r, s, of in places:
            here = where[where_at + to] == codes[0] + r * codes[1] + s * codes[2]
            dx[dx_at + of] = dy[at + to] if here else 0


def _spread_in_python(dx, dy, windows, scale):
    (dx, dx_at), (dy, at) = dx, dy
    for to, places in _positions(windows):
        for _, _, of in places:
            dx[dx_at + of] = scale * dy[at + to]


if config.DISABLE_JIT:
    window_max, window_gradient, window_sum = _max_in_python, _gradient_in_python, _sum_in_python
    window_scatter, window_spread, window_blend = _scatter_in_python, _spread_in_python, _blend_in_python
