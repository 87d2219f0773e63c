"""Numbers that are moved without being changed."""

import numpy as np

from fastcnn import device
from fastcnn.geometry.permutation import is_view, permutation


def permuted(x: np.ndarray, axes: tuple[int, ...], who: str = "permuted") -> np.ndarray:
    """Return ``numpy.transpose(x, axes)`` as an array that kernels take; `who` asks, for the message."""
    d, shape, g = device.of(x), tuple(x.shape[axis] for axis in axes), permutation(x.shape, axes, who)
    if is_view(g):
        return x.reshape(shape)
    y = d.empty(shape, x.dtype)
    d.kernels.permute(y.reshape(-1), x.reshape(-1), g)
    return y
