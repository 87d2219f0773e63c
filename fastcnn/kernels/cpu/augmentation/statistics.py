"""What changes of colour ask of an image: the mean of each channel."""

import numpy as np
from numba import types
from numba.extending import overload

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel


@kernel
def channel_means(means, x):
    """Write the mean of each channel of each image.

    Parameters
    ----------
    means : (N, C) float64 array
        Written.
    x : (N, H, W, C) array
        Of uint8, float32 or float64.
    """
    chunks = min(max(1, x.shape[0]), chunks_for(x.size, 64))
    parallel(_means, chunks, (chunks, means, x))


@inlined
def _means(chunk, chunks, means, x):
    n, h, w, c = x.shape
    numbers = x.reshape(-1)
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        means[image] = 0.0
        for i in range(h):
            at = np.uintp((image * h + i) * w * c)
            if c == 3:
                red, green, blue = _zero(x), _zero(x), _zero(x)
                for j in range(np.uintp(w)):
                    place = at + np.uintp(3) * j
                    red += numbers[place]
                    green += numbers[place + np.uintp(1)]
                    blue += numbers[place + np.uintp(2)]
                means[image, 0] += red
                means[image, 1] += green
                means[image, 2] += blue
            else:
                for k in range(c):
                    total = _zero(x)
                    for j in range(np.uintp(w)):
                        total += numbers[at + np.uintp(k) + np.uintp(c) * j]
                    means[image, k] += total
        for k in range(c):
            means[image, k] /= h * w


def _zero(x):
    """Return what a row is summed up in: integers are, which adds them as vectors."""
    return np.int32(0) if x.dtype == np.uint8 else np.float64(0)


@overload(_zero)
def _zero_of(x):
    return (lambda x: np.int32(0)) if x.dtype == types.uint8 else (lambda x: np.float64(0))
