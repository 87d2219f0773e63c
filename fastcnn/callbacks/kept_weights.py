"""Weights as they were, to come back to."""

from typing import Any

import numpy as np

from fastcnn import _interrupts


class KeptWeights:
    """A copy of a model's weights and statistics, in memory that it uses again for the next one.

    Attributes
    ----------
    arrays : list of ndarray, or None
        In the order of ``model.weights``; None before the first copy.
    """

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] | None = None

    def take(self, model: Any) -> None:
        """Copy the weights of a model."""
        weights = model.weights
        if self.arrays is None or [a.shape for a in self.arrays] != [w.shape for w in weights]:
            self.arrays = [np.empty(weight.shape, weight.dtype) for weight in weights]
        with _interrupts.deferred(whole=True):  # half of a copy is none
            for array, weight in zip(self.arrays, weights, strict=True):
                array[...] = weight.value

    def give_back(self, model: Any) -> None:
        """Set the weights of the model to the copy, if there is one."""
        if self.arrays is not None:
            with _interrupts.deferred(whole=True):
                model.set_weights(self.arrays)
