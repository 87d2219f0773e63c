"""Weights of pixels: those between two objects that nearly touch count most."""

import math
from typing import Any

import numpy as np

from fastcnn.geometry.arguments import number
from fastcnn.vision.segmentation.libraries import ndimage
from fastcnn.vision.segmentation.pixel_targets import map_of_objects

_REACH = 6.0  # in sigmas: beyond it exp(-(d1 + d2)^2 / 2 sigma^2) is below 2e-8


def border_weights(objects: Any, *, w0: float = 10.0, sigma: float = 5.0, balance: bool = False) -> np.ndarray:
    """Return the weight of each pixel (H, W) in a loss, larger between objects that are close to one another.

    ::

        w = w_c + w0 exp(-(d1 + d2)^2 / (2 sigma^2))

    with d1 and d2 the distances to the nearest object and to the second nearest, 0 inside. Needs SciPy.

    Parameters
    ----------
    objects : (H, W) array of int
        0 is background, each object has a number of its own above it. Pixels below 0, which nobody knows, weigh
        nothing.
    w0 : float
    sigma : float
        In pixels.
    balance : bool
        Whether w_c makes up for how rare objects are, or background: half of the pixels over how many there are of the
        kind. Else it is 1.

    Returns
    -------
    (H, W) float32 array

    Raises
    ------
    ImportError
        Without SciPy: it comes with the extra `vision`.

    References
    ----------
    Ronneberger, Fischer, Brox: U-Net, 2015, equation 2.

    Examples
    --------
    >>> fc.vision.segmentation.border_weights(np.array([[1, 1, 0, 2, 2, 0, 0, 0]]), sigma=2.0).round(2)
    array([[4.25, 7.07, 7.07, 7.07, 4.25, 1.44, 1.02, 1.  ]], dtype=float32)
    """
    objects = map_of_objects(objects, "border_weights")
    w0 = number(w0, "border_weights", "a w0 of at least 0", lambda n: n >= 0)
    sigma = number(sigma, "border_weights", "a sigma above 0", lambda n: n > 0)
    weights = np.ones(objects.shape)
    if balance:
        known, inside = int((objects >= 0).sum()), int((objects > 0).sum())
        counts = np.where(objects > 0, inside, known - inside)
        weights = known / (2 * np.maximum(counts, 1))
    nearest, second = _two_distances(np.maximum(objects, 0), math.ceil(_REACH * sigma))
    weights = weights + w0 * np.exp(-np.square(nearest + second) / (2 * sigma * sigma))
    return np.where(objects < 0, 0.0, weights).astype(np.float32)


def _two_distances(objects: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances to the nearest object and to the second nearest, infinite from `reach` on or so."""
    images = ndimage()
    nearest, second = np.full((2, *objects.shape), np.inf)
    names, which = np.unique(objects, return_inverse=True)
    numbers = which.reshape(objects.shape) + (0 if names[0] == 0 else 1)
    for one, box in enumerate(images.find_objects(numbers), 1):
        window = tuple(slice(max(0, side.start - reach), side.stop + reach) for side in box)
        far = images.distance_transform_edt(numbers[window] != one)
        near, next_one = nearest[window], second[window]  # views
        np.minimum(next_one, np.maximum(near, far), out=next_one)
        np.minimum(near, far, out=near)
    return nearest, second
