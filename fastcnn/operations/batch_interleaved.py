"""A run of narrow convolutions, activations and poolings with the images of a batch interleaved, one a lane."""

from collections.abc import Callable

import numpy as np

from fastcnn import device
from fastcnn.operations.saved import saved

Gradient = Callable[[np.ndarray, np.ndarray], np.ndarray | None]


def batch_interleaved(x: np.ndarray, weights: np.ndarray, g: np.ndarray, shape: tuple[int, ...], wants_dx: bool = True
                      ) -> tuple[np.ndarray, Gradient]:
    """Return y of `shape`, and (dy, dweights) -> dx, which adds to `dweights`.

    Parameters
    ----------
    x : (N, H, W, C) array
    weights : array
        All filter banks and biases, one after the other, flat.
    g : LANES
        As `fastcnn.geometry.lanes` returns it.
    shape : tuple of int
    wants_dx : bool
        Whether the backward pass makes the gradient of x; it returns None if not.
    """
    d, dtype, x_shape = device.of(x), x.dtype, x.shape
    y = d.empty(shape, dtype)
    kept = d.empty((d.kernels.lanes_saved(g, dtype),), dtype)
    scratch = d.empty((d.kernels.lanes_forward_scratch(g, dtype),), dtype)
    d.kernels.lanes_forward(y, kept, scratch, x, weights, g)
    del scratch
    # Places in windows of max pooling lie there as well: 16 bits hold whole numbers up to 256.
    again = saved(kept) if (g["ph"] * g["pw"]).max() <= 256 else lambda: kept

    def backward(dy: np.ndarray, dweights: np.ndarray) -> np.ndarray | None:
        dx = d.empty(x_shape if wants_dx else (0, 1, 1, 1), dtype)
        scratch = d.empty((d.kernels.lanes_backward_scratch(g, dtype),), dtype)
        d.kernels.lanes_backward(dx, dweights, scratch, dy, again(), weights, g)
        return dx if wants_dx else None

    return y, backward
