"""The values of pictures as a network takes them: dark ones and bright ones alike."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number

_LEAST = 3.0  # values between the percentiles, at least: what is darker is noise
_MOST = 3.0  # what is brighter is cut off


def limits(picture: np.ndarray, percentiles: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the values of a whole picture that become 0 and 1; None where it stays from 0 to 255.

    Parameters
    ----------
    picture : (H, W, C) uint8 array
    percentiles : (float, float), optional
    """
    if percentiles is None:
        return None
    low, high = np.percentile(picture, percentiles).tolist()
    return low, max(high, low + _LEAST)


def scaled(picture: np.ndarray, bounds: tuple[float, float] | None) -> np.ndarray:
    """Return a picture (H, W, C) or a part of one as float32: (x - low) / (high - low), of the `limits` of the whole.

    Parameters
    ----------
    picture : (H, W, C) uint8 array
    bounds : (float, float), optional
    """
    x = picture.astype(np.float32)
    if bounds is None:
        return x
    low, high = bounds
    return np.minimum((x - np.float32(low)) / np.float32(high - low), np.float32(_MOST))


def checked_percentiles(given: Any, who: str) -> tuple[float, float] | None:
    """Return two percentiles that rise, or None.

    Raises
    ------
    ArgumentError
        If they are something else.
    """
    if given is None:
        return None
    expected = "two percentiles that rise, from 0 to 100"
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ArgumentError(f"{who}: expected {expected}, got {given!r}")
    low, high = (number(one, who, expected, lambda n: 0 <= n <= 100) for one in given)
    if low >= high:
        raise ArgumentError(f"{who}: expected {expected}, got {given!r}")
    return low, high
