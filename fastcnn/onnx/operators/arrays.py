"""What makes, reshapes and joins arrays, and changes their type."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import check_size
from fastcnn.onnx.operators._registry import operator


def integers(array: np.ndarray | Sequence[int]) -> list[int]:
    """Return the entries of a small array as integers."""
    return [int(n) for n in np.asarray(array).reshape(-1)]


# --- arrays from nothing ----------------------------------------------------------------------------------------------


@operator("Constant")
def constant(*, value: np.ndarray | None = None, value_float: float | None = None, value_floats: Any = None,
             value_int: int | None = None, value_ints: Any = None, value_string: str | None = None,
             value_strings: Any = None) -> np.ndarray:
    for given, dtype in ((value, None), (value_float, np.float32), (value_floats, np.float32), (value_int, np.int64),
                         (value_ints, np.int64), (value_string, object), (value_strings, object)):
        if given is not None:
            return np.asarray(given, dtype)
    raise ModelFileError("Constant: expected a value, got none")


@operator("ConstantOfShape")
def constant_of_shape(shape: np.ndarray, *, value: np.ndarray | None = None) -> np.ndarray:
    value = np.zeros(1, np.float32) if value is None else value
    check_size("ConstantOfShape", shape, value.dtype)
    return np.full(integers(shape), value.reshape(-1)[0], value.dtype)


@operator("Range")
def range_(start: np.ndarray, limit: np.ndarray, delta: np.ndarray, *, stash_type: int = 1) -> np.ndarray:
    first, last, step = (value.reshape(-1)[0] for value in (start, limit, delta))
    count = max(0, math.ceil((last - first) / step))
    check_size("Range", (count,), start.dtype)
    kind = np.float64 if not np.issubdtype(start.dtype, np.integer) else start.dtype
    return (np.asarray(first, kind) + np.arange(count, dtype=kind) * np.asarray(step, kind)).astype(start.dtype)


@operator("EyeLike")
def eye_like(x: np.ndarray, *, dtype: int | None = None, k: int = 0) -> np.ndarray:
    return np.eye(x.shape[0], x.shape[1], k, dtype=x.dtype if dtype is None else type_of(dtype))


@operator("OneHot")
def one_hot(indices: np.ndarray, depth: np.ndarray, values: np.ndarray, *, axis: int = -1) -> np.ndarray:
    """values[1] at the index along a new axis, values[0] elsewhere; a negative index counts from the end."""
    count = integers(depth)[0]
    check_size("OneHot", (*indices.shape, count), values.dtype)
    place = indices.astype(np.int64)
    place = np.where((place >= -count) & (place < 0), place + count, place)
    behind = -1 - axis if axis < 0 else place.ndim - axis
    hot = np.expand_dims(place, axis) == np.arange(count).reshape(-1, *(1,) * behind)
    return np.where(hot, values[1], values[0]).astype(values.dtype)


# --- types ------------------------------------------------------------------------------------------------------------


def type_of(code: int) -> np.dtype:
    """Return the NumPy type of an ONNX type code."""
    try:
        return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(code))
    except (KeyError, TypeError, ValueError):
        raise ModelFileError(f"expected a type of ONNX's, got the code {code}") from None


_SATURATING = {onnx.TensorProto.FLOAT8E4M3FN, onnx.TensorProto.FLOAT8E4M3FNUZ, onnx.TensorProto.FLOAT8E5M2,
               onnx.TensorProto.FLOAT8E5M2FNUZ}


@operator("Cast")
def cast(x: np.ndarray, *, to: int, saturate: int = 1, round_mode: str = "up") -> np.ndarray:
    """x in another type; floats of 8 bits take the largest number for one that is too large, if `saturate`."""
    if to == onnx.TensorProto.STRING or x.dtype.kind in "OUS":
        texts = x.astype(np.str_)
        return texts.astype(object if to == onnx.TensorProto.STRING else type_of(to))
    if to in _SATURATING and saturate:
        return onnx.numpy_helper.saturate_cast(x, type_of(to))
    if to == getattr(onnx.TensorProto, "FLOAT8E8M0", None):
        return onnx.numpy_helper.to_float8e8m0(x, bool(saturate), round_mode).astype(type_of(to))
    return x.astype(type_of(to))


@operator("CastLike")
def cast_like(x: np.ndarray, like: np.ndarray, *, saturate: int = 1, round_mode: str = "up") -> np.ndarray:
    return cast(x, to=onnx.helper.np_dtype_to_tensor_dtype(like.dtype), saturate=saturate, round_mode=round_mode)


@operator("BitCast")
def bit_cast(x: np.ndarray, *, to: int) -> np.ndarray:
    return np.ascontiguousarray(x).view(type_of(to)).reshape(x.shape)


# --- shapes -----------------------------------------------------------------------------------------------------------


@operator("Shape")
def shape(x: np.ndarray, *, start: int = 0, end: int | None = None) -> np.ndarray:
    return np.array(x.shape[start:end], np.int64)


@operator("Size")
def size(x: np.ndarray) -> np.ndarray:
    return np.array(x.size, np.int64)


@operator("Identity")
def identity(x: Any) -> Any:
    return x


@operator("Reshape")
def reshape(x: np.ndarray, given: np.ndarray | None = None, *, shape: Any = None, allowzero: int = 0) -> np.ndarray:
    """x in another shape: 0 keeps a dimension (but with `allowzero`), -1 is what is left."""
    sizes = integers(shape if given is None else given)
    if not allowzero:
        if any(n == 0 and at >= x.ndim for at, n in enumerate(sizes)):
            raise ModelFileError(f"Reshape: expected 0 only for a dimension of {x.shape}, got {sizes}")
        sizes = [x.shape[at] if n == 0 else n for at, n in enumerate(sizes)]
    return x.reshape(sizes)


@operator("Flatten")
def flatten(x: np.ndarray, *, axis: int = 1) -> np.ndarray:
    axis = axis + x.ndim if axis < 0 else axis
    rows = math.prod(x.shape[:axis])
    return x.reshape(rows, math.prod(x.shape[axis:]))


@operator("Squeeze")
def squeeze(x: np.ndarray, given: np.ndarray | None = None, *, axes: Any = None) -> np.ndarray:
    axes = integers(given) if given is not None else axes
    return np.squeeze(x, None if axes is None else tuple(axes))


@operator("Unsqueeze")
def unsqueeze(x: np.ndarray, given: np.ndarray | None = None, *, axes: Any = None) -> np.ndarray:
    return np.expand_dims(x, tuple(integers(given) if given is not None else axes))


@operator("Transpose")
def transpose(x: np.ndarray, *, perm: Any = None) -> np.ndarray:
    return np.transpose(x, perm)


@operator("Expand")
def expand(x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """x repeated along its dimensions of 1; a shape of more ones than x has leaves x its own."""
    target = np.broadcast_shapes(x.shape, tuple(integers(shape)))
    check_size("Expand", target, x.dtype)
    return np.broadcast_to(x, target).copy()


@operator("Tile")
def tile(x: np.ndarray, repeats: np.ndarray, axis: np.ndarray | None = None) -> np.ndarray:
    """x so many times along each axis (before operator set 6: along one)."""
    times = integers(repeats)
    if axis is not None:
        times = [times[0] if at == integers(axis)[0] else 1 for at in range(x.ndim)]
    check_size("Tile", [n * t for n, t in zip(x.shape, times)], x.dtype)
    return np.tile(x, times)


@operator("Concat")
def concat(*arrays: np.ndarray, axis: int = 1) -> np.ndarray:
    return np.concatenate(arrays, axis)


@operator("DepthToSpace")
def depth_to_space(x: np.ndarray, *, blocksize: int, mode: str = "DCR") -> np.ndarray:
    """Channels as blocks of pixels: (N, C b b, H, W) to (N, C, H b, W b)."""
    n, c, h, w = x.shape
    b, k = blocksize, c // blocksize**2
    if mode == "CRD":
        y = x.reshape(n, k, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    else:
        y = x.reshape(n, b, b, k, h, w).transpose(0, 3, 4, 1, 5, 2)
    return y.reshape(n, k, h * b, w * b)


@operator("SpaceToDepth")
def space_to_depth(x: np.ndarray, *, blocksize: int, mode: str = "DCR") -> np.ndarray:
    """Blocks of pixels as channels: (N, C, H b, W b) to (N, C b b, H, W)."""
    n, c, h, w = x.shape
    b = blocksize
    y = x.reshape(n, c, h // b, b, w // b, b)
    y = y.transpose(0, 1, 3, 5, 2, 4) if mode == "CRD" else y.transpose(0, 3, 5, 1, 2, 4)
    return y.reshape(n, c * b * b, h // b, w // b)


@operator("Trilu")
def trilu(x: np.ndarray, k: np.ndarray | None = None, *, upper: int = 1) -> np.ndarray:
    """The upper or the lower triangle of the last two dimensions."""
    offset = 0 if k is None else integers(k)[0]
    return np.triu(x, offset) if upper else np.tril(x, offset)
