"""Pictures with other tones: posterized, solarized, equalized, sharpened, or stretched from the least to the most."""

import numpy as np

from fastcnn import device
from fastcnn.kernels import tone_codes
from fastcnn.operations import Backward
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.color import Recolor


class Tone(Change):
    """Another tone for each tone, as the code of each image says (`fastcnn.kernels.tone_codes`).

    Parameters
    ----------
    codes : (N,) int64 array
    parameters : (N, 2) array
    bounds : (float, float)
        The lowest and the highest value of a pixel.
    """

    SAME, POSTERIZED, SOLARIZED = tone_codes.SAME, tone_codes.POSTERIZED, tone_codes.SOLARIZED
    EQUALIZED, SHARPENED = tone_codes.EQUALIZED, tone_codes.SHARPENED

    def __init__(self, codes: np.ndarray, parameters: np.ndarray, bounds: tuple[float, float]) -> None:
        self.codes, self.parameters, self.bounds = codes, parameters, bounds

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        d, bounds = device.of(x), np.array(self.bounds, np.float64)
        codes, parameters = d.put(self.codes), d.put(self.parameters)
        y, tables = d.empty(x.shape, x.dtype), d.empty((x.shape[0], x.shape[3], 256), np.dtype(np.float64))
        d.kernels.tone_images(y, tables, x, codes, parameters, bounds)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(x.shape, dy.dtype)
            d.kernels.tone_images_backward(dx, dy, x, codes, parameters, bounds)
            return dx

        return y, backward


class Stretch(Change):
    """Each channel of some images stretched, so that its least number becomes the lower bound, its largest the upper.

    Parameters
    ----------
    some : (N,) array of bool
        Which images.
    bounds : (float, float)
    """

    def __init__(self, some: np.ndarray, bounds: tuple[float, float]) -> None:
        self.some, self.bounds = some, bounds

    def images(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        numbers, (low, high) = device.get(x), self.bounds
        n, c = x.shape[0], x.shape[3]
        if not self.some.any():
            return x, lambda dy: dy
        least, most = (numbers.min(axis=(1, 2)).astype(np.float64), numbers.max(axis=(1, 2)).astype(np.float64))
        one_tone = (most == least) | ~self.some[:, None]
        factors = np.where(one_tone, 1.0, (high - low) / np.where(one_tone, 1.0, most - least))
        offsets = np.where(one_tone, 0.0, low - least * factors)
        return Recolor(factors[:, :, None] * np.eye(c), offsets.reshape(n, c), (-np.inf, np.inf)).images(x)
