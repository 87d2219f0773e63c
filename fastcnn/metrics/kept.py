"""What metrics keep of every sample, where no sum is enough."""

import numpy as np


class Kept:
    """Some arrays that grow together, a row a sample.

    Parameters
    ----------
    *arrays : (N, ...) arrays
        What is there at first: N may be 0.
    """

    def __init__(self, *arrays: np.ndarray) -> None:
        self._blocks = [tuple(np.array(one) for one in arrays)]

    def add(self, *arrays: np.ndarray) -> None:
        """Append rows to each array."""
        self._blocks.append(arrays)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Return the arrays, whole."""
        if len(self._blocks) > 1:
            self._blocks = [tuple(np.concatenate(parts) for parts in zip(*self._blocks, strict=True))]
        return self._blocks[0]

    def get_state(self) -> list[np.ndarray]:
        """Return copies of the arrays."""
        return [one.copy() for one in self.arrays()]
