"""Windows of images as vectors over channels: their maxima, their sums, and the gradients of both.

Numba cannot hold a SIMD vector in a variable, and LLVM does not see that the pixels of a window are the same memory
whatever it writes; so these walks are emitted as vector code by ``@intrinsic``, like the tile
(`fastcnn.kernels.cpu.gemm.tile`). Each makes a *run* of results whose windows differ only by their place::

      one result                 its window                       registers, 4 vectors of channels at a time
      c0 .... c3                 row 0:  x x x   <- pixels,       best   | 4 |   or the sum, or the gradient
      |  |  |  |  <-- reduce --  row 1:  x x x      C numbers     where  | 4 |   which position of the window it was
      y[C numbers]               row 2:  x x x      each          sum    | 4 |   NaN if a NaN was met

The window is read once, the results are written once; between neighbouring results its pixels lie in L1. Channels
that fill no vector are masked, so that 6 channels take one masked vector. All offsets and strides are in elements.
"""

import itertools

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.window_emitters import Blend, Gradient, Max, Scatter, Spread, Sum

_TWO, _THREE = types.UniTuple(types.int64, 2), types.UniTuple(types.int64, 3)


@inlined
def at2(a, b):
    """Return two numbers as one tuple of plain integers, as `memory.at3` does three."""
    return np.int64(a), np.int64(b)


@intrinsic
def window_max(typingctx, y, where, at, x, x_at, run, steps, window, strides, codes, least, channels):
    """Write the largest elements of a run of windows, and the code of the position that each came from.

    NaN is larger than anything, and the last of several wins; else it is the first of several equal ones.

    Parameters
    ----------
    y, where, at : array, integer array, int
        The results, from element `at` on.
    x, x_at : array, int
        Where the first window begins.
    run, steps : int, (int, int)
        How many windows, and how far from one to the next in `y` and in `x`.
    window : (int, int)
        Rows and columns, at least 1.
    strides : (int, int)
        From one row and column of the window to the next in `x`.
    codes : (int, int, int)
        The code of the window's first position, and how it grows with rows and columns.
    least : int
        1 for the smallest elements.
    channels : int
    """
    i = types.int64
    return (types.void(y, where, i, x, i, i, _TWO, _TWO, _TWO, _THREE, i, i),
            _codegen(Max, y.dtype, (0, 1, 3), 5, lambda a: [(a[0], a[2]), (a[1], a[2]), (a[3], a[4])]))


@intrinsic
def window_gradient(typingctx, dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    """Write sums of those elements of dy, over a run of windows of *outputs*, that came from this very position.

    Parameters
    ----------
    dx, dx_at : array, int
        The results.
    dy, where, at : array, integer array, int
        Where the first window of outputs begins.
    run, steps, window, strides : as `window_max`
        A window may be empty: then zeros are written.
    codes : (int, int, int)
        The position that counts in the first output of the window, and how it grows with rows and columns.
    channels : int
    """
    i = types.int64
    return (types.void(dx, i, dy, where, i, i, _TWO, _TWO, _TWO, _THREE, i),
            _codegen(Gradient, dx.dtype, (0, 2, 3), 5, lambda a: [(a[0], a[1]), (a[2], a[4]), (a[3], a[4])]))


@intrinsic
def window_sum(typingctx, y, at, x, x_at, run, steps, window, strides, scale, add, channels):
    """Write `scale` times the sums of a run of windows, or add them if `add` is 1; the rest as `window_max`."""
    i = types.int64
    return (types.void(y, i, x, i, i, _TWO, _TWO, _TWO, y.dtype, i, i),
            _codegen(Sum, y.dtype, (0, 2), 4, lambda a: [(a[0], a[1]), (a[2], a[3])]))


@intrinsic
def window_scatter(typingctx, dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    """Write each element of dy, over a run of outputs, into the position of its window that won, zero into the others.

    Parameters
    ----------
    dx, dx_at : array, int
        Where the first window begins; windows do not overlap.
    dy, where, at : array, integer array, int
        The outputs, from element `at` on.
    run, steps, window, strides, codes, channels
        As `window_max`, with `dx` for its `x`.
    """
    i = types.int64
    return (types.void(dx, i, dy, where, i, i, _TWO, _TWO, _TWO, _THREE, i),
            _codegen(Scatter, dx.dtype, (0, 2, 3), 5, lambda a: [(a[2], a[4]), (a[3], a[4]), (a[0], a[1])]))


@intrinsic
def window_spread(typingctx, dx, dx_at, dy, at, run, steps, window, strides, scale, channels):
    """Write `scale` times each element of dy into all positions of its window; the rest as `window_scatter`."""
    i = types.int64
    return (types.void(dx, i, dy, i, i, _TWO, _TWO, _TWO, dx.dtype, i),
            _codegen(Spread, dx.dtype, (0, 2), 4, lambda a: [(a[2], a[3]), (a[0], a[1])]))


@intrinsic
def window_blend(typingctx, y, at, x, x_at, down, down_at, right, right_at, run, steps, window, strides, channels):
    """Write the sum of a window with weights: those of its rows times those of its columns; the rest as `window_max`.

    Parameters
    ----------
    y, at, x, x_at, run, steps, window, strides, channels : as `window_max`
        A window may be empty: then zeros are written.
    down, down_at : array, int
        The weights of the rows, from element `down_at` on.
    right, right_at : array, int
        The weights of the columns.
    """
    i = types.int64
    return (types.void(y, i, x, i, down, i, right, i, i, _TWO, _TWO, _TWO, i),
            _codegen(Blend, y.dtype, (0, 2, 4, 6), 8,
                     lambda a: [(a[0], a[1]), (a[2], a[3]), (a[4], a[5]), (a[6], a[7])]))


def _codegen(emitter, dtype, arrays, run, places):
    """Return the code of an intrinsic: which arguments are arrays, which is `run`, where the walk begins in each."""
    def codegen(context, builder, signature, args):
        bare = list(args)
        for k in arrays:
            bare[k] = context.make_array(signature.args[k])(context, builder, args[k]).data
        pointers = [builder.gep(array, [at]) for array, at in places(bare)]
        rest = [cgutils.unpack_tuple(builder, value) if isinstance(kind, types.UniTuple) else [value]
                for kind, value in zip(signature.args[run:], args[run:], strict=True)]
        values = [*pointers, *itertools.chain(*rest)]
        builder.call(_function(builder.module, emitter, dtype, len(pointers), rest, values), values)
        return context.get_dummy_value()

    return codegen


def _function(module, emitter, dtype, pointers, rest, values):
    """Return the function of a walk in a module, emitted when first asked for; `rest` says how its numbers group.

    A function of its own, since LLVM would move what does not change out of the loops around a walk, until its
    registers no longer suffice.
    """
    name = f"fastcnn_{emitter.__name__}_{dtype}"
    function = module.globals.get(name)
    if function is None:
        kinds = [value.type for value in values]
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inside = ir.IRBuilder(function.append_basic_block("entry"))
        numbers = iter(function.args[pointers:])
        grouped = [[next(numbers) for _ in group] for group in rest]
        emitter(inside, dtype).run(list(function.args[:pointers]), *(g if len(g) > 1 else g[0] for g in grouped))
        inside.ret_void()
    return function


# --- without a compiler -----------------------------------------------------------------------------------------------


def _places(window, strides):
    return [(r, s, r * strides[0] + s * strides[1]) for r in range(window[0]) for s in range(window[1])]


def _max_in_python(y, where, at, x, x_at, run, steps, window, strides, codes, least, channels):
    sign = -1 if least else 1
    for o in range(run):
        for k in range(channels):
            best, index = -np.inf, codes[0]
            for r, s, offset in _places(window, strides):
                value = sign * x[x_at + o * steps[1] + offset + k]
                if value > best or value != value:
                    best, index = value, codes[0] + r * codes[1] + s * codes[2]
            y[at + o * steps[0] + k], where[at + o * steps[0] + k] = sign * best, index


def _gradient_in_python(dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    for o in range(run):
        for k in range(channels):
            total = 0.0
            for r, s, offset in _places(window, strides):
                place = at + o * steps[1] + offset + k
                if where[place] == codes[0] + r * codes[1] + s * codes[2]:
                    total += dy[place]
            dx[dx_at + o * steps[0] + k] = total


def _sum_in_python(y, at, x, x_at, run, steps, window, strides, scale, add, channels):
    for o in range(run):
        for k in range(channels):
            total = sum(x[x_at + o * steps[1] + offset + k] for _, _, offset in _places(window, strides))
            before = y[at + o * steps[0] + k] if add else 0
            y[at + o * steps[0] + k] = before + scale * total


def _blend_in_python(y, at, x, x_at, down, down_at, right, right_at, run, steps, window, strides, channels):
    for o in range(run):
        for k in range(channels):
            y[at + o * steps[0] + k] = sum(
                down[down_at + r] * right[right_at + s] * x[x_at + o * steps[1] + offset + k]
                for r, s, offset in _places(window, strides))


def _scatter_in_python(dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    for o in range(run):
        for k in range(channels):
            place = at + o * steps[0] + k
            for r, s, offset in _places(window, strides):
                here = where[place] == codes[0] + r * codes[1] + s * codes[2]
                dx[dx_at + o * steps[1] + offset + k] = dy[place] if here else 0


def _spread_in_python(dx, dx_at, dy, at, run, steps, window, strides, scale, channels):
    for o in range(run):
        for k in range(channels):
            for _, _, offset in _places(window, strides):
                dx[dx_at + o * steps[1] + offset + k] = scale * dy[at + o * steps[0] + k]


if config.DISABLE_JIT:
    window_max, window_gradient, window_sum = _max_in_python, _gradient_in_python, _sum_in_python
    window_scatter, window_spread, window_blend = _scatter_in_python, _spread_in_python, _blend_in_python
