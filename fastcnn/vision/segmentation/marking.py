"""From probabilities of pixels to objects: peaks, and what flows down from each."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integer, number
from fastcnn.vision.segmentation.libraries import ndimage, segmentation

_MIDDLE = 3.0  # pixels that a middle is higher by: half as high as nuclei of twelve pixels are wide
_STEPS = 16  # that a prominence has: heights are compared as whole numbers of them


def mark_objects(foreground: Any, middle: Any = None, *, threshold: float = 0.5, prominence: float = 0.35,
                 smooth: float = 1.0, smallest: int = 1) -> np.ndarray:
    """Return a map in which the pixels of each object have a number of its own, from 1 on.

    The pixels of objects are those whose `foreground` is above the threshold. Each peak of a height is an object, if
    from it to a higher one the way goes down by `prominence` at least; a watershed shares out the pixels among them.
    The height is the distance to the background, in pixels, so that what touches is told apart where it is narrow; and
    what a network takes for the middle of an object is higher by up to three. A part without a peak is an object. Needs
    SciPy and scikit-image.

    Parameters
    ----------
    foreground : (H, W) array
        Probabilities, or a mask of bool.
    middle : (H, W) array, optional
        How much each pixel is the middle of an object, from 0 to 1, as `pixel_shares` teaches it.
    threshold : float
        From 0 to 1.
    prominence : float
        In pixels.
    smooth : float
        The standard deviation, in pixels, by which heights are blurred before peaks are looked for.
    smallest : int
        Objects of fewer pixels are left out.

    Returns
    -------
    (H, W) int32 array

    Raises
    ------
    ImportError
        Without the libraries: they come with the extra `vision`.
    ArgumentError
        Arrays that are no maps of one size, settings that cannot be.

    Examples
    --------
    >>> mask = np.zeros((9, 17), bool)
    >>> mask[1:8, 1:8] = mask[1:8, 9:16] = mask[4, 8] = True     # two squares, joined by a pixel
    >>> fc.vision.segmentation.mark_objects(mask)[4, [2, 8, 14, 16]]
    array([1, 1, 2, 0], dtype=int32)

    References
    ----------
    Beucher, Meyer: The morphological approach to segmentation: the watershed transformation, 1993.
    """
    chance = np.asarray(foreground)
    if chance.ndim != 2 or chance.dtype.kind not in "bf" or (middle is not None and np.shape(middle) != chance.shape):
        raise ArgumentError(f"mark_objects: expected maps (H, W) of probabilities, or of bool, of one size, got "
                            f"{chance.dtype} {chance.shape}" + ("" if middle is None else f" and {np.shape(middle)}"))
    threshold, prominence, smooth = (number(value, "mark_objects", f"a {name}", good) for name, value, good in (
        ("threshold from 0 to 1", threshold, lambda n: 0 <= n <= 1),
        ("prominence above 0", prominence, lambda n: n > 0),
        ("smooth of at least 0", smooth, lambda n: n >= 0)))
    smallest = integer(smallest, "mark_objects", "smallest")
    images, mask = ndimage(), chance > threshold
    if not mask.any():
        return np.zeros(chance.shape, np.int32)
    height = images.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    if middle is not None:
        height += _MIDDLE * np.asarray(middle)
    height = images.gaussian_filter(height, smooth) if smooth else height
    peaks, count = images.label(_peaks(height, prominence) & mask, np.ones((3, 3)))
    found = segmentation().watershed(-height, peaks, mask=mask) if count else np.zeros(mask.shape, np.int64)
    left, _ = images.label(mask & (found == 0))
    found = np.where(left > 0, left + count, found)
    kept = np.bincount(found.reshape(-1)) >= smallest
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0).astype(np.int32)[found]


def _peaks(height: np.ndarray, prominence: float) -> np.ndarray:
    """Return where peaks are that rise by a prominence above the way to a higher one (h-maxima), of whole heights."""
    from skimage.morphology import reconstruction

    whole = np.round(height * (_STEPS / prominence))
    return whole - reconstruction(whole - _STEPS, whole) >= _STEPS
