"""Weight decay apart from the gradient, and the parameters that are spared it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.optimizers.parameter_group import ParameterGroup, scale_parts
from fastcnn.parameters import Parameter


class WeightDecay:
    """The part of an optimizer that shrinks values before a step."""

    # What the other part has.
    weight_decay: float | None
    _parameters: list[Parameter]

    _exempt: tuple[set[int], Any] = (set(), None)
    _spared_names: Sequence[str] = ()

    def _is_spared(self, parameter: Parameter) -> bool:
        ids, pattern = self._exempt
        return id(parameter) in ids or (pattern is not None and pattern.search(parameter.name) is not None)

    def _decay_of(self, part: ParameterGroup) -> float:
        """Return the weight decay of a part."""
        return self.weight_decay or 0.0

    def _decay(self, part: ParameterGroup, rate: float) -> float:
        """Return the decay of a part for `update`; where some parameters are spared, do it here and return 0."""
        decay, segment = rate * self._decay_of(part), part.segment
        # The kernel has one decay for a whole segment.
        if not decay or not part.spared.any():
            return decay
        scale_parts(segment, segment.values, np.where(part.spared, 1.0, 1.0 - decay))
        return 0.0

    def exclude_from_weight_decay(self, var_list: Iterable[Parameter] | None = None,
                                  var_names: Iterable[str] | None = None) -> None:
        """Spare parameters the weight decay; to be called before training starts.

        Parameters
        ----------
        var_list : list of Parameter, optional
        var_names : list of str, optional
            Patterns that are searched in the parameters' names: ["bias", "gamma"]. A file of the model has these.

        Raises
        ------
        ArgumentError
            If the optimizer was built.
        """
        if self._parameters:
            raise ArgumentError(f"{type(self).__name__}: exclude_from_weight_decay expected an optimizer that has not "
                                f"trained yet; call it before fit")
        names = self._spared_names = sorted(set(var_names or ()))
        self._exempt = {id(p) for p in var_list or ()}, re.compile("|".join(names)) if names else None
