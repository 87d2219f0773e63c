"""A first layer that is made from images instead of drawn: what its filters answer is uncorrelated."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, DataError
from fastcnn.geometry.arguments import several
from fastcnn.initializers.base import Initializer

_CHUNK = 256  # images that are float64 at a time


class PatchWhitening(Initializer):
    """Filters that whiten patches of images, and their negatives: a first convolution that need not be trained.

        kernel = [v_1 / sqrt(lambda_1 + epsilon), v_2 / sqrt(lambda_2 + epsilon), ..., and the same with minus]

    where lambda_1 > lambda_2 > ... are the eigenvalues, and v_1, v_2, ... the eigenvectors, of the covariance of all
    patches of the kernel's size. What each filter answers has variance 1 (less where epsilon says that lambda is noise)
    and is uncorrelated with the others. With the negatives a rectifier behind them loses nothing. Freeze the layer.

    Page, "How to train your ResNet 8: bag of tricks", 2019; in this form Jordan, "94% on CIFAR-10 in 3.29 seconds on a
    single GPU", 2024, arXiv 2404.00498, section 3.2: 24 filters of 2 x 2 for images of three channels.

    Parameters
    ----------
    x : (N, H, W, C) array
        Images as the layer gets them, standardized if they will be; 5,000 are enough. They are looked at now and not
        kept: a configuration has their covariance instead.
    kernel_size : int or (int, int)
        That of the layer.
    epsilon : float
        Positive, as a variance: what is far below it is not made louder.
    covariance : (KH KW C, KH KW C) array, optional
        Of patches, in place of x.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(64, 8, 8, 3)).astype("float32")
    >>> first = layers.Conv2D(24, 2, kernel_initializer=initializers.PatchWhitening(x), trainable=False)
    >>> y = first(x)
    >>> y.shape, y[..., :12].std((0, 1, 2)).round(1).min()
    ((64, 7, 7, 24), np.float32(1.0))
    """

    def __init__(self, x: Any = None, kernel_size: int | tuple[int, int] = 2, epsilon: float = 5e-4,
                 covariance: Any = None) -> None:
        self.kernel_size: Any = several(kernel_size, 2, "PatchWhitening: kernel_size")
        if not 0 < epsilon < math.inf:
            raise ArgumentError(f"PatchWhitening: expected a positive epsilon, got {epsilon}")
        self.epsilon = float(epsilon)
        if (x is None) == (covariance is None):
            raise ArgumentError("PatchWhitening: expected images, or the covariance of their patches, got "
                                f"{'neither' if x is None else 'both'}")
        self.covariance = _covariance(_checked(x, *self.kernel_size), *self.kernel_size) if covariance is None else (
            np.array(covariance, np.float64))
        area = math.prod(self.kernel_size)
        if self.covariance.ndim != 2 or len(set(self.covariance.shape)) != 1 or len(self.covariance) % area:
            raise ArgumentError(f"PatchWhitening: expected a square covariance, {area} rows for each channel, "
                                f"got shape {self.covariance.shape}")

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        """Return the filters.

        Parameters
        ----------
        shape : (KH, KW, C, K)
            K is even, and at most 2 KH KW C: with fewer, those of the largest eigenvalues.
        dtype : dtype
        """
        size, channels = len(self.covariance), len(self.covariance) // math.prod(self.kernel_size)
        if len(shape) != 4 or shape[:3] != (*self.kernel_size, channels) or shape[3] % 2 or shape[3] > 2 * size:
            height, width = self.kernel_size
            raise ArgumentError(f"PatchWhitening: expected a kernel ({height}, {width}, {channels}, K) as the images "
                                f"have channels, with an even K, at most {2 * size}, got {tuple(shape)}")
        filters = shape[3] // 2
        variances, vectors = np.linalg.eigh(self.covariance)
        variances, vectors = variances[::-1][:filters], vectors[:, ::-1][:, :filters]
        # An eigenvector may have either sign, and libraries differ: the largest part is made positive.
        largest = np.take_along_axis(vectors, np.abs(vectors).argmax(0)[None], 0)
        whitening = vectors * np.sign(largest) / np.sqrt(np.maximum(variances, 0) + self.epsilon)
        return np.concatenate([whitening, -whitening], axis=1).reshape(shape).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        return {"kernel_size": self.kernel_size, "epsilon": self.epsilon, "covariance": self.covariance.tolist()}


def _checked(x: Any, height: int, width: int) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 4 or x.dtype.kind not in "buif" or not x.size or x.shape[1] < height or x.shape[2] < width:
        raise DataError(f"PatchWhitening: expected images (N, H, W, C) of numbers, at least {height} x {width}, got "
                        f"{x.dtype} of shape {x.shape}")
    return x


def _covariance(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the covariance of all patches (height, width, C), in float64.

    Each of its numbers is a sum over all images, added in one order whatever the threads: a matrix product of NumPy's
    would not promise that.
    """
    rows, columns = x.shape[1] - height + 1, x.shape[2] - width + 1
    parts = [(i, j, c) for i in range(height) for j in range(width) for c in range(x.shape[3])]
    sums, products = np.zeros(len(parts)), np.zeros((len(parts), len(parts)))
    for begin in range(0, len(x), _CHUNK):
        chunk = x[begin:begin + _CHUNK].transpose(3, 0, 1, 2).astype(np.float64, order="C")
        pixels = [chunk[c, :, i:i + rows, j:j + columns].ravel() for i, j, c in parts]
        for a, one in enumerate(pixels):
            sums[a] += one.sum()
            for b in range(a + 1):
                products[a, b] += (one * pixels[b]).sum()
    means = sums / (len(x) * rows * columns)
    lower = np.tril(products / (len(x) * rows * columns) - np.outer(means, means))
    return lower + np.tril(lower, -1).T
