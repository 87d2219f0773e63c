"""The shuffled orders in which a training sees its samples; of a numbered source, its batches."""

from typing import Any

import numpy as np

from fastcnn import random


class Orders:
    """The orders in which a model sees the samples: a new one for each epoch.

    Parameters
    ----------
    seed : int
        The same seed gives the same sequence of orders.

    Attributes
    ----------
    epoch : int
        Whose order was drawn last; -1 before the first.
    """

    def __init__(self, seed: int) -> None:
        self._draw, self._drawn = random.generator(seed), 0

    def next(self, samples: int, epoch: int) -> np.ndarray:
        """Return the next order, or that of `epoch` if it is later: a resumed training sees the same orders."""
        # Skipped orders are drawn, too: nothing else brings the generator to the state after them.
        for _ in range(max(1, epoch + 1 - self._drawn)):
            order = self._draw.permutation(samples)
            self._drawn += 1
        return order

    @property
    def epoch(self) -> int:
        return self._drawn - 1

    def get_state(self) -> dict[str, Any]:
        """Return what `set_state` takes to draw the same orders again: integers and names."""
        return {"drawn": self._drawn, "generator": self._draw.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where `get_state` was called.

        Parameters
        ----------
        state : dict
        """
        self._drawn, self._draw.bit_generator.state = state["drawn"], state["generator"]
