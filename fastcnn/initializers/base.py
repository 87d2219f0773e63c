"""What an initializer is."""

from typing import Any

import numpy as np

from fastcnn.unsupported import ExplainsUnsupported


class Initializer(ExplainsUnsupported):
    """Makes the first value of a parameter: ``initializer(shape, dtype)``.

    Examples
    --------
    >>> class Ramp(initializers.Initializer):
    ...     def __call__(self, shape, dtype="float32"):
    ...         return np.linspace(0, 1, shape[-1], dtype=dtype) + np.zeros(shape, dtype)
    ...
    >>> layer = layers.Dense(3, kernel_initializer=Ramp())
    >>> layer.build((None, 2))
    >>> layer.kernel.value
    array([[0. , 0.5, 1. ],
           [0. , 0.5, 1. ]], dtype=float32)
    """

    unsupported = "initializer"

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """Make an initializer from `get_config`."""
        return cls(**config)
