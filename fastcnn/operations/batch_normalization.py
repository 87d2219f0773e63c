"""Batch normalization, and the affine map of each channel that it is in prediction.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

for each channel, the last axis. Training uses the mean and variance of the batch, prediction the moving ones.
"""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.geometry.pool import PoolingPass
from fastcnn.kernels import codes
from fastcnn.kernels.rectifier import NO_RECTIFIER as NO_RECTIFIER  # layers and nodes know no kernels
from fastcnn.kernels.rectifier import RELU as RELU
from fastcnn.kernels.rectifier import Rectifier as Rectifier
from fastcnn.operations import Backward
from fastcnn.operations.activation import Elementwise
from fastcnn.operations.bfloat16 import bits, no_array, number_type, through_activation
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.merge import weighted_sum
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter


def batch_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None, moving_mean: Parameter,
                        moving_variance: Parameter, momentum: float, epsilon: float,
                        rectifier: Rectifier = NO_RECTIFIER, *, addend: np.ndarray | None = None, owned: bool = False
                        ) -> tuple[np.ndarray, Backward]:
    """Train: return y with the batch's mean and variance, and dy -> dx; update the moving ones.

        moving = momentum moving + (1 - momentum) batch

    Parameters
    ----------
    x : (N, ..., C) array
        It may be of bfloat16, and so are y, an addend and all gradients then.
    gamma, beta : (C,) Parameter, optional
    moving_mean, moving_variance : (C,) Parameter
        Updated, unless the batch is empty.
    momentum, epsilon : float
    rectifier : Rectifier
        What y goes through, in the same passes over memory.
    addend : array, optional
        Lies as x does; added before the rectifier. The backward pass returns (dx, daddend) then.
    owned : bool
        Whether x is nobody else's: the backward pass, which runs once, writes dx over it then.
    """
    d, dtype, channels = device.of(x), number_type(x), x.shape[-1]
    y, mean, rstd = d.empty(x.shape, x.dtype), d.empty((channels,), dtype), d.empty((channels,), dtype)
    # An empty batch has no statistics, and must not turn the moving ones into NaN.
    if not x.size:
        return y, lambda dy: dy if addend is None else (dy, dy)
    shape, nothing = (x.size // channels, channels), NOTHING[dtype]
    x_shape, rows = x.shape, x.reshape(shape)
    scale, offset = nothing if gamma is None else gamma.array, nothing if beta is None else beta.array
    scratch = d.empty((d.kernels.batch_norm_forward_scratch(shape, dtype),), dtype)
    added = no_array(x) if addend is None else bits(addend).reshape(-1)
    try:
        d.kernels.batch_norm_forward(bits(y).reshape(shape), mean, rstd, moving_mean.array, moving_variance.array,
                                     scratch, bits(rows), added, scale, offset, momentum, epsilon, *rectifier)
    finally:  # Ctrl-C is raised when the kernel has already written
        moving_mean.version += 1
        moving_variance.version += 1
    again = saved(rows)

    # With an addend, x does not tell where the rectifier was: that is read from y, before the normalization's way back.
    own = rectifier if addend is None else NO_RECTIFIER

    def backward(dy: np.ndarray) -> np.ndarray:
        found = again()
        dx = found.reshape(x_shape) if owned else d.empty(x_shape, found.dtype)
        dgamma = nothing if gamma is None else gamma.gradient
        dbeta = nothing if beta is None else beta.gradient
        scratch = d.empty((d.kernels.batch_norm_backward_scratch(shape, dtype),), dtype)
        d.kernels.batch_norm_backward(bits(dx).reshape(shape), dgamma, dbeta, scratch, bits(dy).reshape(shape),
                                      bits(found), mean, rstd, scale, offset, *own)
        return dx

    return y, backward if addend is None else _through_sum(y, rectifier, backward)


def pooled_batch_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None, moving_mean: Parameter,
                               moving_variance: Parameter, momentum: float, epsilon: float,
                               rectifier: Rectifier = NO_RECTIFIER, *, pool: PoolingPass, owned: bool = False
                               ) -> tuple[np.ndarray, Backward]:
    """Train: return the largest numbers of windows of what `batch_normalization` returns, and dy -> dx.

    Parameters
    ----------
    x : (N, H, W, C) array
    gamma, beta, moving_mean, moving_variance, momentum, epsilon, rectifier, owned : as `batch_normalization`
    pool : PoolingPass
        Of windows that lie side by side, within the image.
    """
    d, dtype, channels, g = device.of(x), x.dtype, x.shape[-1], pool.geometry
    y, argmax = d.empty(pool.out, dtype), d.empty(pool.out, d.kernels.max_pool2d_index_type(g))
    mean, rstd = d.empty((channels,), dtype), d.empty((channels,), dtype)
    if not x.size:
        return y, lambda dy: d.empty(pool.shape, dtype)
    nothing = NOTHING[dtype]
    scale, offset = nothing if gamma is None else gamma.array, nothing if beta is None else beta.array
    scratch = d.empty((d.kernels.batch_norm_pool_forward_scratch(g, dtype),), dtype)
    try:
        d.kernels.batch_norm_pool_forward(y, argmax, mean, rstd, moving_mean.array, moving_variance.array, scratch, x,
                                          scale, offset, momentum, epsilon, *rectifier, g)
    finally:  # Ctrl-C is raised when the kernel has already written
        moving_mean.version += 1
        moving_variance.version += 1
    again = saved(x)

    def backward(dy: np.ndarray) -> np.ndarray:
        found = again()
        dx = found if owned else d.empty(pool.shape, dtype)
        dgamma = nothing if gamma is None else gamma.gradient
        dbeta = nothing if beta is None else beta.gradient
        scratch = d.empty((d.kernels.batch_norm_pool_backward_scratch(g, dtype),), dtype)
        d.kernels.batch_norm_pool_backward(dx, dgamma, dbeta, scratch, dy, argmax, found, mean, rstd, scale, offset,
                                           *rectifier, g)
        return dx

    return y, backward


def _through_sum(y: np.ndarray, rectifier: Rectifier, backward: Backward) -> Backward:
    """Return dy -> (dx, daddend), by the backward pass of a normalization whose result was added to something."""
    rectified = None if rectifier == NO_RECTIFIER else _through_rectifier(y, rectifier)

    def both(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dy = dy if rectified is None else rectified(dy)
        return backward(dy), dy

    return both


def _through_rectifier(y: np.ndarray, rectifier: Rectifier) -> Backward:
    """Return the backward pass of a rectifier that made y."""
    function, y_again = _function(rectifier), saved(y)
    return lambda dy: through_activation(function, y_again(), dy)


def _function(rectifier: Rectifier) -> Elementwise:
    """Return a rectifier as an activation whose backward pass takes its result; a leaky one's slope is positive."""
    slope, ceiling = rectifier
    if slope == 0:
        return Elementwise("relu", codes.CLIP, ceiling, 0.0)
    return Elementwise("leaky_relu", codes.LEAKY_RELU, slope)


def frozen_batch_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None, moving_mean: Parameter,
                               moving_variance: Parameter, epsilon: float, rectifier: Rectifier = NO_RECTIFIER, *,
                               trainable: bool, addend: np.ndarray | None = None) -> tuple[np.ndarray, Backward]:
    """Return y with the moving mean and variance, which do not change, and dy -> dx.

    Parameters
    ----------
    x, gamma, beta, moving_mean, moving_variance, epsilon, rectifier, addend : as `batch_normalization`
    trainable : bool
        Whether the backward pass adds to the gradients of gamma and beta.
    """
    # The way back of a leaky one wants what it was given.
    later = rectifier != NO_RECTIFIER and (addend is not None or rectifier.slope != 0)
    y = predict_batch_normalization(x, gamma, beta, moving_mean, moving_variance, epsilon,
                                    NO_RECTIFIER if later else rectifier)
    y = y if addend is None else weighted_sum((y, addend), (1.0, 1.0))[0]
    rectified: Backward | None = None
    if later:
        y, rectified = _function(rectifier).forward(y)
    elif rectifier != NO_RECTIFIER:
        rectified = _through_rectifier(y, rectifier)
    sums = addend is not None
    x_again = saved(x) if trainable and x.size and (gamma is not None or beta is not None) else None

    def backward(dy: np.ndarray) -> Any:
        dy = dy if rectified is None else rectified(dy)
        if x_again is not None:
            _add_parameter_gradients(dy, x_again(), gamma, beta, moving_mean.array, _rstd(moving_variance, epsilon))
        scale = NOTHING[dy.dtype] if gamma is None else gamma.array
        dx = _without_constant(dy, scale, moving_variance.array, epsilon)
        return (dx, dy) if sums else dx

    return y, backward


def _add_parameter_gradients(dy: np.ndarray, x: np.ndarray, gamma: Parameter | None, beta: Parameter | None,
                             mean: np.ndarray, rstd: np.ndarray) -> None:
    """Add sum(dy xhat) and sum(dy) with the moving statistics. The kernel is that of training; its dx is not used."""
    d, rows, nothing = device.of(x), (x.size // x.shape[-1], x.shape[-1]), NOTHING[x.dtype]
    scale, dgamma = (nothing, nothing) if gamma is None else (gamma.array, gamma.gradient)
    offset, dbeta = (nothing, nothing) if beta is None else (beta.array, beta.gradient)
    scratch = d.empty((d.kernels.batch_norm_backward_scratch(rows, x.dtype),), x.dtype)
    d.kernels.batch_norm_backward(d.empty(rows, x.dtype), dgamma, dbeta, scratch, dy.reshape(rows), x.reshape(rows),
                                  mean, rstd, scale, offset, *NO_RECTIFIER)


def _rstd(variance: Parameter, epsilon: float) -> np.ndarray:
    """Return 1 / sqrt(variance + epsilon), kept with the parameter until its value changes."""
    found = variance.derived.get(_rstd)
    if found is None or found[0] != (variance.version, epsilon):
        numbers = 1 / np.sqrt(variance.numpy().astype(np.float64) + epsilon)
        rstd = device.of(variance.array).put(numbers.astype(variance.dtype))
        found = variance.derived[_rstd] = (variance.version, epsilon), rstd
    return found[1]


def predict_batch_normalization(x: np.ndarray, gamma: Parameter | None, beta: Parameter | None, moving_mean: Parameter,
                                moving_variance: Parameter, epsilon: float, rectifier: Rectifier = NO_RECTIFIER
                                ) -> np.ndarray:
    """Infer: return y with the moving mean and variance; arguments as `batch_normalization`.

    Parameters
    ----------
    gamma, beta, moving_mean, moving_variance, epsilon, rectifier : as `batch_normalization`
    """
    nothing = NOTHING[x.dtype]
    scale, offset = nothing if gamma is None else gamma.array, nothing if beta is None else beta.array
    return normalize_columns(x, scale, offset, moving_mean.array, moving_variance.array, epsilon, rectifier)


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
                      epsilon: float, rectifier: Rectifier = NO_RECTIFIER) -> np.ndarray:
    """Return gamma (x - mean) / sqrt(variance + epsilon) + beta, rectified.

    Parameters
    ----------
    x : array
        Seen as rows of as many columns as `mean` has elements.
    gamma, beta, mean, variance : (columns,) arrays
        A number for each column; gamma and beta may be absent: of size 0.
    epsilon : float
    rectifier : Rectifier
    """
    d = device.of(x)
    y, rows = d.empty(x.shape, x.dtype), (x.size // mean.size, mean.size)
    scratch = d.empty((d.kernels.batch_norm_predict_scratch(rows, x.dtype),), x.dtype)
    d.kernels.batch_norm_predict(y.reshape(rows), scratch, x.reshape(rows), gamma, beta, mean, variance, epsilon,
                                 *rectifier)
    return y
