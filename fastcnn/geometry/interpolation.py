"""Interpolation along one dimension: where an output lies on the input, and which pixels it is a mixture of.

For output i of m, of a dimension of length n and with scale s (m / n, or as given), the place on the input is

    half_pixel             (i + 1/2) / s - 1/2                 Keras, TensorFlow 2, PyTorch with align_corners=False
    pytorch_half_pixel     the same, but 0 where m = 1
    half_pixel_symmetric   the same, moved by n / 2 (1 - m / (s n)): both ends lose alike where s n is rounded
    align_corners          i (n - 1) / (s n - 1)               the corners' centres lie on one another
    asymmetric             i / s                               Upsample, TensorFlow 1
    tf_half_pixel_for_nn   (i + 1/2) / s

The nearest pixel is the place rounded, by one of four rules; linear interpolation mixes the two pixels about it, cubic
convolution four (Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 4, with `a` in
place of its -1/2: PyTorch, ONNX and OpenCV take -3/4). What lies outside is the border's pixel::

    2 pixels to 4, linear      x   |     0     |     1     |         y0 = x0              y2 = 1/4 x0 + 3/4 x1
    half_pixel                 y   |  0  |  1  |  2  |  3  |         y1 = 3/4 x0 + 1/4 x1          y3 = x1
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from fastcnn.geometry.resize import Taps, banded

COORDINATES = ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric",
               "tf_half_pixel_for_nn")

#: How the place of the nearest pixel is rounded.
ROUNDING: dict[str, Any] = {
    "round_prefer_floor": lambda at: np.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: np.floor(at + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}

MODES = ("nearest", "linear", "cubic")


class Interpolation(NamedTuple):
    """How outputs are made of pixels.

    Attributes
    ----------
    mode : str
        One of MODES.
    coordinates : str
        One of COORDINATES.
    rounding : str
        One of ROUNDING, for the nearest.
    a : float
        The coefficient of cubic convolution.
    antialias : bool
        Whether an output that covers several pixels is a mixture of all of them.
    exclude_outside : bool
        Whether what lies outside has no weight, in place of the border's pixel.
    """

    mode: str
    coordinates: str = "half_pixel"
    rounding: str = "round_prefer_floor"
    a: float = -0.75
    antialias: bool = False
    exclude_outside: bool = False


LINEAR, CUBIC = Interpolation("linear"), Interpolation("cubic")


def coordinates(kind: str, length: int, outputs: int, scale: float) -> np.ndarray:
    """Return where each output lies on the input, by one of COORDINATES."""
    i = np.arange(outputs, dtype=np.float64)
    if kind == "align_corners":
        return i * (length - 1) / (scale * length - 1) if scale * length > 1 else np.zeros(outputs)
    if kind == "asymmetric":
        return i / scale
    if kind == "tf_half_pixel_for_nn":
        return (i + 0.5) / scale
    half = (i + 0.5) / scale - 0.5
    if kind == "half_pixel_symmetric":
        return length / 2 * (1 - outputs / (scale * length)) + half
    return np.zeros(outputs) if kind == "pytorch_half_pixel" and outputs == 1 else half


def nearest(at: np.ndarray, length: int, rounding: str) -> np.ndarray:
    """Return the pixel nearest to each place, by one of ROUNDING."""
    places: np.ndarray = np.clip(ROUNDING[rounding](at), 0, length - 1).astype(np.int64)
    return places


def mixture(at: np.ndarray, length: int, scale: float, how: Interpolation) -> tuple[np.ndarray, np.ndarray]:
    """Return which pixels each output is a mixture of, and their weights, (outputs, pixels) each."""
    if how.mode == "nearest":
        places = nearest(at, length, how.rounding)[:, None]
        return places, np.ones(places.shape)
    stretch = min(scale, 1.0) if how.antialias else 1.0  # shrinking, the kernel is as wide as the outputs lie apart
    width = math.ceil((1 if how.mode == "linear" else 2) / stretch)
    places = np.floor(at).astype(np.int64)[:, None] - width + 1 + np.arange(2 * width)
    weights = (linear_weights if how.mode == "linear" else cubic_weights)((at[:, None] - places) * stretch, how.a)
    if how.exclude_outside:
        weights = np.where((places >= 0) & (places < length), weights, 0)
    return np.clip(places, 0, length - 1), weights / weights.sum(axis=1, keepdims=True)


def linear_weights(distance: np.ndarray, a: float) -> np.ndarray:
    """Return the weights of linear interpolation, by distance in pixels."""
    weights: np.ndarray = np.maximum(1 - np.abs(distance), 0)
    return weights


def cubic_weights(distance: np.ndarray, a: float) -> np.ndarray:
    """Return the weights of cubic convolution, by distance in pixels."""
    t = np.abs(distance)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


def scaled_length(length: int, scale: float) -> int:
    """Return how many outputs a dimension has at a scale: rounded down, of a product in single precision as ONNX's."""
    return int(np.floor(np.float32(length) * np.float32(scale)))


@functools.lru_cache(maxsize=256)
def interpolation_taps(length: int, outputs: int, scale: float, how: Interpolation, dtype: str) -> tuple[Taps, Taps]:
    """Return the taps of an interpolation, and those of its gradient.

    Parameters
    ----------
    length, outputs : int
    scale : float
        Usually outputs / length.
    how : Interpolation
    dtype : str
        Of the weights.
    """
    places, weights = mixture(coordinates(how.coordinates, length, outputs, scale), length, scale, how)
    at = np.broadcast_to(np.arange(outputs)[:, None], places.shape)
    return banded(outputs, length, at.reshape(-1), places.reshape(-1), weights.reshape(-1), dtype)


@functools.lru_cache(maxsize=256)
def picked_taps(length: int, indices: tuple[int, ...], dtype: str) -> tuple[Taps, Taps]:
    """Return the taps of outputs that are a pixel each, by its index (negative from the end), and of the gradient."""
    count = len(indices)
    return banded(count, length, np.arange(count), np.array(indices) % length, np.ones(count), dtype)
