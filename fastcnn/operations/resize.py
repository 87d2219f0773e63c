"""Resizing of signals, images and volumes: by tables of weights, or by repeating pixels."""

from collections.abc import Sequence

import numpy as np

from fastcnn import device
from fastcnn.geometry.interpolation import picked_taps
from fastcnn.geometry.pool import PoolingPass
from fastcnn.geometry.resize import Taps
from fastcnn.operations import Backward

Table = tuple[Taps, Taps]


def resize(x: np.ndarray, tables: Sequence[Table]) -> tuple[np.ndarray, Backward]:
    """Return images resized by tables of weights, and dy -> dx.

    A volume is resized in its planes first, then in depth; there a plane is one long row of numbers.

    Parameters
    ----------
    x : (N, L, C), (N, H, W, C) or (N, D, H, W, C) array
    tables : sequence of (Taps, Taps)
        For each dimension the weights of y and those of the gradient, of the type of `x`.
    """
    d, y, steps = device.of(x), x, _steps(x, tables)
    for shape, rows, columns in steps:
        image = y.reshape(shape)
        y = d.empty((shape[0], len(rows[0].places), len(columns[0].places), shape[3]), x.dtype)
        d.kernels.resize2d(y, image, *map(d.constant, (*rows[0], *columns[0])))
    x_shape, out = x.shape, (x.shape[0], *(len(table[0].places) for table in tables), x.shape[-1])

    def backward(dy: np.ndarray) -> np.ndarray:
        for shape, rows, columns in reversed(steps):
            dx = d.empty(shape, dy.dtype)
            smaller = dy.reshape(shape[0], len(rows[0].places), len(columns[0].places), shape[3])
            d.kernels.resize2d(dx, smaller, *map(d.constant, (*rows[1], *columns[1])))
            dy = dx
        return dy.reshape(x_shape)

    return y.reshape(out), backward


def _steps(x: np.ndarray, tables: Sequence[Table]) -> list[tuple[tuple[int, ...], Table, Table]]:
    """Return images (N, H, W, C) that are resized one after the other, each with its tables of rows and columns."""
    if len(tables) == 2:
        return [(x.shape, tables[0], tables[1])]
    one = picked_taps(1, (0,), x.dtype.name)
    if len(tables) == 1:
        return [((x.shape[0], 1, *x.shape[1:]), one, tables[0])]
    depth, rows, columns = tables
    plane = len(rows[0].places) * len(columns[0].places) * x.shape[-1]
    return [((x.shape[0] * x.shape[1], *x.shape[2:]), rows, columns), ((*x.shape[:2], 1, plane), depth, one)]


def repeat_pixels(x: np.ndarray, passes: Sequence[PoolingPass], shape: tuple[int, ...]) -> tuple[np.ndarray, Backward]:
    """Return an image with each pixel repeated, and dy -> dx, which is the sum over the copies.

    Repeating and summing are each other's gradients, so both use the kernels of average pooling.

    Parameters
    ----------
    x : (N, ..., C) array
    passes : sequence of PoolingPass
        Of the pooling, with the divisor SUM, from the result to `x`.
    shape : tuple of int
        Of the result.
    """
    d, x_shape, y = device.of(x), x.shape, x
    for step in reversed(passes):  # the reverse of pooling: depth first, then planes
        larger = d.empty(step.shape, x.dtype)
        d.kernels.average_pool2d_backward(larger, y.reshape(step.out), step.geometry)
        y = larger

    def backward(dy: np.ndarray) -> np.ndarray:
        for step in passes:
            dx = d.empty(step.out, dy.dtype)
            d.kernels.average_pool2d_forward(dx, dy.reshape(step.shape), step.geometry)
            dy = dx
        return dy.reshape(x_shape)

    return y.reshape(shape), backward
