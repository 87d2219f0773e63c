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
from numba.extending import intrinsic

from fastcnn.kernels.codes import CLIP, LINEAR, RELU
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared, i64
from fastcnn.kernels.cpu.elementwise.activate_loops import backward_loop, bounds, forward_loop

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


def _emit(shared, arrays):
    """Return the code of a call with `arrays` pairs (array, offset), then count, code, alpha and beta."""
    def codegen(context, builder, signature, args):
        pointers = [builder.gep(context.make_array(signature.args[k])(context, builder, args[k]).data, [args[k + 1]])
                    for k in range(0, 2 * arrays, 2)]
        same = builder.icmp_unsigned("==", *(builder.ptrtoint(p, i64) for p in pointers[:2]))
        count, code, alpha, beta = args[2 * arrays:]
        numbers = [builder.bitcast(v, i64) for v in (alpha, beta)]
        shared.call(builder, signature.args[0].dtype, [*pointers, builder.zext(same, i64), count, code, *numbers])
        return ir.Constant(i64, 0)

    return codegen


@intrinsic
def _activate_into(typingctx, y, y_at, x, x_at, count, code, alpha, beta):
    _shared_forward.publish(y.dtype)
    i = types.int64
    return types.int64(y, i, x, i, i, i, types.float64, types.float64), _emit(_shared_forward, 2)


@intrinsic
def _activate_backward_into(typingctx, dx, dx_at, dy, dy_at, saved, saved_at, count, code, alpha, beta):
    _shared_backward.publish(dx.dtype)
    i = types.int64
    return types.int64(dx, i, dy, i, saved, i, i, i, types.float64, types.float64), _emit(_shared_backward, 3)


def _activate_into_in_python(y, y_at, x, x_at, count, code, alpha, beta):
    y, x = y.reshape(-1)[y_at:y_at + count], x.reshape(-1)[x_at:x_at + count]
    _forward(y, x, y.ctypes.data == x.ctypes.data, code, alpha, beta)


def _activate_backward_in_python(dx, dx_at, dy, dy_at, saved, saved_at, count, code, alpha, beta):
    dx, dy = dx.reshape(-1)[dx_at:dx_at + count], dy.reshape(-1)[dy_at:dy_at + count]
    _backward(dx, dy, saved.reshape(-1)[saved_at:saved_at + count], dx.ctypes.data == dy.ctypes.data, code, alpha, beta)


#: y[y_at:] = f(x[x_at:]) for `count` elements: `_activate_into` where kernels are compiled.
activate_into = _activate_into_in_python if config.DISABLE_JIT else _activate_into

#: dx[dx_at:] = dy[dy_at:] f'(saved[saved_at:]) for `count` elements.
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
        activate_into(y, at, y, at, count, code, alpha, 0.0)


@inlined
def activate_backward(dx, dx_at, dy, dy_at, saved, saved_at, count, code, alpha):
    """dx = dy f'(saved) for `count` elements of three C-contiguous arrays, each from its own place on.

    Parameters
    ----------
    dx, dx_at : array, int
        Written; may be `dy` at the same place.
    dy, dy_at : array, int
    saved, saved_at : array, int
        The input x where `kernels.codes.saves_input(code)`, else the output y.
    count, code, alpha
        As in `activate`.
    """
    if count > 0:
        activate_backward_into(dx, dx_at, dy, dy_at, saved, saved_at, count, code, alpha, 0.0)
