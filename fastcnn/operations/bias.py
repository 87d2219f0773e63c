"""The gradient of a bias alone, for kernels of the weights' gradient that do not compute it."""

import numpy as np

from fastcnn import device
from fastcnn.parameters import Parameter


def add_bias_gradient(bias: Parameter | None, dy: np.ndarray) -> None:
    """Add the sums of dy over all positions to the gradient of the bias, if there is one.

    Parameters
    ----------
    bias : (K,) Parameter, optional
    dy : (..., K) array
    """
    if bias is not None:
        d, rows = device.of(dy), (dy.size // dy.shape[-1], dy.shape[-1])
        scratch = d.empty((d.kernels.bias_backward_scratch(rows, dy.dtype),), dy.dtype)
        d.kernels.bias_backward(bias.gradient, scratch, dy.reshape(rows))
