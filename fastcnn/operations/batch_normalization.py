"""Batch normalization, and the affine map of each channel that it is in prediction.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

for each channel, the last axis. Training uses the mean and variance of the batch, prediction the moving ones.
"""

import numpy as np

from fastcnn import device
from fastcnn.kernels import codes
from fastcnn.operations import Backward
from fastcnn.operations.activation import RELU, Elementwise
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter


def batch_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None, moving_mean: Parameter,
                        moving_variance: Parameter, momentum: float, epsilon: float, slope: float = 1.0
                        ) -> tuple[np.ndarray, Backward]:
    """Train: return y with the batch's mean and variance, and dy -> dx; update the moving ones.

        moving = momentum moving + (1 - momentum) batch

    Parameters
    ----------
    x : (N, ..., C) array
    gamma, beta : (C,) Parameter, optional
    moving_mean, moving_variance : (C,) Parameter
        Updated, unless the batch is empty.
    momentum, epsilon : float
    slope : float
        What y is multiplied by where it is below 0: 1 for no rectifier, 0 for ReLU.
    """
    d, dtype, channels = device.of(x), x.dtype, x.shape[-1]
    y, mean, rstd = d.empty(x.shape, dtype), d.empty((channels,), dtype), d.empty((channels,), dtype)
    # An empty batch has no statistics, and must not turn the moving ones into NaN.
    if not x.size:
        return y, lambda dy: dy
    shape, nothing = (x.size // channels, channels), NOTHING[dtype]
    x_shape, rows = x.shape, x.reshape(shape)
    scale, offset = nothing if gamma is None else gamma.array, nothing if beta is None else beta.array
    scratch = d.empty((d.kernels.batch_norm_forward_scratch(shape, dtype),), dtype)
    try:
        d.kernels.batch_norm_forward(y.reshape(shape), mean, rstd, moving_mean.array, moving_variance.array, scratch,
                                     rows, scale, offset, momentum, epsilon, slope)
    finally:  # Ctrl-C is raised when the kernel has already written
        moving_mean.version += 1
        moving_variance.version += 1
    again = saved(rows)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(x_shape, dtype)
        dgamma = nothing if gamma is None else gamma.gradient
        dbeta = nothing if beta is None else beta.gradient
        scratch = d.empty((d.kernels.batch_norm_backward_scratch(shape, dtype),), dtype)
        d.kernels.batch_norm_backward(dx.reshape(shape), dgamma, dbeta, scratch, dy.reshape(shape), again(), mean, rstd,
                                      scale, offset, slope)
        return dx

    return y, backward


def frozen_batch_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None, moving_mean: Parameter,
                               moving_variance: Parameter, epsilon: float, *, slope: float, trainable: bool
                               ) -> tuple[np.ndarray, Backward]:
    """Return y with the moving mean and variance, which do not change, and dy -> dx.

    Parameters
    ----------
    x, gamma, beta, moving_mean, moving_variance, epsilon, slope : as `batch_normalization`
    trainable : bool
        Whether the backward pass adds to the gradients of gamma and beta.
    """
    y = predict_batch_normalization(x, gamma, beta, moving_mean, moving_variance, epsilon, slope == 0)
    rectified: Backward | None = None
    if slope == 0:
        y_again = saved(y)
        rectified = lambda dy: RELU.backward(y_again())(dy)
    elif slope != 1:
        y, rectified = Elementwise("leaky_relu", codes.LEAKY_RELU, slope).forward(y)

    x_again = saved(x) if trainable and x.size and (gamma is not None or beta is not None) else None

    def backward(dy: np.ndarray) -> np.ndarray:
        dy = dy if rectified is None else rectified(dy)
        if x_again is not None:
            _add_parameter_gradients(dy, x_again(), gamma, beta, moving_mean.array, _rstd(moving_variance, epsilon))
        scale = NOTHING[dy.dtype] if gamma is None else gamma.array
        return _without_constant(dy, scale, moving_variance.array, epsilon)

    return y, backward


def _add_parameter_gradients(dy: np.ndarray, x: np.ndarray, gamma: Parameter | None, beta: Parameter | None,
                             mean: np.ndarray, rstd: np.ndarray) -> None:
    """Add sum(dy xhat) and sum(dy) with the moving statistics. The kernel is that of training; its dx is not used."""
    d, rows, nothing = device.of(x), (x.size // x.shape[-1], x.shape[-1]), NOTHING[x.dtype]
    scale, dgamma = (nothing, nothing) if gamma is None else (gamma.array, gamma.gradient)
    offset, dbeta = (nothing, nothing) if beta is None else (beta.array, beta.gradient)
    scratch = d.empty((d.kernels.batch_norm_backward_scratch(rows, x.dtype),), x.dtype)
    d.kernels.batch_norm_backward(d.empty(rows, x.dtype), dgamma, dbeta, scratch, dy.reshape(rows), x.reshape(rows),
                                  mean, rstd, scale, offset, 1.0)


def _rstd(variance: Parameter, epsilon: float) -> np.ndarray:
    """Return 1 / sqrt(variance + epsilon), kept with the parameter until its value changes."""
    found = variance.derived.get(_rstd)
    if found is None or found[0] != (variance.version, epsilon):
        numbers = 1 / np.sqrt(variance.numpy().astype(np.float64) + epsilon)
        rstd = device.of(variance.array).put(numbers.astype(variance.dtype))
        found = variance.derived[_rstd] = (variance.version, epsilon), rstd
    return found[1]


def predict_batch_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None, moving_mean: Parameter,
                                moving_variance: Parameter, epsilon: float, relu: bool = False) -> np.ndarray:
    """Infer: return y with the moving mean and variance; arguments as `batch_normalization`.

    Parameters
    ----------
    gamma, beta, moving_mean, moving_variance, epsilon : as `batch_normalization`
    relu : bool
        Return max(y, 0).
    """
    nothing = NOTHING[x.dtype]
    scale, offset = nothing if gamma is None else gamma.array, nothing if beta is None else beta.array
    return normalize_columns(x, scale, offset, moving_mean.array, moving_variance.array, epsilon, relu)


def normalization(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
                  ) -> tuple[np.ndarray, Backward]:
    """Return y with given statistics and epsilon 0, and dy -> dx.

    Parameters
    ----------
    x : array
    gamma, beta, mean, variance : (columns,) ndarrays
        Constants, on the host: the same objects at every call. As for `normalize_columns`.
    """
    gamma, beta, mean, variance = map(device.of(x).constant, (gamma, beta, mean, variance))
    return (normalize_columns(x, gamma, beta, mean, variance, 0.0),
            lambda dy: _without_constant(dy, gamma, variance, 0.0))


def _without_constant(dy: np.ndarray, gamma: np.ndarray, variance: np.ndarray, epsilon: float) -> np.ndarray:
    """Return dx: y is gamma x / sqrt(variance + epsilon) plus a constant, so dx is the same map without it."""
    zeros = device.of(dy).zeros(variance.shape, dy.dtype)
    return normalize_columns(dy, gamma, NOTHING[dy.dtype], zeros, variance, epsilon)


def normalize_columns(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray,
                      epsilon: float, relu: bool = False) -> np.ndarray:
    """Return gamma (x - mean) / sqrt(variance + epsilon) + beta, or the larger of that and 0.

    Parameters
    ----------
    x : array
        Seen as rows of as many columns as `mean` has elements.
    gamma, beta, mean, variance : (columns,) arrays
        A number for each column; gamma and beta may be absent: of size 0.
    epsilon : float
    relu : bool
    """
    d = device.of(x)
    y, rows = d.empty(x.shape, x.dtype), (x.size // mean.size, mean.size)
    scratch = d.empty((d.kernels.batch_norm_predict_scratch(rows, x.dtype),), x.dtype)
    d.kernels.batch_norm_predict(y.reshape(rows), scratch, x.reshape(rows), gamma, beta, mean, variance, epsilon,
                                 0.0 if relu else 1.0)
    return y
