"""Learning rates that differ from layer to layer, by patterns of the parameters' paths."""

import math
import re
from collections.abc import Mapping

from fastcnn.errors import ArgumentError
from fastcnn.optimizers.parameter_group import ParameterGroup
from fastcnn.parameters import Parameter


class RateFactors:
    """The part of an optimizer that knows by which factor the learning rate of a parameter differs."""

    # What the other part has.
    _parameters: list[Parameter]

    _rate_factors: tuple[tuple[re.Pattern[str], float], ...] = ()

    def scale_learning_rate(self, factors: Mapping[str, float]) -> None:
        """Multiply the learning rate of some parameters; to be called before training starts.

        Layers near the input of a network that was trained before learn with a tenth of the rate, say. Each kind of
        factor costs a step some kernel calls more. A file of the model has the factors, as it has the optimizer.

        Parameters
        ----------
        factors : dict of str to float
            Patterns that are searched in the parameters' paths, such as "conv2d_1/kernel": {"^conv2d": 0.1}. The first
            that is found counts; where none is, the factor is 1.

        Raises
        ------
        ArgumentError
            If the optimizer was built, or a factor is no number from 0; before the first step, if a pattern is found in
            no path.
        """
        who = f"{type(self).__name__}: scale_learning_rate"
        if self._parameters:
            raise ArgumentError(f"{who} expected an optimizer that has not trained yet; call it before fit")
        found = []
        for pattern, factor in factors.items():
            if not isinstance(factor, (int, float)) or not 0 <= factor < math.inf:
                raise ArgumentError(f"{who} expected factors from 0, got {factor!r} for {pattern!r}")
            try:
                found.append((re.compile(pattern), float(factor)))
            except re.error as error:
                raise ArgumentError(f"{who} expected regular expressions, got {pattern!r}: {error}") from None
        self._rate_factors = tuple(found)

    def _check_patterns(self, parameters: list[Parameter]) -> None:
        for pattern, _ in self._rate_factors:
            if not any(pattern.search(p.path) for p in parameters):
                paths = ", ".join(p.path for p in parameters[:8])
                raise ArgumentError(f"{type(self).__name__}: scale_learning_rate expected patterns of the parameters' "
                                    f"paths, {paths}{', ...' if len(parameters) > 8 else ''}, got {pattern.pattern!r}")

    def _factor_of(self, parameter: Parameter) -> float:
        return next((factor for pattern, factor in self._rate_factors if pattern.search(parameter.path)), 1.0)

    def _by_factor(self, groups: list[ParameterGroup], wanted: set[int]) -> list[tuple[ParameterGroup, float]]:
        """Return what belongs to the parameters of these ids, in groups of one factor each."""
        found = []
        for whole in groups:
            ids: dict[float, set[int]] = {}
            for parameter in whole.segment.parameters:
                if id(parameter) in wanted:
                    ids.setdefault(self._factor_of(parameter), set()).add(id(parameter))
            found += [(group, factor) for factor, those in ids.items() for group in whole.only(those)]
        return found
