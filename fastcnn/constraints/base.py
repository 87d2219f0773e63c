"""What a constraint is."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.unsupported import ExplainsUnsupported


class Constraint(ExplainsUnsupported):
    """What a weight may be: called with its value after each step of an optimizer, it returns the value that is kept.

    One of your own has ``__call__(self, w)``, which returns an array of the same shape, and ``get_config``.

    Examples
    --------
    >>> class SumsToOne(constraints.Constraint):
    ...     def __call__(self, w):
    ...         return w / w.sum()
    ...
    >>> SumsToOne()(np.array([1, 3], "float32"))
    array([0.25, 0.75], dtype=float32)
    """

    unsupported = "constraint"

    def __call__(self, w: Any) -> Any:
        return w

    def apply(self, parameter: Any) -> None:
        """Let a parameter be what the constraint makes of it.

        Parameters
        ----------
        parameter : Parameter

        Raises
        ------
        ArgumentError
            If the constraint returns no array of the parameter's shape.
        """
        assign(self, parameter)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constraint":
        """Make a constraint from `get_config`."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constraint) and type(self) is type(other) and self.get_config() == other.get_config()

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def assign(constraint: Any, parameter: Any) -> None:
    """Assign to a parameter what a constraint, or a function, returns for its value."""
    value = np.asarray(constraint(parameter.value))
    if value.shape != parameter.shape:
        name = getattr(constraint, "__name__", type(constraint).__name__)
        raise ArgumentError(f"constraint {name}: expected it to return a value of {parameter.path}'s shape "
                            f"{parameter.shape}, got {value.shape}")
    parameter.assign(value)
