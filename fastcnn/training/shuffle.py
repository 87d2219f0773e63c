"""The orders in which a training sees its samples, or its batches where these come from elsewhere."""

import numpy as np

from fastcnn import random


class Orders:
    """The orders in which a model sees the samples: another one for each epoch that it begins.

    Parameters
    ----------
    seed : int
        The same gives the same orders, one after another.
    """

    def __init__(self, seed: int) -> None:
        self._draw, self._drawn = random.generator(seed), 0

    def next(self, samples: int, epoch: int) -> np.ndarray:
        """Return the next order, or that of `epoch` if it is a later one: a training that others began goes on."""
        for _ in range(max(1, epoch + 1 - self._drawn)):
            order = self._draw.permutation(samples)
            self._drawn += 1
        return order
