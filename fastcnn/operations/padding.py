"""Padding and cropping of signals, images and volumes."""

import numpy as np

from fastcnn import device
from fastcnn.operations import Backward

Shape = tuple[int, ...]


def pad(x: np.ndarray, geometry: np.ndarray, shape: Shape) -> tuple[np.ndarray, Backward]:
    """Return x with a border, and dy -> dx, in which a pixel's gradient is the sum over its copies.

    Parameters
    ----------
    x : (N, L, C), (N, H, W, C) or (N, D, H, W, C) array
    geometry : PAD3D array
        Of x seen as volumes.
    shape : tuple of int
        Of the result.
    """
    d, x_shape, inner, outer = device.of(x), x.shape, _volume(x.shape), _volume(shape)
    y = d.empty(shape, x.dtype)
    d.kernels.pad3d_forward(y.reshape(outer), x.reshape(inner), geometry)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dy.dtype)
        d.kernels.pad3d_backward(dx.reshape(inner), dy.reshape(outer), geometry)
        return dx

    return y, backward


def crop(x: np.ndarray, geometry: np.ndarray, shape: Shape) -> tuple[np.ndarray, Backward]:
    """Return x without its border, and dy -> dx, which has zeros there.

    Parameters
    ----------
    x, shape : as `pad`
    geometry : PAD3D array
        Of the border around the result.
    """
    d, x_shape, inner, outer = device.of(x), x.shape, _volume(x.shape), _volume(shape)
    y = d.empty(shape, x.dtype)
    d.kernels.pad3d_backward(y.reshape(outer), x.reshape(inner), geometry)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dy.dtype)
        d.kernels.pad3d_forward(dx.reshape(inner), dy.reshape(outer), geometry)
        return dx

    return y, backward


def crop_like(x: np.ndarray, like: np.ndarray, geometry: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return as many rows and columns of x as another array has, and dy -> (dx, zeros): it says a size alone.

    Parameters
    ----------
    x, like : (N, H, W, C) and (N, H', W', D) arrays
    geometry : PAD3D array
        Of the border that is cut off.
    """
    shape = x.shape[0], *like.shape[1:3], x.shape[3]
    y, back = (x, None) if shape == x.shape else crop(x, geometry, shape)
    return y, lambda dy: (dy if back is None else back(dy), device.of(dy).zeros(like.shape, dy.dtype))


def _volume(shape: Shape) -> Shape:
    """Return a shape as (N, D, H, W, C)."""
    return shape[0], *(1,) * (5 - len(shape)), *shape[1:]
