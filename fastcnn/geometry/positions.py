"""Positions: the places of a sample that have a loss or a metric's value of their own, (N, H, W) of (N, H, W, K)."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError


def broadcast_weights(weights: Any, shape: tuple[int, ...], dtype: Any, who: str) -> np.ndarray:
    """Return the weights of samples for all positions, which may be a view: losses and metrics have this one rule.

    Dimensions are counted from the first, as Keras's metrics do it; its losses count from the last, so that of N = H =
    W images each would get the weights of a column. ::

        weights   (N,)   (N, H)   (N, H, W)   (N, 1, W)   (N, H, W, 1)   ()       for positions (N, H, W)

    Parameters
    ----------
    weights : array
    shape : tuple of int
        The positions.
    dtype : dtype
    who : str
        For errors.

    Raises
    ------
    ArgumentError
        If the shapes do not agree.
    """
    found = np.asarray(weights, dtype)
    if found.ndim == len(shape) + 1 and found.shape[-1] == 1:
        found = found[..., 0]
    try:
        return np.broadcast_to(found.reshape(*found.shape, *[1] * (len(shape) - found.ndim)), shape)
    except ValueError:
        raise ArgumentError(f"{who}: expected sample_weight of shape ({', '.join(map(str, shape[:1]))},) or {shape}, "
                            f"got {np.shape(weights)}") from None


def trimmed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without the ones at its end, but for the batch: (N,) and (N, 1) hold the same."""
    end = len(shape)
    while end > 1 and shape[end - 1] == 1:
        end -= 1
    return shape[:end]
