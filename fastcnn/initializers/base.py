"""What an initializer is."""

from typing import Any

import numpy as np

from fastcnn.unsupported import ExplainsUnsupported


class Initializer(ExplainsUnsupported):
    """Makes the first value of a parameter: ``initializer(shape, dtype)``."""

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
