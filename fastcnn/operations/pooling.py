"""Pooling: each window of a feature map becomes one number.

The geometry of a pooling is one or two passes over images (`fastcnn.geometry.pool`); a volume is pooled in its planes
first, then in depth. All functions take the passes, and the shape of the result if it differs from the last pass's.
"""

import math
from collections.abc import Sequence

import numpy as np

from fastcnn import device
from fastcnn.geometry.pool import PoolingPass
from fastcnn.geometry.resize import adaptive_taps
from fastcnn.kernels.codes import L2_PRODUCT, L2_QUOTIENT, L2_ROOT
from fastcnn.operations import Backward
from fastcnn.operations.bfloat16 import bits
from fastcnn.operations.resize import resize

Shape = tuple[int, ...]


def max_pool(x: np.ndarray, passes: Sequence[PoolingPass], shape: Shape | None = None) -> tuple[np.ndarray, Backward]:
    """Return the largest number of each window (the smallest, where the geometry says `least`), and dy -> dx.

    Of several equal maxima the first gets the gradient.

    Parameters
    ----------
    x : (N, ..., C) array
        It may be of bfloat16; y and the gradients are so, too, then.
    passes : sequence of PoolingPass
    shape : tuple of int, optional
        Of the result.
    """
    d, y, places = device.of(x), x, []
    for step in passes:
        image, g = y.reshape(step.shape), step.geometry
        y, argmax = d.empty(step.out, x.dtype), d.empty(step.out, d.kernels.max_pool2d_index_type(g))
        d.kernels.max_pool2d_forward(bits(y), argmax, bits(image), g)
        places.append(argmax)
    x_shape, dtype = x.shape, x.dtype

    def backward(dy: np.ndarray) -> np.ndarray:
        for step, argmax in zip(reversed(passes), reversed(places), strict=True):
            dx = d.empty(step.shape, dtype)
            d.kernels.max_pool2d_backward(bits(dx), bits(dy).reshape(step.out), argmax, step.geometry)
            dy = dx
        return dy.reshape(x_shape)

    return y if shape is None else y.reshape(shape), backward


def max_pool_with_argmax(x: np.ndarray, passes: Sequence[PoolingPass], shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Return max pooling's output, and where in its image (row-major, without channels) each number came from.

    ONNX's Indices are ((n C + c) P + place) for images of P pixels. A window that lies in the border entirely has
    place 0.

    Parameters
    ----------
    x, passes, shape : as `max_pool`
    """
    d, y, found = device.of(x), x, None
    for step in passes:
        image, g = y.reshape(step.shape), step.geometry
        y, argmax = d.empty(step.out, x.dtype), d.empty(step.out, d.kernels.max_pool2d_index_type(g))
        d.kernels.max_pool2d_forward(y, argmax, image, g)
        here = _in_image(d.get(argmax), g[0])
        if found is not None:  # the pass in depth: look up each pixel's place in its plane
            pixels = found.reshape(step.shape)
            here = here * math.prod(x.shape[2:4]) + np.take_along_axis(pixels, here, axis=1)
        found = here
    return y.reshape(shape), np.asarray(found).reshape(shape)


def _in_image(argmax: np.ndarray, g: np.void) -> np.ndarray:
    """Return places in the image from places in the windows."""
    position = argmax.astype(np.int64)
    nothing = position == np.iinfo(argmax.dtype).max if argmax.dtype == np.uint8 else position < 0
    rows = np.arange(g["oh"])[:, None, None] * g["sh"] + position // g["kw"] * g["dh"] - g["top"]
    columns = np.arange(g["ow"])[:, None] * g["sw"] + position % g["kw"] * g["dw"] - g["left"]
    return np.where(nothing, 0, rows * g["w"] + columns)


def average_pool(x: np.ndarray, passes: Sequence[PoolingPass], shape: Shape | None = None
                 ) -> tuple[np.ndarray, Backward]:
    """Return the mean of each window (its sum, where the geometry's divisor is SUM), and dy -> dx.

    Parameters
    ----------
    x, passes, shape : as `max_pool`
    """
    d, y = device.of(x), x
    for step in passes:
        image, y = y.reshape(step.shape), d.empty(step.out, x.dtype)
        d.kernels.average_pool2d_forward(y, image, step.geometry)
    x_shape, dtype = x.shape, x.dtype

    def backward(dy: np.ndarray) -> np.ndarray:
        for step in reversed(passes):
            dx = d.empty(step.shape, dtype)
            d.kernels.average_pool2d_backward(dx, dy.reshape(step.out), step.geometry)
            dy = dx
        return dy.reshape(x_shape)

    return y if shape is None else y.reshape(shape), backward


def adaptive_average_pool(x: np.ndarray, passes: Sequence[PoolingPass], shape: Shape) -> tuple[np.ndarray, Backward]:
    """Return the means of windows: by tables of weights if they differ in size, else by `average_pool`.

    Parameters
    ----------
    x, passes, shape : as `max_pool`
    """
    x_shape, y, backs = x.shape, x, []
    for step in passes:
        image, g = y.reshape(step.shape), step.geometry[0]
        if g["adaptive"]:
            y, back = resize(image, [adaptive_taps(int(g[length]), int(g[outputs]), x.dtype.name)
                                     for length, outputs in (("h", "oh"), ("w", "ow"))])
        else:
            y, back = average_pool(image, (step,))
        backs.append(back)

    def backward(dy: np.ndarray) -> np.ndarray:
        for step, back in zip(reversed(passes), reversed(backs), strict=True):
            dy = back(dy.reshape(step.out))
        return dy.reshape(x_shape)

    return y.reshape(shape), backward


def l2_pool(x: np.ndarray, passes: Sequence[PoolingPass], shape: Shape) -> tuple[np.ndarray, Backward]:
    """Return the root of the sum of squares of each window, and dy -> dx = x dy / y, 0 where y is 0.

    Parameters
    ----------
    x, shape : as `max_pool`
    passes : sequence of PoolingPass
        With the divisor SUM.
    """
    d, y, kept = device.of(x), x, []
    for step in passes:
        image, squares, y = y.reshape(step.shape), d.empty(step.shape, x.dtype), d.empty(step.out, x.dtype)
        _l2_step(squares, image, image, L2_PRODUCT)
        d.kernels.average_pool2d_forward(y, squares, step.geometry)
        _l2_step(y, y, y, L2_ROOT)
        kept.append((image, y))

    def backward(dy: np.ndarray) -> np.ndarray:
        for step, (image, root) in zip(reversed(passes), reversed(kept), strict=True):
            quotient, dx = d.empty(step.out, dy.dtype), d.empty(step.shape, dy.dtype)
            _l2_step(quotient, dy, root, L2_QUOTIENT)
            d.kernels.average_pool2d_backward(dx, quotient, step.geometry)
            _l2_step(dx, dx, image, L2_PRODUCT)
            dy = dx
        return dy.reshape(x.shape)

    return y.reshape(shape), backward


def _l2_step(out: np.ndarray, a: np.ndarray, b: np.ndarray, step: int) -> None:
    device.of(out).kernels.l2_step(out.reshape(-1), a.reshape(-1), b.reshape(-1), step)
