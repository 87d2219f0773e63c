"""The numbers that both sides of peers.py start from, and what a side makes of them. Plain Python and NumPy."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from asv_benchmarks.comparison.published import NETWORKS
from asv_benchmarks.comparison.seeing import unet_batches
from asv_benchmarks.shapes import CONVOLUTIONS, MIXED, PARAMETERS, Convolution
from asv_benchmarks.training import NETWORKS as SMALL_NETWORKS


class Job(NamedTuple):
    """A work, ready on one side.

    Attributes
    ----------
    check : function
        Returns results as named arrays in fastcnn's layout; called once, before anything is timed.
    run : function
        Does the work once, on inputs that lie warm in memory.
    """

    check: Callable[[], dict[str, np.ndarray]]
    run: Callable[[], Any]


BATCH, BATCHES = 128, 16


def initial_weights(network: str) -> list[np.ndarray]:
    """Return trained weights in Keras's order and layout, scaled after Glorot.

    Biases are small numbers, so that they count; a gamma, the first of two vectors in turn, is near one.
    """
    draw, weights, shapes = np.random.default_rng(1), [], PARAMETERS[network]
    for shape, following in zip(shapes, (*shapes[1:], ())):
        window = int(np.prod(shape[:-2]))
        limit = 0.01 if len(shape) == 1 else (6 / (window * (shape[-2] + shape[-1]))) ** 0.5
        gamma = len(shape) == len(following) == 1
        weights.append(draw.uniform(-limit, limit, shape).astype(np.float32) + np.float32(gamma))
    return weights


def batches(network: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return images and labels; several batches, lest a network learn one by heart and its gradients vanish."""
    draw, shape = np.random.default_rng(2), (BATCH, *SMALL_NETWORKS[network])
    return [(draw.random(shape, dtype=np.float32), draw.integers(0, 10, BATCH)) for _ in range(BATCHES)]


def published_batches(name: str, batch: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of images (N, H, W, 3) with a label each, or each pixel: several, as `batches`."""
    if name == "unet":
        return [(one.x, one.y) for one in unet_batches(batch)]
    draw, size = np.random.default_rng(2), NETWORKS[name].size
    return [(draw.standard_normal((batch, size, size, 3), dtype=np.float32), draw.integers(0, 1000, batch))
            for _ in range(3)]


def normal(*shape: int, seed: int = 3) -> np.ndarray:
    """Return standard normal float32 numbers, the same on both sides."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def away_from_zero(*shape: int) -> np.ndarray:
    """Return numbers of at least 0.1: Adam's epsilon has another place in Keras, seen where a gradient vanishes."""
    x = normal(*shape, seed=5)
    return x + np.copysign(np.float32(0.1), x)


def layer_arrays(layer: str) -> tuple[Convolution, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a shape, x (N, H, W, C), kernel (KH, KW, C / groups, K), bias (K,), dy (N, OH, OW, K)."""
    s, draw = (CONVOLUTIONS | MIXED)[layer], np.random.default_rng(3)
    shapes = (s.n, s.h, s.w, s.c), s.kernel_shape, (s.filters,), s.output_shape
    x, kernel, bias, dy = (draw.standard_normal(shape, dtype=np.float32) for shape in shapes)
    return s, x, kernel, bias, dy


def boxes_with_scores(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (count, 4) of a picture of 640 pixels, and scores no two of which are equal."""
    draw = np.random.default_rng(7)
    corner, sides = draw.uniform(0, 576, (count, 2)), draw.uniform(13, 128, (count, 2))
    return (np.concatenate([corner, corner + sides], 1).astype(np.float32),
            ((draw.permutation(count) + 1) / count).astype(np.float32))


def maps_with_regions(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a map (1, 50, 68, 256) of an image of 800 x 1088 pixels, and regions (1, count, 4) within the image."""
    draw = np.random.default_rng(8)
    corner, sides = draw.uniform(0, 500, (1, count, 2)), draw.uniform(16, 300, (1, count, 2))
    return normal(1, 50, 68, 256), np.concatenate([corner, corner + sides], 2).astype(np.float32)
