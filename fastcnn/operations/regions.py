"""Parts of feature maps: regions that boxes point at, and places of a grid."""

import numpy as np

from fastcnn import device
from fastcnn.kernels import region_codes as codes
from fastcnn.operations.merge import Gradients

#: How `grid_sample` samples, and what lies outside of an image, by PyTorch's names.
INTERPOLATIONS = {"nearest": codes.NEAREST, "bilinear": codes.BILINEAR, "bicubic": codes.BICUBIC}
OUTSIDE = {"zeros": codes.ZEROS, "border": codes.BORDER, "reflection": codes.REFLECTION}


def roi_align(x: np.ndarray, boxes: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return regions (N, R, PH, PW, C) of maps x (N, H, W, C), and dy -> (dx, zeros for the boxes).

    Parameters
    ----------
    boxes : (N, R, 4) array
        Of the type of `x`.
    g : REGIONS
    """
    d, shape = device.of(x), x.shape
    y = d.empty((*boxes.shape[:2], int(g[0]["ph"]), int(g[0]["pw"]), shape[3]), x.dtype)
    d.kernels.roi_align_forward(y, x, boxes, g)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        dx = d.empty(shape, dy.dtype)
        d.kernels.roi_align_backward(dx, dy, boxes, g)
        return dx, d.zeros(boxes.shape, dy.dtype)

    return y, backward


def roi_pool(x: np.ndarray, boxes: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """As `roi_align`: the largest number of each part of a region.

    Parameters
    ----------
    boxes : (N, R, 4) array
    g : REGIONS
    """
    d, shape, places = device.of(x), x.shape, boxes.shape
    of = (*boxes.shape[:2], int(g[0]["ph"]), int(g[0]["pw"]), shape[3])
    y, argmax = d.empty(of, x.dtype), d.empty(of, np.int32)
    d.kernels.roi_pool_forward(y, argmax, x, boxes, g)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        dx = d.empty(shape, dy.dtype)
        d.kernels.roi_pool_backward(dx, dy, argmax, g)
        return dx, d.zeros(places, dy.dtype)

    return y, backward


def grid_sample(x: np.ndarray, grid: np.ndarray, how: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return maps x (N, H, W, C) at the places of a grid (N, OH, OW, 2), and dy -> (dx, dgrid).

    Parameters
    ----------
    grid : (N, OH, OW, 2) array
        x and y, from -1 to 1 on the image.
    how : GRID
    """
    d = device.of(x)
    y = d.empty((*grid.shape[:3], x.shape[3]), x.dtype)
    d.kernels.grid_sample_forward(y, x, grid, how)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        dx, dgrid = d.empty(x.shape, dy.dtype), d.empty(grid.shape, dy.dtype)
        d.kernels.grid_sample_backward(dx, dgrid, dy, x, grid, how)
        return dx, dgrid

    return y, backward
