"""Dropout and noise: functions of (seed, step, index) alone, so that they do not depend on the number of threads.

A key is the pair (seed, step). Backward passes compute a mask again instead of keeping it.
"""

import math

import numpy as np

from fastcnn import device
from fastcnn.kernels import codes
from fastcnn.operations import Backward
from fastcnn.operations.broadcasting import merge_gradients, merged
from fastcnn.operations.merge import affine, masked

Key = tuple[int, int]
Shape = tuple[int, ...]

_ALPHA_PRIME = -1.0507009873554805 * 1.6732632423543772  # the limit of SELU at minus infinity: -scale alpha


def dropout(x: np.ndarray, rate: float, key: Key, mask_shape: Shape | None = None) -> tuple[np.ndarray, Backward]:
    """Return x with a share `rate` of its numbers set to 0 and the others times 1 / (1 - rate), and dy -> dx.

    Parameters
    ----------
    x : array
    rate : float
        0 < rate < 1.
    key : (int, int)
    mask_shape : tuple of int, optional
        Of the mask, which broadcasts with x; that of x if absent.
    """
    return _dropped(x, rate, key, mask_shape), lambda dy: _dropped(dy, rate, key, mask_shape)


def alpha_dropout(x: np.ndarray, rate: float, key: Key, mask_shape: Shape | None = None
                  ) -> tuple[np.ndarray, Backward]:
    """Return a (x if kept else p) + b, which keeps the mean 0 and the variance 1, and dy -> dx.

        p = -1.7581.. (SELU's limit at minus infinity),  a = ((1 - rate) (1 + rate p^2))^(-1/2),  b = -a rate p

    Klambauer et al., "Self-normalizing neural networks", 2017.

    Parameters
    ----------
    x, rate, key, mask_shape : as `dropout`
    """
    # Dropout of x - p sets dropped numbers to 0; the offset adds p again.
    p = _ALPHA_PRIME
    scale = ((1 - rate) * (1 + rate * p**2)) ** -0.5 * (1 - rate)
    y = affine(_dropped(affine(x, 1.0, -p), rate, key, mask_shape), scale, scale * p)
    # The same key gives the same mask. Offsets have no gradient.
    return y, lambda dy: affine(_dropped(dy, rate, key, mask_shape), scale, 0.0)


def gaussian_noise(x: np.ndarray, stddev: float, key: Key) -> tuple[np.ndarray, Backward]:
    """Return x plus normal noise of mean 0 and standard deviation `stddev`, and dy -> dx, which is dy.

    Parameters
    ----------
    stddev : float
    """
    return _noisy(x, stddev, key, 0), lambda dy: dy


def gaussian_dropout(x: np.ndarray, rate: float, key: Key) -> tuple[np.ndarray, Backward]:
    """Return x times normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)), and dy -> dx.

    Parameters
    ----------
    rate : float
        0 < rate < 1.
    """
    stddev = math.sqrt(rate / (1 - rate))
    return _noisy(x, stddev, key, 1), lambda dy: _noisy(dy, stddev, key, 1)


def random_slopes(x: np.ndarray, lower: float, upper: float, key: Key) -> tuple[np.ndarray, Backward]:
    """Return x where it is positive, else x times a number from [lower, upper), and dy -> dx.

    Parameters
    ----------
    x : array
    lower, upper : float
    key : (int, int)
    """
    d = device.of(x)

    def slopes() -> np.ndarray:  # the key draws them again
        return uniform(d, x.shape, x.dtype, lower, upper, key)

    return merged(x, slopes(), codes.PRELU), lambda dy: merge_gradients(dy, x, slopes(), codes.PRELU)[0]


def uniform(d: device.Device, shape: Shape, dtype: np.dtype, low: float, high: float, key: Key) -> np.ndarray:
    """Return numbers from [low, high).

    Parameters
    ----------
    d : Device
    shape : tuple of int
    dtype : dtype
        float32 or float64.
    low, high : float
    key : (int, int)
    """
    y = d.empty(shape, dtype)
    d.kernels.uniform_numbers(y.reshape(-1), low, high, *key)
    return y


def normal(d: device.Device, shape: Shape, dtype: np.dtype, mean: float, stddev: float, key: Key) -> np.ndarray:
    """Return normal numbers of a mean and a standard deviation.

    Parameters
    ----------
    d, shape, dtype, key : as of `uniform`
    mean, stddev : float
    """
    y = d.full(shape, dtype, mean)
    d.kernels.gaussian_noise(y.reshape(-1), y.reshape(-1), stddev, 0, *key)
    return y


def _dropped(x: np.ndarray, rate: float, key: Key, mask_shape: Shape | None) -> np.ndarray:
    d = device.of(x)
    if mask_shape is None:
        y = d.empty(x.shape, x.dtype)
        d.kernels.dropout(y.reshape(-1), x.reshape(-1), rate, *key)
        return y
    mask = d.full(mask_shape, x.dtype, 1)
    d.kernels.dropout(mask.reshape(-1), mask.reshape(-1), rate, *key)
    return masked(x, mask)


def _noisy(x: np.ndarray, stddev: float, key: Key, multiplied: int) -> np.ndarray:
    d = device.of(x)
    y = d.empty(x.shape, x.dtype)
    d.kernels.gaussian_noise(y.reshape(-1), x.reshape(-1), stddev, multiplied, *key)
    return y
