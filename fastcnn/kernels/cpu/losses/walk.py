"""The walk of the kernels whose losses are sums over elements, L = share sum_k f(x_k, t_k), and their gradients.

All elements of as many rows as L1 holds go through f as one run of vectors, however short the rows are::

    x, t   | rows 0 .. r, 16 KB |         f, one vector at a time            f', the same once more
    dx     | f(x, t)            |  ---> losses: sums of rows   ---> dx: scale share f'(x, t), over what lay there

What f and f' are is a file's own; `element_walk` makes both into one function for all who call it, behind symbols
(`compile.shared`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import carray, config, types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, parallel
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.simd.sums import row_sum

_BLOCK = 4096  # elements that stay in L1 between the passes over them


class Formula(NamedTuple):
    """Which f, its numbers, and what it or f' is multiplied with."""

    code: Any
    a: Any
    b: Any
    c: Any
    factor: Any


_FORMULA = types.NamedTuple([types.int64, *[types.float64] * 4], Formula)


def element_arguments(dtype: Any) -> tuple[Any, ...]:
    """Return the types of what f and f' take behind their symbols: out, x, t, count, formula."""
    return (*[types.CPointer(dtype)] * 3, types.int64, _FORMULA)


def _itself(array, shape):
    return array


#: The array at a pointer; where nothing is compiled, arrays come as they are.
array_at = _itself if config.DISABLE_JIT else carray


def element_walk(values: Callable, slopes: Callable) -> Any:
    """Return apply(out, x, t, at, count, wants_slopes, formula): out[at:at + count] = f or f' of flat arrays."""
    of_values, of_slopes = Shared(values, element_arguments), Shared(slopes, element_arguments)

    @intrinsic
    def values_into(typingctx, out, x, t, count, formula):
        return of_values.intrinsic(out, x, t, count, formula)

    @intrinsic
    def slopes_into(typingctx, out, x, t, count, formula):
        return of_slopes.intrinsic(out, x, t, count, formula)

    def apply_compiled(out, x, t, at, count, wants_slopes, formula):
        if wants_slopes:
            slopes_into((out, at), (x, at), (t, at), count, formula)
        else:
            values_into((out, at), (x, at), (t, at), count, formula)

    def apply_in_python(out, x, t, at, count, wants_slopes, formula):
        part, function = slice(at, at + count), slopes if wants_slopes else values
        function(out[part], x[part], t[part], count, formula)

    return apply_in_python if config.DISABLE_JIT else inlined(apply_compiled)


@inlined
def launch(apply, outputs, inputs, formula, shares):
    """Compute losses and gradients over the threads.

    `outputs` are losses and dx; `inputs` x, targets and weights; `formula` the code and a, b, c; `shares` share, scale
    and whether the gradient is wanted: all as of `elementwise_loss`.
    """
    x, (code, a, b, c), (share, scale, wants_gradient) = inputs[0], formula, shares
    whole = Formula(code, np.float64(a), np.float64(b), np.float64(c), 1.0)
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    numbers = np.float64(share), np.float64(scale), wants_gradient
    parallel(_element_rows, chunks, (chunks, apply, outputs, inputs, whole, numbers))


@inlined
def _element_rows(chunk, chunks, apply, outputs, inputs, formula, shares):
    """Do one of `chunks` parts of the rows."""
    (losses, dx), (x, targets, weights), (share, scale, wants_gradient) = outputs, inputs, shares
    first, last = chunk_of(chunk, chunks, x.shape[0])
    real, columns, whole = x.dtype.type, x.shape[1], dx.reshape(-1)
    slopes = Formula(formula.code, formula.a, formula.b, formula.c, scale * share)
    rows = max(1, _BLOCK // max(1, columns))
    each_element = weights.size > 0 and weights.size == x.size
    each_row = weights.size > 0 and not each_element
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        at, count, out = begin * columns, (end - begin) * columns, dx[begin:end].reshape(-1)
        apply(whole, x.reshape(-1), targets.reshape(-1), at, count, False, formula)
        if each_element:
            _multiply(out, weights[begin * columns:end * columns])
        _row_sums(losses[begin:end], out, columns, real(share))
        if each_row:
            _multiply(losses[begin:end], weights[begin:end])
        if wants_gradient:
            apply(whole, x.reshape(-1), targets.reshape(-1), at, count, True, slopes)
            if each_element:
                _multiply(out, weights[begin * columns:end * columns])
            elif each_row:
                for i in range(begin, end):
                    row, factor = dx[i], weights[i]
                    for k in range(row.size):
                        row[k] *= factor


@inlined
def _multiply(out, factors):
    for k in range(out.size):
        out[k] *= factors[k]


@inlined
def _row_sums(losses, values, columns, share):
    if columns == 1:  # a loop over rows of one element would not become vectors
        for i in range(losses.size):
            losses[i] = share * values[i]
    else:
        for i in range(losses.size):
            losses[i] = share * row_sum(values[i * columns:(i + 1) * columns])
