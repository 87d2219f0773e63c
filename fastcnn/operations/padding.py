"""Borders around signals, images and volumes, and the same without theirs."""

import numpy as np

from fastcnn import device
from fastcnn.operations import Backward

Shape = tuple[int, ...]


def pad(x: np.ndarray, geometry: np.ndarray, shape: Shape) -> tuple[np.ndarray, Backward]:
    """Return x with a border, and dy -> dx, where the gradient of a pixel is the sum of its copies'.

    Parameters
    ----------
    x : (N, L, C), (N, H, W, C) or (N, D, H, W, C) array
    geometry : PAD3D array
        Of x seen as volumes.
    shape : tuple of int
        Of the result.
    """
    d, x_shape = device.of(x), x.shape
    y = d.empty(shape, x.dtype)
    d.kernels.pad3d_forward(_volumes(y), _volumes(x), geometry)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dy.dtype)
        d.kernels.pad3d_backward(_volumes(dx), _volumes(dy), geometry)
        return dx

    return y, backward


def crop(x: np.ndarray, geometry: np.ndarray, shape: Shape) -> tuple[np.ndarray, Backward]:
    """Return x without its border, and dy -> dx, which has zeros there.

    Parameters
    ----------
    x, shape : as `pad`
    geometry : PAD3D array
        That of the border around the result.
    """
    d, x_shape = device.of(x), x.shape
    y = d.empty(shape, x.dtype)
    d.kernels.pad3d_backward(_volumes(y), _volumes(x), geometry)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dy.dtype)
        d.kernels.pad3d_forward(_volumes(dx), _volumes(dy), geometry)
        return dx

    return y, backward


def _volumes(x: np.ndarray) -> np.ndarray:
    """Return x as (N, D, H, W, C)."""
    return x.reshape(x.shape[0], *(1,) * (5 - x.ndim), *x.shape[1:])
