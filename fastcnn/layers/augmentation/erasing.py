"""Pictures with a box erased, and pictures with noise."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.layers.augmentation.base import Augmentation
from fastcnn.layers.augmentation.factors import factor_range
from fastcnn.layers.augmentation.factors import value_range as range_of
from fastcnn.operations.augmentation.change import Change
from fastcnn.operations.augmentation.color import Recolor
from fastcnn.operations.augmentation.draws import Draws
from fastcnn.operations.augmentation.patch import Patch
from fastcnn.traits import Trait


class RandomErasing(Augmentation):
    """In training, erase a box of some images: it is filled with noise, or with a colour.

    Zhong et al., "Random erasing data augmentation", 2017.

    Parameters
    ----------
    factor : float or (float, float)
        The range of shares of images that this happens to, from 0 to 1; one number f means 0 .. f.
    scale : float or (float, float)
        The range of the box's area as a part of the image's, from 0 to 1; of each side its square root.
    fill_value : float or three floats, optional
        The colour; if absent normal noise whose standard deviation is the highest value of a pixel, as in Keras.
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which the filling is brought.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> y = layers.RandomErasing((1, 1), scale=(0.25, 0.25), fill_value=0, seed=1)(np.ones((1, 8, 8, 3)))
    >>> int((y == 0).sum()) // 3
    16
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any = 1.0, scale: Any = (0.02, 0.33), fill_value: Any = None,
                 value_range: Any = (0, 255), seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = factor_range(factor, self, bounds=(0.0, 1.0))
        self.scale = factor_range(scale, self, "scale", (0.0, 1.0))
        self.value_range = range_of(value_range, self)
        several = isinstance(fill_value, (tuple, list))
        if several and len(fill_value) != 3:
            raise ArgumentError(f"{self}: expected fill_value to be a number or three, got {fill_value!r}")
        self.fill_value = None if fill_value is None else [
            number(one, self, "a number or three for fill_value") for one in (fill_value if several else [fill_value])]

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        h, w, c = shape
        if self.fill_value is not None and len(self.fill_value) not in (1, c):
            raise ArgumentError(f"{self}: expected images of 3 channels for a fill_value of three numbers, got {c}")
        some = draws.chance(draws.uniform(*self.factor))
        boxes = random_boxes(draws, np.sqrt(draws.uniform(*self.scale, 2)), (h, w))
        boxes[~some] = 0
        low, high = self.value_range
        colors = np.zeros(c) if self.fill_value is None else np.full(c, np.clip(self.fill_value, low, high))
        stddevs = np.full(len(draws), float(high) if self.fill_value is None else 0.0)
        return [Patch(boxes, draws.words(2), colors, stddevs, 0.0, self.value_range)]


class RandomNoise(Augmentation):
    """In training, add normal noise to the numbers of each image, of a strength of its own.

    `GaussianNoise` has one strength for all.

    Parameters
    ----------
    factor : float or (float, float)
        The range of the standard deviation as a part of the width of `value_range`, from 0 to 1; one number f means
        0 .. f.
    value_range : (float, float)
        The lowest and the highest value of a pixel, within which results are brought.
    seed : int, optional
        The next of the sequence if absent.
    data_format : str, optional
        "channels_last".

    Examples
    --------
    >>> y = layers.RandomNoise((0.1, 0.1), seed=1)(np.full((1, 64, 64, 3), 128.0))
    >>> bool(abs(y.std() - 25.5) < 1)
    True
    """

    traits = Trait.IDLE

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor, self.value_range = factor_range(factor, self, bounds=(0.0, 1.0)), range_of(value_range, self)

    def changes(self, draws: Draws, shape: tuple[int, int, int]) -> list[Change]:
        h, w, c = shape
        n, (low, high) = len(draws), self.value_range
        stddevs = draws.uniform(*self.factor) * (high - low)
        whole = np.broadcast_to(np.array([0, 0, h, w]), (n, 4)).copy()
        same = np.broadcast_to(np.eye(c), (n, c, c))
        return [Patch(whole, draws.words(2), np.zeros(c), stddevs, 1.0),
                Recolor(same, np.zeros((n, c)), self.value_range)]


def random_boxes(draws: Draws, parts: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return boxes anywhere on images, whose width and height are parts of theirs, (N, 2): (N, 4) int64.

    A pixel is in a box if its number is, so those of which there is less than one are of no pixel or of one.
    """
    edges = []
    for k, length in ((0, size[1]), (1, size[0])):
        extent = parts[:, k] * length
        begin = draws.uniform(0.0, 1.0) * (length - extent)
        edges.append([np.ceil(begin), np.ceil(begin + extent)])
    (left, right), (top, bottom) = edges
    return np.stack([top, left, np.minimum(bottom, size[0]), np.minimum(right, size[1])], axis=1).astype(np.int64)


