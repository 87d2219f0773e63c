"""A picture through a feed-forward style network: one pass."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.models.network import Network
from fastcnn.vision.style import pictures

_DIVISOR = 4  # `StyleNet` halves its picture twice


def paint(picture: Any, network: Network, size: int | None = None) -> np.ndarray:
    """Return a picture as a feed-forward style network paints it, (H, W, 3) uint8.

    Sides that the network cannot divide are continued by their mirror image, and cut back.

    Parameters
    ----------
    picture : path-like, or (H, W, 3) array
        uint8, or floats from 0 to 1.
    network : Model
        Takes and returns pictures from 0 to 255: `fastcnn.vision.style.StyleNet`.
    size : int, optional
        Pixels of the longer side of the result; the picture's own without it.

    Raises
    ------
    ArgumentError
        If it is no picture, or the network is not of pictures.
    DataError
        If a file is no picture.

    Examples
    --------
    >>> network = fc.vision.style.StyleNet(input_shape=(16, 16, 3))
    >>> fc.vision.style.paint(np.zeros((17, 19, 3), "uint8"), network).shape
    (17, 19, 3)
    """
    given = pictures.as_picture(picture, "paint")
    if len(network.input_shapes) != 1 or len(network.input_shape) != 4 or network.input_shape[-1] != 3:
        raise ArgumentError(f"paint: expected a network from pictures (H, W, 3) to pictures, got {network} with input "
                            f"{network.input_shapes}")
    if size is not None:
        given = pictures.resized(given, *pictures.of_longest_side(given, size))
    height, width = given.shape[:2]
    whole = pictures.bordered(given, -height % _DIVISOR, -width % _DIVISOR)
    painted = network.for_shape((None, *whole.shape)).predict(whole[None] * 255, verbose=0)[0, :height, :width]
    if painted.shape != given.shape:
        raise ArgumentError(f"paint: expected pictures of the size of the input from {network}, got {painted.shape} "
                            f"for {given.shape}")
    return (np.clip(painted, 0, 255) + 0.5).astype(np.uint8)
