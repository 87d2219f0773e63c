"""Pictures in other colours: an affine map of the channels for each image, or another hue and saturation."""

import numpy as np

from fastcnn import device
from fastcnn.geometry.warp import identities, sampling
from fastcnn.operations import Backward
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.warp import NO_MAPS, NO_SCALES, NO_TURNS

Bounds = tuple[float, float]


class Recolor(Change):
    """y = A x + P mean + b within bounds, where mean is that of each channel of the image.

    Parameters
    ----------
    factors : (N, C, C) array
        A. Of images of other than three channels only the diagonal is looked at.
    offsets : (N, C) array
        b.
    bounds : (float, float)
    of_mean : (N,) array, optional
        P is a multiple of the identity, by so much; 0 if absent.
    """

    def __init__(self, factors: np.ndarray, offsets: np.ndarray, bounds: Bounds,
                 of_mean: np.ndarray | None = None) -> None:
        self.factors, self.offsets, self.bounds, self.of_mean = factors, offsets, bounds, of_mean

    def maps(self, means: np.ndarray | None) -> np.ndarray:
        """Return (N, C, C + 1) arrays, (A | b) with the mean taken in."""
        offsets = self.offsets
        if self.of_mean is not None:
            assert means is not None
            offsets = offsets + self.of_mean[:, None] * means
        return np.concatenate([self.factors, offsets[..., None]], axis=2)

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        means = None if self.of_mean is None else channel_means(x)
        y, dx_and_sums = _recolored(x, self.maps(means), NO_TURNS, self.bounds)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx: np.ndarray
            dx, sums = dx_and_sums(dy)
            if self.of_mean is None or not len(x):
                return dx
            share = self.of_mean / (x.shape[1] * x.shape[2])  # of each pixel in the mean
            return _recolored(dx, _shifts(share[:, None] * device.get(sums)), NO_TURNS, (-np.inf, np.inf))[0]

        return y, backward


class Turn(Change):
    """Another hue and saturation of images of three channels.

    Parameters
    ----------
    turns : (N, 2) array
        By how many sixths of a turn the hue goes on, and by how much the saturation is multiplied.
    bounds : (float, float)
        The lower one is black.
    """

    def __init__(self, turns: np.ndarray, bounds: Bounds) -> None:
        self.turns, self.bounds = turns, bounds

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        y, dx_and_sums = _recolored(x, NO_MAPS, self.turns, self.bounds)
        return y, lambda dy: dx_and_sums(dy)[0]


def channel_means(x: np.ndarray) -> np.ndarray:
    """Return the mean of each channel of each image on the host, (N, C) float64."""
    d = device.of(x)
    means = d.empty((x.shape[0], x.shape[3]), np.dtype(np.float64))
    d.kernels.channel_means(means, x)
    return d.get(means)


def _shifts(offsets: np.ndarray) -> np.ndarray:
    n, c = offsets.shape
    return np.concatenate([np.broadcast_to(np.eye(c), (n, c, c)), offsets[..., None]], axis=2)


def _recolored(x: np.ndarray, maps: np.ndarray, turns: np.ndarray, bounds: Bounds) -> tuple[np.ndarray, Backward]:
    """Return x in other colours, and dy -> (dx, sums)."""
    d = device.of(x)
    y, within = d.empty(x.shape, x.dtype), np.array(bounds, np.float64)
    matrices, maps, turns, none = map(d.put, (identities(len(x)).reshape(-1, 9), maps, turns, NO_MAPS))
    d.kernels.augment(y, x, matrices, d.empty((0, 0, 0, 2), x.dtype), maps, turns, none, within, d.put(NO_SCALES),
                      sampling())

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dx, sums = d.empty(x.shape, dy.dtype), d.empty((x.shape[0], x.shape[3]), np.dtype(np.float64))
        d.kernels.color_backward(dx, sums, dy, x, maps, turns, within)
        return dx, sums

    return y, backward
