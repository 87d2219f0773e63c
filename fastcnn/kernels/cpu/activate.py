"""Activations on flat ranges, for every kernel: compiled once for each type and called through a symbol.

A kernel that has just written a row, a tile or a plane applies an activation to it while it is in L1; so do the
activation's own kernels (`fastcnn.kernels.cpu.activation`, which has the formulas). One vector of 16 float32 lanes::

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

from fastcnn.kernels.codes import (
    ELU,
    GELU,
    GELU_TANH,
    LEAKY_RELU,
    LINEAR,
    RELU,
    SELU,
    SIGMOID,
    SILU,
    STEP,
    TANH,
)
from fastcnn.kernels.cpu._jit import inlined
from fastcnn.kernels.cpu._symbol import Shared, i64
from fastcnn.kernels.cpu.elementary import (
    exp_half_square,
    exp_nonpositive,
    expm1_nonpositive,
    normal_cdf,
    sigmoid,
    tanh,
)

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
_SQRT_8_BY_PI, _CUBIC = 1.5957691216057308, 0.044715
_PDF_0 = 0.3989422804014327  # 1 / sqrt(2 pi)
_BLOCK = 1024  # elements that stay in L1 between a copy and the arithmetic


@inlined(exact=True)
def _forward(y, x, same, code, alpha):
    """y = f(x) for flat arrays of one size; `same` tells that they are the same memory."""
    zero = y.dtype.type(0)
    if code == RELU and not same:
        for i in range(y.size):
            y[i] = zero if x[i] < zero else x[i]
    elif not same:
        for begin in range(0, y.size, _BLOCK):
            block, source = y[begin:begin + _BLOCK], x[begin:begin + _BLOCK]
            for i in range(block.size):
                block[i] = source[i]
            _forward_block(block, code, alpha)
    else:
        _forward_block(y, code, alpha)


@inlined(exact=True)
def _forward_block(y, code, alpha):
    real = y.dtype.type
    zero, one = real(0), real(1)
    if code == RELU:
        for i in range(y.size):
            y[i] = zero if y[i] < zero else y[i]
    elif code == STEP:
        for i in range(y.size):
            y[i] = y[i] if y[i] != y[i] else (one if y[i] >= zero else zero)
    elif code == SIGMOID:
        for i in range(y.size):
            y[i] = sigmoid(y[i])
    elif code == TANH:
        for i in range(y.size):
            y[i] = tanh(y[i])
    elif code == LEAKY_RELU:
        slope = real(alpha)
        for i in range(y.size):
            y[i] = y[i] if y[i] > zero else slope * y[i]
    elif code in (ELU, SELU):
        scale = real(1 if code == ELU else _SELU_SCALE)
        negative = real(alpha if code == ELU else _SELU_SCALE * _SELU_ALPHA)
        for i in range(y.size):
            y[i] = scale * y[i] if y[i] > zero else negative * expm1_nonpositive(zero if y[i] > zero else y[i])
    elif code == SILU:
        for i in range(y.size):
            y[i] = y[i] * sigmoid(y[i])
    elif code == GELU:
        for i in range(y.size):
            y[i] = y[i] * normal_cdf(y[i])
    elif code == GELU_TANH:
        slope, cubic = real(_SQRT_8_BY_PI), real(_CUBIC)
        for i in range(y.size):
            y[i] = y[i] * sigmoid(slope * (y[i] + cubic * y[i] * y[i] * y[i]))


@inlined(exact=True)
def _backward(dx, dy, s, same, code, alpha):
    """dx = dy f'(s) for flat arrays of one size; `same` tells that dx is dy."""
    zero = dx.dtype.type(0)
    if code == RELU and not same:
        for i in range(dx.size):
            dx[i] = zero if s[i] <= zero else dy[i]
    elif not same:
        for begin in range(0, dx.size, _BLOCK):
            block, source = dx[begin:begin + _BLOCK], dy[begin:begin + _BLOCK]
            for i in range(block.size):
                block[i] = source[i]
            _backward_block(block, s[begin:begin + _BLOCK], code, alpha)
    else:
        _backward_block(dx, s, code, alpha)


@inlined(exact=True)
def _backward_block(dx, s, code, alpha):
    real = dx.dtype.type
    zero, one, two = real(0), real(1), real(2)
    if code == RELU:
        for i in range(dx.size):
            dx[i] = zero if s[i] <= zero else dx[i]
    elif code == STEP:
        for i in range(dx.size):
            dx[i] = zero
    elif code == SIGMOID:
        for i in range(dx.size):
            dx[i] = dx[i] * s[i] * (one - s[i])
    elif code == TANH:
        for i in range(dx.size):
            dx[i] = dx[i] * (one - s[i] * s[i])
    elif code == LEAKY_RELU:
        slope = real(alpha)
        for i in range(dx.size):
            dx[i] = dx[i] if s[i] > zero else slope * dx[i]
    elif code in (ELU, SELU):
        scale = real(1 if code == ELU else _SELU_SCALE)
        negative = real(alpha if code == ELU else _SELU_SCALE * _SELU_ALPHA)
        for i in range(dx.size):
            dx[i] = dx[i] * (scale if s[i] > zero else negative * exp_nonpositive(zero if s[i] > zero else s[i]))
    elif code == SILU:
        for i in range(dx.size):
            f = sigmoid(s[i])
            dx[i] = dx[i] * (f * (one + s[i] * (one - f)))
    elif code == GELU:
        pdf = real(_PDF_0)
        for i in range(dx.size):
            dx[i] = dx[i] * (normal_cdf(s[i]) + s[i] * (pdf * exp_half_square(s[i])))
    elif code == GELU_TANH:
        slope, cubic = real(_SQRT_8_BY_PI), real(_CUBIC)
        for i in range(dx.size):
            f = sigmoid(slope * (s[i] + cubic * s[i] * s[i] * s[i]))
            inner = slope * (one + (two + one) * cubic * s[i] * s[i])
            dx[i] = dx[i] * (f + s[i] * (f * (one - f) * inner))


# --- behind symbols ---------------------------------------------------------------------------------------------------


def _activate(y, x, same, count, code, alpha):
    _forward(carray(y, (count,)), carray(x, (count,)), same != 0, code, np.int64(alpha).view(np.float64))


def _activate_backward(dx, dy, saved, same, count, code, alpha):
    _backward(carray(dx, (count,)), carray(dy, (count,)), carray(saved, (count,)), same != 0, code,
              np.int64(alpha).view(np.float64))


def _forward_arguments(dtype):
    return types.CPointer(dtype), types.CPointer(dtype), *[types.int64] * 4


def _backward_arguments(dtype):
    return types.CPointer(dtype), types.CPointer(dtype), types.CPointer(dtype), *[types.int64] * 4


_shared_forward = Shared(_activate, _forward_arguments)
_shared_backward = Shared(_activate_backward, _backward_arguments)


def _emit(shared, arrays):
    """Return the code of a call with `arrays` pairs (array, offset), then count, code and alpha."""
    def codegen(context, builder, signature, args):
        pointers = [builder.gep(context.make_array(signature.args[k])(context, builder, args[k]).data, [args[k + 1]])
                    for k in range(0, 2 * arrays, 2)]
        same = builder.icmp_unsigned("==", *(builder.ptrtoint(p, i64) for p in pointers[:2]))
        count, code, alpha = args[2 * arrays:]
        shared.call(builder, signature.args[0].dtype,
                    [*pointers, builder.zext(same, i64), count, code, builder.bitcast(alpha, i64)])
        return ir.Constant(i64, 0)

    return codegen


@intrinsic
def _activate_into(typingctx, y, y_at, x, x_at, count, code, alpha):
    _shared_forward.publish(y.dtype)
    i = types.int64
    return types.int64(y, i, x, i, i, i, types.float64), _emit(_shared_forward, 2)


@intrinsic
def _activate_backward_into(typingctx, dx, dx_at, dy, dy_at, saved, saved_at, count, code, alpha):
    _shared_backward.publish(dx.dtype)
    i = types.int64
    return types.int64(dx, i, dy, i, saved, i, i, i, types.float64), _emit(_shared_backward, 3)


def _activate_into_in_python(y, y_at, x, x_at, count, code, alpha):
    y, x = y.reshape(-1)[y_at:y_at + count], x.reshape(-1)[x_at:x_at + count]
    _forward(y, x, y.ctypes.data == x.ctypes.data, code, alpha)


def _activate_backward_in_python(dx, dx_at, dy, dy_at, saved, saved_at, count, code, alpha):
    dx, dy = dx.reshape(-1)[dx_at:dx_at + count], dy.reshape(-1)[dy_at:dy_at + count]
    _backward(dx, dy, saved.reshape(-1)[saved_at:saved_at + count], dx.ctypes.data == dy.ctypes.data, code, alpha)


#: y[y_at:] = f(x[x_at:]) for `count` elements: `_activate_into` where kernels are compiled.
activate_into = _activate_into_in_python if config.DISABLE_JIT else _activate_into

_backward_into = _activate_backward_in_python if config.DISABLE_JIT else _activate_backward_into


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
        Of LEAKY_RELU and ELU; else it has no meaning.
    """
    if code != LINEAR and count > 0:
        activate_into(y, at, y, at, count, code, alpha)


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
        _backward_into(dx, dx_at, dy, dy_at, saved, saved_at, count, code, alpha)
