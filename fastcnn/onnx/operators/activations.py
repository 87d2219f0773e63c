"""Activations: of floats by the kernels where there is one, of other types and the rest by their formulas."""

import math
from typing import Any

import numpy as np

from fastcnn.kernels import codes
from fastcnn.onnx.operators._memory import dense, in_memory_order, is_float
from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators.arithmetic import erf
from fastcnn.operations.activation import Elementwise, SoftmaxFunction

SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def _kernel(name: str, code: int, x: np.ndarray, alpha: float = 0.0) -> np.ndarray:
    array, moved = in_memory_order(x)
    y = Elementwise(name, code, alpha).forward(array)[0]
    return np.moveaxis(y, -1, 1) if moved else y


def _in_float(x: np.ndarray) -> np.ndarray:
    """Return `x` in a type whose formulas do not overflow: half precision as float32."""
    return x if is_float(x) else x.astype(np.float32)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


@operator("Relu")
def relu(x: np.ndarray) -> np.ndarray:
    return _kernel("relu", codes.RELU, x) if is_float(x) else np.maximum(x, np.asarray(0, x.dtype))


@operator("LeakyRelu")
def leaky_relu(x: np.ndarray, *, alpha: float = 0.01) -> np.ndarray:
    if is_float(x) and alpha >= 0:
        return _kernel("leaky_relu", codes.LEAKY_RELU, x, alpha)
    return np.where(x < 0, x * np.asarray(alpha, x.dtype), x)


@operator("PRelu")
def prelu(x: np.ndarray, slope: np.ndarray, *, opset: int = 7) -> np.ndarray:
    """x where it is not negative, else slope x; the slope as NumPy broadcasts it, or one a channel."""
    return np.where(x < 0, x * aligned_slope(slope, x.shape, opset), x)


def aligned_slope(slope: np.ndarray, shape: tuple[int, ...], opset: int) -> np.ndarray:
    """Return a slope as it broadcasts with x: by channel before operator set 7, or if it fits in no other way."""
    is_by_channel = slope.ndim == 1 and len(shape) > 2 and slope.size == shape[1]
    if is_by_channel and (opset < 7 or slope.size not in (1, shape[-1])):
        return slope.reshape(-1, *(1,) * (len(shape) - 2))
    return slope


@operator("Elu")
def elu(x: np.ndarray, *, alpha: float = 1.0) -> np.ndarray:
    if is_float(x) and alpha >= 0:
        return _kernel("elu", codes.ELU, x, alpha)
    return np.where(x > 0, x, np.asarray(alpha, x.dtype) * np.expm1(x))


@operator("Selu")
def selu(x: np.ndarray, *, alpha: float = SELU_ALPHA, gamma: float = SELU_GAMMA) -> np.ndarray:
    if is_float(x) and abs(alpha - SELU_ALPHA) < 1e-4 and abs(gamma - SELU_GAMMA) < 1e-4:
        return _kernel("selu", codes.SELU, x)
    alpha_, gamma_ = np.asarray(alpha, x.dtype), np.asarray(gamma, x.dtype)
    return gamma_ * np.where(x > 0, x, alpha_ * np.expm1(x))


@operator("Celu")
def celu(x: np.ndarray, *, alpha: float = 1.0) -> np.ndarray:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    z, zero = _in_float(x), np.float32(0)
    return (np.maximum(z, zero) + np.minimum(zero, alpha * np.expm1(z / alpha))).astype(x.dtype)


@operator("Sigmoid")
def sigmoid(x: np.ndarray) -> np.ndarray:
    return _kernel("sigmoid", codes.SIGMOID, x) if is_float(x) else _sigmoid(_in_float(x)).astype(x.dtype)


@operator("HardSigmoid")
def hard_sigmoid(x: np.ndarray, *, alpha: float = 0.2, beta: float = 0.5) -> np.ndarray:
    """max(0, min(1, alpha x + beta))."""
    return np.clip(x * np.asarray(alpha, x.dtype) + np.asarray(beta, x.dtype), 0, 1).astype(x.dtype)


@operator("HardSwish")
def hard_swish(x: np.ndarray) -> np.ndarray:
    """x max(0, min(1, x / 6 + 1 / 2))."""
    return (x * np.clip(x * np.asarray(1 / 6, x.dtype) + np.asarray(0.5, x.dtype), 0, 1)).astype(x.dtype)


@operator("Swish")
def swish(x: np.ndarray, *, alpha: float = 1.0) -> np.ndarray:
    """x sigmoid(alpha x)."""
    if is_float(x) and alpha == 1:
        return _kernel("silu", codes.SILU, x)
    z = _in_float(x)
    return (z * _sigmoid(alpha * z)).astype(x.dtype)


@operator("Mish")
def mish(x: np.ndarray) -> np.ndarray:
    """x tanh(softplus(x))."""
    return (x * np.tanh(softplus(x))).astype(x.dtype)


@operator("Gelu")
def gelu(x: np.ndarray, *, approximate: str = "none") -> np.ndarray:
    if is_float(x):
        tanh_ = approximate == "tanh"
        return _kernel("gelu_tanh" if tanh_ else "gelu", codes.GELU_TANH if tanh_ else codes.GELU, x)
    z = _in_float(x)
    if approximate == "tanh":
        inner = np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))
    else:
        inner = erf(z / np.float32(math.sqrt(2)))
    return (0.5 * z * (1 + inner)).astype(x.dtype)


@operator("Softplus")
def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x))."""
    return np.logaddexp(_in_float(x), np.float32(0)).astype(x.dtype)


@operator("Softsign")
def softsign(x: np.ndarray) -> np.ndarray:
    return x / (np.asarray(1, x.dtype) + np.abs(x))


@operator("Tanh")
def tanh(x: np.ndarray) -> np.ndarray:
    return _kernel("tanh", codes.TANH, x) if is_float(x) else np.tanh(x)


@operator("ThresholdedRelu")
def thresholded_relu(x: np.ndarray, *, alpha: float = 1.0) -> np.ndarray:
    """x where it is larger than alpha, else 0."""
    return np.where(x > alpha, x, np.asarray(0, x.dtype))


@operator("Shrink")
def shrink(x: np.ndarray, *, bias: float = 0.0, lambd: float = 0.5) -> np.ndarray:
    """x moved towards zero by `bias`, and zero within [-lambd, lambd]."""
    return np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0)).astype(x.dtype)


def _over_axis(x: np.ndarray, function: Any, axis: int | None, opset: int) -> np.ndarray:
    """Apply a function of rows to one axis, or, before operator set 13, to all from `axis` on as one."""
    if opset < 13:
        axis = 1 if axis is None else axis % max(x.ndim, 1)
        rows = x.reshape(math.prod(x.shape[:axis]), -1)
        return function(rows).reshape(x.shape)
    moved = np.moveaxis(x, -1 if axis is None else axis, -1)
    y = function(moved.reshape(-1, moved.shape[-1])).reshape(moved.shape)
    return np.moveaxis(y, -1, -1 if axis is None else axis)


def _softmax_rows(x: np.ndarray, log: bool) -> np.ndarray:
    if not x.size:
        return x.copy()
    z = dense(_in_float(x))
    return SoftmaxFunction("softmax", log).forward(z)[0].astype(x.dtype, copy=False)


@operator("Softmax")
def softmax(x: np.ndarray, *, axis: int | None = None, opset: int = 13) -> np.ndarray:
    return _over_axis(x, lambda rows: _softmax_rows(rows, False), axis, opset)


@operator("LogSoftmax")
def log_softmax(x: np.ndarray, *, axis: int | None = None, opset: int = 13) -> np.ndarray:
    return _over_axis(x, lambda rows: _softmax_rows(rows, True), axis, opset)


@operator("Hardmax")
def hardmax(x: np.ndarray, *, axis: int | None = None, opset: int = 13) -> np.ndarray:
    """1 at the first of the largest elements, else 0."""

    def rows(z: np.ndarray) -> np.ndarray:
        return (np.arange(z.shape[-1]) == np.argmax(z, -1)[:, None]).astype(z.dtype)

    return _over_axis(x, rows, axis, opset)
