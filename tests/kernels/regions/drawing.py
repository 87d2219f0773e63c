"""Boxes for the tests of kernels of regions."""

import numpy as np


def boxes(count, size=40, seed=0, dtype=np.float32, lead=()):
    """Return boxes of a picture of `size` pixels, always the same ones, at quarters of pixels."""
    draw = np.random.default_rng(seed)
    corners = np.sort(draw.integers(0, 4 * size, (*lead, count, 2, 2)), axis=-2) / 4
    corners[..., 1, :] += 0.25  # none without area
    return corners.reshape(*lead, count, 4).astype(dtype)
