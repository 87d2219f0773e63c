"""What a metric of a user's own may count in, as in Keras: variables that `add_weight` makes and `assign` changes.

::

    class TruePositives(metrics.Metric):
        def __init__(self, name="true_positives", **kwargs):
            super().__init__(name=name, **kwargs)
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign_add(ops.sum(ops.cast(y_true, "float32") * ops.cast(y_pred > 0.5, "float32")))

        def result(self):
            return self.count
"""

from typing import Any

import numpy as np

from fastcnn import initializers
from fastcnn.parameters import Parameter


class OwnVariables:
    """The part of a metric that holds variables of a user's own, in float64."""

    name: str
    _variables: tuple[Parameter, ...] = ()

    def add_weight(self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
                   ) -> Parameter:
        """Make a variable to count in; `reset_state` gives it its first value again.

        Parameters
        ----------
        shape : tuple of int
        initializer : str or Initializer, optional
            "zeros" if absent.
        dtype : str, optional
            Metrics count in float64 whatever it says.
        name : str, optional
            "variable", "variable_1", ... if absent.
        """
        size = (shape,) if isinstance(shape, int) else tuple(shape)
        first = initializers.first_value("zeros" if initializer is None else initializer, size, np.dtype(np.float64))
        if name is None:
            name = f"variable_{len(self._variables)}" if self._variables else "variable"
        variable = Parameter(first.copy(), name, f"{self.name}/{name}", trainable=False)
        variable.derived["first"] = first
        self._variables = (*self._variables, variable)
        return variable

    def add_variable(self, shape: Any, initializer: Any, dtype: Any = None, aggregation: str | None = None,
                     name: str | None = None) -> Parameter:
        """As `add_weight`, with Keras's newer name and its order of arguments; there is nothing to aggregate."""
        return self.add_weight(shape, initializer, dtype, name)

    @property
    def variables(self) -> list[Any]:
        """The variables that `add_weight` made."""
        return list(self._variables)

    def begin(self) -> None:
        """Start counting, when the base is made: a class of a user's own makes what it counts in after that."""
        try:
            self.reset_state()
        except AttributeError:
            if type(self).__module__.startswith("fastcnn."):
                raise

    def reset_state(self) -> None:
        """Start counting anew: variables of your own get their first values."""
        for variable in self._variables:
            variable.assign(variable.derived["first"])


def as_number(result: Any) -> Any:
    """Return what a metric's result says as a number, or as an array, of what `add_weight` and operations return.

    Parameters
    ----------
    result : object
        Dicts of results too; anything else stays as it is.
    """
    if isinstance(result, dict):
        return {name: as_number(one) for name, one in result.items()}
    if isinstance(result, Parameter):
        result = result.numpy()
    return result.item() if isinstance(result, np.ndarray) and not result.ndim else result
