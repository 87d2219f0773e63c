"""Pooling: of floats along one or two dimensions by the kernels, else by a view of what every window sees."""

import math

import numpy as np

from fastcnn import device, geometry
from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import channels_first, channels_last, check_size, is_float
from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators._sums import mean, total
from fastcnn.onnx.operators._windows import Ints, WindowGrid, area, padded, seen, windows


def _suits(x: np.ndarray, lie: WindowGrid) -> bool:
    """Return whether the kernels of pooling do it: one or two dimensions, and every window begins on a pixel."""
    return (is_float(x) and x.ndim in (3, 4) and x.size > 0 and max(lie.dilations) == 1
            and all(0 <= b < k for b, k in zip(lie.before, lie.kernel)))


def _geometry(x: np.ndarray, lie: WindowGrid) -> tuple[np.ndarray, np.ndarray]:
    """Return the images channels-last, and the geometry."""
    flat = x.ndim == 3
    images = channels_last(x[:, :, None] if flat else x)
    kernel, strides, before, after = (((neutral, *part) if flat else part) for neutral, part in (
        (1, lie.kernel), (1, lie.strides), (0, lie.before), (0, lie.end_padding(x.shape[2:]))))
    g = geometry.pool2d(images.shape, kernel, strides, tuple(zip(before, after)))
    outputs = (1, *lie.outputs) if flat else lie.outputs
    if (int(g[0]["oh"]), int(g[0]["ow"])) != outputs:  # more padding behind than any window reaches
        g = g.copy()
        g["oh"], g["ow"] = outputs
    return images, g


def _result(y: np.ndarray, rank: int) -> np.ndarray:
    y = channels_first(y)
    return y[:, :, 0] if rank == 3 else y


@operator("MaxPool")
def max_pool(x: np.ndarray, *, kernel_shape: list[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
             dilations: Ints = None, pads: Ints = None, storage_order: int = 0, strides: Ints = None,
             outputs: int = 1) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The largest of each window, and where in x (as one dimension) it lies."""
    lie = windows("MaxPool", x.shape[2:], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    if _suits(x, lie):
        images, g = _geometry(x, lie)
        d, shape = device.of(images), (x.shape[0], int(g[0]["oh"]), int(g[0]["ow"]), x.shape[1])
        largest, place = d.empty(shape, x.dtype), d.empty(shape, d.kernels.max_pool2d_index_type(g))
        d.kernels.max_pool2d_forward(largest, place, images, g)
        y, at = _result(largest, x.ndim), _result(place, x.ndim).astype(np.int64)
    else:
        low = np.iinfo(x.dtype).min if np.issubdtype(x.dtype, np.integer) else -np.inf
        check_size("MaxPool", (*x.shape[:2], *lie.outputs, area(lie)), x.dtype)
        view = seen(padded(x, lie, low), lie).reshape(*x.shape[:2], *lie.outputs, area(lie))
        at = np.argmax(view, -1)
        y = np.take_along_axis(view, at[..., None], -1)[..., 0]
    return (y, _flat_places(x, lie, at, storage_order)) if outputs > 1 else y


def _flat_places(x: np.ndarray, lie: WindowGrid, at: np.ndarray, column_major: int) -> np.ndarray:
    """Return positions in x as one dimension, from positions in the windows."""
    inside = np.unravel_index(at, lie.kernel)
    starts = np.ogrid[tuple(slice(o) for o in lie.outputs)] if len(lie.outputs) > 1 else [np.arange(lie.outputs[0])]
    place = [start * s + tap * d - b for start, s, tap, d, b in
             zip(starts, lie.strides, inside, lie.dilations, lie.before)]
    size = x.shape[2:]
    flat = np.ravel_multi_index(tuple(place), size, order="F" if column_major else "C", mode="clip")
    plane = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *(1,) * len(size))
    return flat + plane * math.prod(size)


@operator("MaxUnpool")
def max_unpool(x: np.ndarray, places: np.ndarray, output_shape: np.ndarray | None = None, *, kernel_shape: list[int],
               pads: Ints = None, strides: Ints = None) -> np.ndarray:
    """x written where its maxima came from, zero elsewhere; a larger output shape adds zeros behind."""
    rank = x.ndim - 2
    steps, borders = strides or [1] * rank, pads or [0] * (2 * rank)
    size = [(n - 1) * s + k - borders[a] - borders[a + rank]
            for a, (n, s, k) in enumerate(zip(x.shape[2:], steps, kernel_shape))]
    check_size("MaxUnpool", size if output_shape is None else output_shape, x.dtype)
    check_size("MaxUnpool", (*x.shape[:2], *size), x.dtype)
    y = np.zeros((*x.shape[:2], *size), x.dtype)
    y.reshape(-1)[places.reshape(-1)] = x.reshape(-1)
    if output_shape is None:
        return y
    return np.pad(y, [(0, int(full) - n) for full, n in zip(output_shape, y.shape)])


@operator("AveragePool")
def average_pool(x: np.ndarray, *, kernel_shape: list[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
                 count_include_pad: int = 0, dilations: Ints = None, pads: Ints = None,
                 strides: Ints = None) -> np.ndarray:
    """The mean of each window, of the pixels alone or, with `count_include_pad`, of the padding's zeros too."""
    lie = windows("AveragePool", x.shape[2:], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    if _suits(x, lie) and not (count_include_pad and any(lie.before + lie.end_padding(x.shape[2:]))):
        images, g = _geometry(x, lie)
        d = device.of(images)
        y = d.empty((x.shape[0], int(g[0]["oh"]), int(g[0]["ow"]), x.shape[1]), x.dtype)
        d.kernels.average_pool2d_forward(y, images, g)
        return _result(y, x.ndim)
    over = tuple(range(-len(lie.kernel), 0))
    kind = x.dtype if is_float(x) else np.dtype(np.float32)
    ones = np.ones((1, 1, *x.shape[2:]), kind)
    if count_include_pad:  # but not what rounding up added
        ones = np.pad(ones, [(0, 0), (0, 0), *zip(lie.before, lie.after)], constant_values=1)
        behind = [max(e - a, 0) for e, a in zip(lie.end_padding(x.shape[2:]), lie.after)]
        ones = np.pad(ones, [(0, 0), (0, 0), *((0, e) for e in behind)])
    else:
        ones = padded(ones, lie, 0)
    count = seen(ones, lie).sum(over)
    return (total(seen(padded(x, lie, 0), lie).astype(kind, copy=False), over) / count).astype(x.dtype)


@operator("LpPool")
def lp_pool(x: np.ndarray, *, kernel_shape: list[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
            dilations: Ints = None, p: int = 2, pads: Ints = None, strides: Ints = None) -> np.ndarray:
    """The p-norm of each window."""
    lie = windows("LpPool", x.shape[2:], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    powers = seen(padded(np.abs(x) ** p, lie, 0), lie)
    return (total(powers, tuple(range(-len(lie.kernel), 0))) ** (1 / p)).astype(x.dtype)


def _over_image(x: np.ndarray) -> tuple[int, ...]:
    if x.ndim < 3:
        raise ModelFileError(f"global pooling: expected input (N, C, ...), got {x.shape}")
    return tuple(range(2, x.ndim))


@operator("GlobalAveragePool")
def global_average_pool(x: np.ndarray) -> np.ndarray:
    return mean(x, _over_image(x), keepdims=True).astype(x.dtype, copy=False)


@operator("GlobalMaxPool")
def global_max_pool(x: np.ndarray) -> np.ndarray:
    return x.max(_over_image(x), keepdims=True)


@operator("GlobalLpPool")
def global_lp_pool(x: np.ndarray, *, p: int = 2) -> np.ndarray:
    return (total(np.abs(x) ** p, _over_image(x), keepdims=True) ** (1 / p)).astype(x.dtype)
