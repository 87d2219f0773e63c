"""Activations on flat ranges, for every kernel: compiled once for each type and called through a symbol.

A kernel that has just written a row, a tile or a plane applies an activation to it while it is in L1; so do the
activation's own kernels (`activation`, which has the formulas). One vector of 16 float32 lanes::

    activate            y[at:at + count] <- f(y)                    y | a vector |   one load, the polynomial, one store
    activate_backward   dx[at:...] <- dy f'(saved)     dx = dy, saved | 2 vectors |  two loads, one store

The arithmetic is in place, on blocks of 4 KB that stay in L1: a loop over one output array that is also its input
needs no test whether the two overlap, a test that would send the case of equal arrays to scalar code. Where output and
input are different memory a block is copied first; ReLU alone, whose arithmetic is less than the copy, has a loop of
its own for that.
"""

import numpy as np
from llvmlite import ir
from numba import carray, config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.codes import CLIP, LINEAR, RELU
from fastcnn.kernels.cpu.compile.operands import dtype_of, unpacked
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared, i64
from fastcnn.kernels.cpu.elementwise.activate_loops import forward_loop
from fastcnn.kernels.cpu.elementwise.activate_numbers import bounds
from fastcnn.kernels.cpu.elementwise.activate_slopes import backward_loop

_BLOCK = 1024  # elements that stay in L1 between a copy and the arithmetic


@inlined(exact=True)
def _forward(y, x, same, code, alpha, beta):
    """y = f(x) for flat arrays of one size; `same` tells that they are the same memory."""
    if code in (RELU, CLIP) and not same:
        lower, upper = bounds(code, alpha, beta)
        low, high = y.dtype.type(lower), y.dtype.type(upper)
        for i in range(y.size):
            v = low if x[i] < low else x[i]
            y[i] = high if v > high else v
    elif not same:
        for begin in range(0, y.size, _BLOCK):
            block, source = y[begin:begin + _BLOCK], x[begin:begin + _BLOCK]
            for i in range(block.size):
                block[i] = source[i]
            forward_loop(block, code, alpha, beta)
    else:
        forward_loop(y, code, alpha, beta)


@inlined(exact=True)
def _backward(dx, dy, s, same, code, alpha, beta):
    """dx = dy f'(s) for flat arrays of one size; `same` tells that dx is dy."""
    if code in (RELU, CLIP) and not same:
        zero = dx.dtype.type(0)
        lower, upper = bounds(code, alpha, beta)
        low, high = dx.dtype.type(lower), dx.dtype.type(upper)
        for i in range(dx.size):
            dx[i] = zero if (s[i] <= low) | (s[i] >= high) else dy[i]
    elif not same:
        for begin in range(0, dx.size, _BLOCK):
            block, source = dx[begin:begin + _BLOCK], dy[begin:begin + _BLOCK]
            for i in range(block.size):
                block[i] = source[i]
            backward_loop(block, s[begin:begin + _BLOCK], code, alpha, beta)
    else:
        backward_loop(dx, s, code, alpha, beta)


# --- behind symbols ---------------------------------------------------------------------------------------------------


def _activate(y, x, same, count, code, alpha, beta):
    _forward(carray(y, (count,)), carray(x, (count,)), same != 0, code, np.int64(alpha).view(np.float64),
             np.int64(beta).view(np.float64))


def _activate_backward(dx, dy, saved, same, count, code, alpha, beta):
    _backward(carray(dx, (count,)), carray(dy, (count,)), carray(saved, (count,)), same != 0, code,
              np.int64(alpha).view(np.float64), np.int64(beta).view(np.float64))


def _forward_arguments(dtype):
    return types.CPointer(dtype), types.CPointer(dtype), *[types.int64] * 5


def _backward_arguments(dtype):
    return types.CPointer(dtype), types.CPointer(dtype), types.CPointer(dtype), *[types.int64] * 5


_shared_forward = Shared(_activate, _forward_arguments)
_shared_backward = Shared(_activate_backward, _backward_arguments)


def _call(shared, operands):
    """Return what an intrinsic returns of (array, offset)s, how many elements, and (code, alpha, beta)."""
    dtype, formula = dtype_of(operands[0]), types.Tuple((types.int64, types.float64, types.float64))
    shared.publish(dtype)

    def codegen(context, builder, signature, args):
        pairs = zip(signature.args[:-2], args[:-2], strict=True)
        pointers = [unpacked(context, builder, *pair)[0] for pair in pairs]
        same = builder.icmp_unsigned("==", *(builder.ptrtoint(p, i64) for p in pointers[:2]))
        code, *numbers = cgutils.unpack_tuple(builder, args[-1])
        numbers = [builder.bitcast(v, i64) for v in numbers]
        shared.call(builder, dtype, [*pointers, builder.zext(same, i64), args[-2], code, *numbers])
        return ir.Constant(i64, 0)

    return types.int64(*operands, types.int64, formula), codegen


@intrinsic
def _activate_into(typingctx, y, x, count, formula):
    return _call(_shared_forward, [y, x])


@intrinsic
def _activate_backward_into(typingctx, dx, dy, saved, count, formula):
    return _call(_shared_backward, [dx, dy, saved])


def _part(operand, count):
    array, at = operand
    return array.reshape(-1)[at:at + count]


def _activate_into_in_python(y, x, count, formula):
    y, x = _part(y, count), _part(x, count)
    _forward(y, x, y.ctypes.data == x.ctypes.data, *formula)


def _activate_backward_in_python(dx, dy, saved, count, formula):
    dx, dy = _part(dx, count), _part(dy, count)
    _backward(dx, dy, _part(saved, count), dx.ctypes.data == dy.ctypes.data, *formula)


#: y = f(x) for `count` elements of each (array, offset): `_activate_into` where kernels are compiled.
activate_into = _activate_into_in_python if config.DISABLE_JIT else _activate_into

#: dx = dy f'(saved) for `count` elements of each (array, offset).
activate_backward_into = _activate_backward_in_python if config.DISABLE_JIT else _activate_backward_into


@inlined
def activate(y, at, count, code, alpha):
    """Apply an activation in place to `count` elements from ``y.reshape(-1)[at]`` on.

    Parameters
    ----------
    y : C-contiguous array of any rank
        float32 or float64; changed.
    at, count : int
    code : int
        LINEAR (nothing happens), RELU, TANH, ... of `fastcnn.kernels.codes`.
    alpha : float
        The first parameter of the function, if it has one; a second one is 0 here.
    """
    if code != LINEAR and count > 0:
        activate_into((y, at), (y, at), count, (code, alpha, 0.0))


@inlined
def activate_backward(dx, dy, saved, count, code, alpha):
    """dx = dy f'(saved) for `count` elements of three C-contiguous arrays, each from its own place on.

    Parameters
    ----------
    dx : (array, offset)
        Written; may be `dy`.
    dy, saved : (array, offset)
        `saved` is the input x where `kernels.codes.saves_input(code)`, else the output y.
    count, code, alpha
        As in `activate`.
    """
    if count > 0:
        activate_backward_into(dx, dy, saved, count, (code, alpha, 0.0))
