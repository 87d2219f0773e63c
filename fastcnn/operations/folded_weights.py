"""Weights with normalizations folded in: made when a kernel wants them, and let go once a kernel keeps them packed.

A network with batch normalization would otherwise hold its filters three times while it predicts: as they are trained,
folded, and packed.
"""

from collections.abc import Callable

import numpy as np

from fastcnn.parameters import Parameter


class FoldedWeights(Parameter):
    """A parameter whose value is computed of others, and can be computed again.

    Parameters
    ----------
    make : callable
        Returns the value, on its device; the same one each time, to the bit.
    like : Parameter
        Has the value's shape and type. It is what the value is made of, and is let go when that is done.
    name, path : str
        As of `Parameter`.
    """

    def __init__(self, make: Callable[[], np.ndarray], like: Parameter, name: str, path: str) -> None:
        self._make, self._like, self._shape, self._dtype = make, like, like.shape, like.dtype
        self._array: np.ndarray | None = None
        super().__init__(make(), name, path, rounds=like.rounds)
        like.let_go()

    @property
    def array(self) -> np.ndarray:
        """The value for kernels."""
        if self._array is None:
            self._array = self._make()
            self._like.let_go()
        return self._array

    @array.setter
    def array(self, value: np.ndarray) -> None:
        self._array = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The value's shape."""
        return self._shape

    @property
    def dtype(self) -> np.dtype:
        """The value's type."""
        return self._dtype

    @property
    def trains(self) -> bool:
        """Whether a training changes what the value is made of."""
        return self._like.trains

    def let_go(self) -> None:
        """Forget the value until somebody asks for it."""
        self._array = None
