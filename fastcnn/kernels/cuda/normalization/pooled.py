"""As the CPU's `pooled`, on CUDA: one kernel after the other, with the maps between in the scratch."""

import math

from fastcnn.kernels.cuda.compile.kernel import launcher
from fastcnn.kernels.cuda.normalization.batch import (
    batch_norm_backward,
    batch_norm_backward_scratch,
    batch_norm_forward,
    batch_norm_forward_scratch,
)
from fastcnn.kernels.cuda.pooling.max import max_pool2d_backward, max_pool2d_forward


def _rows(geometry):
    """Return pixels of all images, and channels."""
    g = geometry[0]
    return int(g["n"]) * int(g["h"]) * int(g["w"]), int(g["c"])


def batch_norm_pool_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `batch_norm_pool_forward` wants."""
    shape = _rows(geometry)
    return math.prod(shape) + batch_norm_forward_scratch(shape, dtype)


def batch_norm_pool_backward_scratch(geometry, dtype):
    """Return how many elements of scratch `batch_norm_pool_backward` wants."""
    shape = _rows(geometry)
    return math.prod(shape) + batch_norm_backward_scratch(shape, dtype)


@launcher
def batch_norm_pool_forward(y, argmax, mean, rstd, moving_mean, moving_variance, scratch, x, gamma, beta, momentum,
                            epsilon, slope, ceiling, geometry):
    """Normalize, and write the largest number of each window, and where it lies, as the CPU's."""
    shape, maps = _rows(geometry), scratch[:x.size]
    batch_norm_forward(maps.reshape(shape), mean, rstd, moving_mean, moving_variance, scratch[x.size:],
                       x.reshape(shape), scratch[:0], gamma, beta, momentum, epsilon, slope, ceiling)
    max_pool2d_forward(y, argmax, maps.reshape(x.shape), geometry)


@launcher(in_place=("x",))
def batch_norm_pool_backward(dx, dgamma, dbeta, scratch, dy, argmax, x, mean, rstd, gamma, beta, slope, ceiling,
                             geometry):
    """Write dx, and add to the gradients of scale and offset, as the CPU's."""
    shape, maps = _rows(geometry), scratch[:x.size]
    max_pool2d_backward(maps.reshape(x.shape), dy, argmax, geometry)
    batch_norm_backward(dx.reshape(shape), dgamma, dbeta, scratch[x.size:], maps.reshape(shape), x.reshape(shape),
                        mean, rstd, gamma, beta, slope, ceiling)
