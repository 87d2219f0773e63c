"""Quantized tensors: to small integers and back, and products of them, summed as exact integers.

A scale is one for a tensor, one for each of an axis, or one for each block along an axis; so is a zero point.
"""

from typing import Any

import ml_dtypes
import numpy as np
import onnx

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import check_size
from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators._windows import Ints, padded, taps, windows
from fastcnn.onnx.operators.arrays import type_of
from fastcnn.onnx.operators.conv import check_bank


def _spread(values: Any, x: np.ndarray, axis: int, block_size: int) -> np.ndarray:
    """Return scales or zero points so that they broadcast with a tensor."""
    values = np.asarray(values)
    if values.ndim == 0 or values.size == 1:
        return values.reshape(())
    if not -x.ndim <= axis < x.ndim:
        raise ModelFileError(f"quantization: expected an axis of a tensor of shape {x.shape}, got {axis}")
    axis %= x.ndim
    if block_size:
        return np.repeat(values, block_size, axis)[tuple(slice(n) for n in x.shape)]
    if values.shape != (x.shape[axis],):
        raise ModelFileError(f"quantization: expected a scale for each of {x.shape[axis]} along axis {axis}, got "
                             f"{values.shape}")
    return values.reshape(-1, *(1,) * (x.ndim - axis - 1))


def _limits(kind: np.dtype) -> tuple[int, int]:
    limits = np.iinfo(kind) if kind.kind in "iu" else ml_dtypes.iinfo(kind)
    return int(limits.min), int(limits.max)


def _is_integer(kind: np.dtype) -> bool:
    return kind.kind in "iu" or kind.name.lstrip("u").startswith("int")


def _rounded(value: np.ndarray, zero: Any, kind: np.dtype) -> np.ndarray:
    """Return numbers as integers of a type, rounded half to even, what is beyond its range at the ends."""
    low, high = _limits(kind)
    whole = np.rint(value).astype(np.float64) + np.asarray(zero).astype(np.float64)
    return np.clip(np.nan_to_num(whole, nan=low), low, high).astype(np.int64).astype(kind)


@operator("QuantizeLinear")
def quantize_linear(x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray | None = None, *, axis: int = 1,
                    saturate: int = 1, block_size: int = 0, output_dtype: int = 0, precision: int = 0) -> np.ndarray:
    """round(x / scale) + zero_point, in the type of the zero point."""
    told = np.dtype(np.uint8) if not output_dtype else np.dtype(type_of(output_dtype))
    kind = told if zero_point is None else zero_point.dtype
    value = x / _spread(scale, x, axis, block_size).astype(x.dtype)
    if _is_integer(kind):
        zero = 0 if zero_point is None else _spread(zero_point, x, axis, block_size)
        return _rounded(value, zero, kind)
    if zero_point is not None:
        value = value + _spread(zero_point, x, axis, block_size).astype(value.dtype)
    return onnx.numpy_helper.saturate_cast(value, kind) if saturate else value.astype(kind)


@operator("DequantizeLinear")
def dequantize_linear(x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray | None = None, *, axis: int = 1,
                      block_size: int = 0, output_dtype: int = 0) -> np.ndarray:
    """scale (x - zero_point), in the type of the scale."""
    kind = type_of(output_dtype) if output_dtype else scale.dtype
    wide = np.int64 if _is_integer(x.dtype) else np.float32
    value = x.astype(wide)
    if zero_point is not None:
        value = value - _spread(zero_point, x, axis, block_size).astype(wide)
    return (value.astype(np.float32) * _spread(scale, x, axis, block_size).astype(np.float32)).astype(kind)


@operator("DynamicQuantizeLinear")
def dynamic_quantize_linear(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x as bytes that cover its range and 0, their scale, and the byte that stands for 0."""
    low, high = min(np.float32(0), x.min(initial=0)), max(np.float32(0), x.max(initial=0))
    scale = np.float32((high - low) / np.float32(255)) or np.float32(1)
    zero = _rounded(np.clip(np.float32(0) - low / scale, 0, 255), 0, np.dtype(np.uint8))
    return _rounded(x / scale, zero, np.dtype(np.uint8)), np.asarray(scale), np.asarray(zero)


def _centred(x: np.ndarray, zero_point: np.ndarray | None, axis: int) -> np.ndarray:
    """Return integers less their zero point, in double precision, which holds their products and sums exactly."""
    wide = x.astype(np.float64)
    return wide if zero_point is None else wide - _spread(zero_point, x, axis, 0).astype(np.float64)


@operator("MatMulInteger")
def matmul_integer(a: np.ndarray, b: np.ndarray, a_zero_point: np.ndarray | None = None,
                   b_zero_point: np.ndarray | None = None) -> np.ndarray:
    """(a - a_zero_point) @ (b - b_zero_point) as int32; a zero point may be one for each row of a, or column of b."""
    return np.matmul(_centred(a, a_zero_point, -2), _centred(b, b_zero_point, -1)).astype(np.int64).astype(np.int32)


@operator("QLinearMatMul")
def qlinear_matmul(a: np.ndarray, a_scale: np.ndarray, a_zero_point: np.ndarray, b: np.ndarray, b_scale: np.ndarray,
                   b_zero_point: np.ndarray, y_scale: np.ndarray, y_zero_point: np.ndarray) -> np.ndarray:
    """The product of two quantized matrices, quantized."""
    sums = np.matmul(_centred(a, a_zero_point, -2), _centred(b, b_zero_point, -1))
    row = _spread(a_scale, a, -2, 0).astype(np.float32)
    column = _spread(b_scale, b, -1, 0).astype(np.float32)
    step = row * column / np.asarray(y_scale).astype(np.float32)
    return _rounded(sums.astype(np.float32) * step, y_zero_point, y_zero_point.dtype)


def _sums(who: str, x: np.ndarray, w: np.ndarray, zeros: tuple[Any, Any], group: int, kernel_shape: Ints,
          grid: dict[str, Any]) -> np.ndarray:
    """Return the sums of a convolution of integers, (N, K, ...), exact in double precision."""
    check_bank(who, x.shape, w, group, kernel_shape)
    lie = windows(who, x.shape[2:], w.shape[2:], **grid)
    check_size(who, (x.shape[0], w.shape[0], *lie.outputs), np.float64)
    images, bank = padded(_centred(x, zeros[0], 1), lie, 0), _centred(w, zeros[1], 0)
    n, c, k = x.shape[0], x.shape[1], w.shape[0]
    y = np.zeros((group, k // group, n, *lie.outputs))
    for tap, where in taps(lie):
        part = images[:, :, *where].reshape(n, group, c // group, -1).transpose(1, 2, 0, 3)
        filters = bank[:, :, *tap].reshape(group, k // group, c // group)
        y += (filters @ part.reshape(group, c // group, -1)).reshape(y.shape)
    return np.moveaxis(y.reshape(k, n, *lie.outputs), 0, 1)


@operator("ConvInteger")
def conv_integer(x: np.ndarray, w: np.ndarray, x_zero_point: np.ndarray | None = None,
                 w_zero_point: np.ndarray | None = None, *, auto_pad: str = "NOTSET", dilations: Ints = None,
                 group: int = 1, kernel_shape: Ints = None, pads: Ints = None, strides: Ints = None) -> np.ndarray:
    """The convolution of integers less their zero points, as int32."""
    grid = {"strides": strides, "pads": pads, "dilations": dilations, "auto_pad": auto_pad}
    sums = _sums("ConvInteger", x, w, (x_zero_point, w_zero_point), group, kernel_shape, grid)
    return sums.astype(np.int64).astype(np.int32)


@operator("QLinearConv")
def qlinear_conv(x: np.ndarray, x_scale: np.ndarray, x_zero_point: np.ndarray, w: np.ndarray, w_scale: np.ndarray,
                 w_zero_point: np.ndarray, *result: np.ndarray, auto_pad: str = "NOTSET", dilations: Ints = None,
                 group: int = 1, kernel_shape: Ints = None, pads: Ints = None, strides: Ints = None) -> np.ndarray:
    """The convolution of quantized tensors, quantized; the bias is int32, of the scale x_scale w_scale.

    `result` is y_scale, y_zero_point and, where there is one, the bias.
    """
    if not 2 <= len(result) <= 3:
        raise ModelFileError(f"QLinearConv: expected 8 or 9 inputs, got {6 + len(result)}")
    (y_scale, y_zero_point), bias = result[:2], result[2] if len(result) > 2 else None
    grid = {"strides": strides, "pads": pads, "dilations": dilations, "auto_pad": auto_pad}
    sums = _sums("QLinearConv", x, w, (x_zero_point, w_zero_point), group, kernel_shape, grid)
    by_filter = lambda values: np.asarray(values).reshape(-1, *(1,) * (x.ndim - 2))
    if bias is not None:
        sums = sums + by_filter(bias)
    scale = by_filter(w_scale) if w_scale.size > 1 else w_scale.reshape(())
    step = np.float32(x_scale.reshape(())) * scale.astype(np.float32) / np.float32(y_scale.reshape(()))
    return _rounded(sums.astype(np.float32) * step, y_zero_point, y_zero_point.dtype)
