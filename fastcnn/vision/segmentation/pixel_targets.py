"""What a network learns of each pixel of pictures with objects: background, the middle of an object, its rim."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.vision.segmentation.libraries import ndimage

#: What the shares of a pixel are of.
BACKGROUND, MIDDLE, RIM = range(3)


def pixel_shares(objects: Any) -> np.ndarray:
    """Return of each pixel how much it is background, middle of an object, and rim of one: (H, W, 3), of sum 1.

    A pixel of an object is middle by its distance to what is not the object, over the largest distance in it::

        middle = d / max d        rim = 1 - middle

    So objects that touch are apart by their rims, small ones and large ones have a middle, and one pixel is all middle.
    The end of the picture is no object's end. As a target of a softmax with cross-entropy the shares are a distance
    that is learned along with the mask. Needs SciPy.

    Parameters
    ----------
    objects : (H, W) array of int
        0 is background, each object has a number of its own above it; below 0 nobody knows, which is background here.

    Returns
    -------
    (H, W, 3) float32 array

    Raises
    ------
    ImportError
        Without SciPy: it comes with the extra `vision`.

    Examples
    --------
    >>> fc.vision.segmentation.pixel_shares(np.array([[0, 1, 1, 1, 0, 2]]))[0, :, 1]
    array([0. , 0.5, 1. , 0.5, 0. , 1. ], dtype=float32)
    """
    middle = middles(objects)
    inside = (np.asarray(objects) > 0).astype(np.float32)
    return np.stack([1 - inside, middle, inside - middle], axis=-1)


def middles(objects: Any) -> np.ndarray:
    """Return d / max d of the pixels of objects, (H, W) float32; above 0 in all of them, 0 elsewhere."""
    objects, images = map_of_objects(objects, "pixel_shares"), ndimage()
    names, which = np.unique(np.maximum(objects, 0), return_inverse=True)
    numbers = which.reshape(objects.shape) + (0 if names[0] == 0 else 1)
    found = np.zeros(objects.shape, np.float32)
    for number, box in enumerate(images.find_objects(numbers), 1):
        # A pixel around, of what is not the object, where the picture has one.
        window = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
        own = numbers[window] == number
        far = np.ones(own.shape) if own.all() else images.distance_transform_edt(own)
        found[window][own] = (far / far.max())[own]
    return found


def map_of_objects(objects: Any, who: str) -> np.ndarray:
    """Return a map (H, W) of int.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    found = np.asarray(objects)
    if found.ndim != 2 or found.dtype.kind not in "bui" or not found.size:
        raise ArgumentError(f"{who}: expected a map (H, W) of int, a number for each object, got {found.dtype} "
                            f"{found.shape}")
    return found
