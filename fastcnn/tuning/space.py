"""What is searched: for each name some choices, or a range on a scale that suits it."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastcnn.errors import ArgumentError, unknown

Value = Any  # of a parameter: a number, a text, a list ...

_SCALES = ("linear", "log", "one-minus-log")
_KEYS = ("low", "high", "scale", "choices")


class Choices(NamedTuple):
    """Some values, without an order.

    Attributes
    ----------
    values : tuple
    """

    values: tuple[Value, ...]

    def around(self, value: Value) -> "Choices":
        """Return what is near a value: all of them, since they have no order."""
        return self

    def distribution(self) -> Any:
        """Return what Optuna draws from: places in the list, since it takes no lists as choices."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(tuple(range(len(self.values))))

    def value(self, drawn: Any) -> Value:
        """Return the value of what was drawn."""
        return self.values[drawn]

    def drawn(self, value: Value) -> Any:
        """Return what would have been drawn for a value."""
        return self.values.index(value)


class Range(NamedTuple):
    """Numbers between two, both included.

    Attributes
    ----------
    low, high : float or int
        Both integers: so is each value.
    scale : str
        "linear"; "log", for rates; "one-minus-log", on which 1 - value has a logarithmic scale: for momentum, where
        0.9 to 0.99 is as far as 0.99 to 0.999.
    """

    low: float
    high: float
    scale: str = "linear"

    @property
    def is_integer(self) -> bool:
        """Whether values are integers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def around(self, value: Value) -> "Range":
        """Return the half of the range, on its scale, whose middle is a value, as far as the range goes."""
        low, high, middle = (self._to_scale(one) for one in (self.low, self.high, value))
        quarter = (high - low) / 4
        ends = [self._from_scale(min(max(one, min(low, high)), max(low, high)))
                for one in (middle - quarter, middle + quarter)]
        if self.is_integer:
            return Range(math.floor(ends[0]), max(math.ceil(ends[1]), math.floor(ends[0]) + 1), self.scale)
        return Range(ends[0], ends[1], self.scale)

    def distribution(self) -> Any:
        """Return what Optuna draws from."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.scale == "one-minus-log":
            return FloatDistribution(1 - self.high, 1 - self.low, log=True)
        if self.is_integer:
            return IntDistribution(int(self.low), int(self.high), log=self.scale == "log")
        return FloatDistribution(self.low, self.high, log=self.scale == "log")

    def value(self, drawn: Any) -> Value:
        """Return the value of what was drawn; four digits say what a search can know."""
        if self.is_integer:
            return int(drawn)
        if self.scale == "one-minus-log":
            return 1 - float(f"{drawn:.4g}")
        return min(max(float(f"{drawn:.4g}"), self.low), self.high)

    def drawn(self, value: Value) -> Any:
        """Return what would have been drawn for a value."""
        return 1 - value if self.scale == "one-minus-log" else value

    def _to_scale(self, value: float) -> float:
        if self.scale == "linear":
            return value
        return math.log(value if self.scale == "log" else 1 - value)

    def _from_scale(self, value: float) -> float:
        if self.scale == "linear":
            return value
        return math.exp(value) if self.scale == "log" else 1 - math.exp(value)


Space = dict[str, Choices | Range]


def space_of(given: Mapping[str, Any], who: str = "space") -> Space:
    """Return a space from what a file or a program says of it.

    Parameters
    ----------
    given : dict
        For each name a list of choices, or a dict with ``low``, ``high`` and perhaps ``scale``, or with ``choices``.
    who : str
        Who says it, for errors.

    Raises
    ------
    ArgumentError
        If it is empty, or a name has no range and no choices, or an impossible one.

    Examples
    --------
    >>> space = fc.tuning.space_of({"lr": {"low": 1e-4, "high": 1e-1, "scale": "log"}, "batch-size": [32, 64]})
    >>> space["lr"], space["batch-size"]
    (Range(low=0.0001, high=0.1, scale='log'), Choices(values=(32, 64)))
    """
    if not given:
        raise ArgumentError(f"{who}: expected names with ranges or choices, got none; add one, such as "
                            "lr = {low = 1e-4, high = 1e-1, scale = 'log'}")
    return {name: _one(f"{who}: {name}", told) for name, told in given.items()}


def _one(who: str, told: Any) -> Choices | Range:
    if isinstance(told, (Choices, Range)):
        return told
    if isinstance(told, Mapping):
        for key in told:
            if key not in _KEYS:
                raise ArgumentError(unknown(who, key, _KEYS))
        if set(told) == {"choices"}:
            told = told["choices"]
        elif {"low", "high"} <= set(told) and "choices" not in told:
            return _range(who, told["low"], told["high"], told.get("scale", "linear"))
    if isinstance(told, (list, tuple)):
        if not told:
            raise ArgumentError(f"{who}: expected at least one choice, got none")
        return Choices(tuple(told))
    raise ArgumentError(f"{who}: expected a list of choices, or low and high, got {told!r}")


def _range(who: str, low: Any, high: Any, scale: Any) -> Range:
    if scale not in _SCALES:
        raise ArgumentError(unknown(f"{who}: scale", scale, _SCALES))
    for one in (low, high):
        if isinstance(one, bool) or not isinstance(one, (int, float)) or not math.isfinite(one):
            raise ArgumentError(f"{who}: expected numbers as low and high, got {one!r}")
    if not low < high:
        raise ArgumentError(f"{who}: expected low < high, got {low} and {high}")
    if scale == "log" and low <= 0:
        raise ArgumentError(f"{who}: expected low > 0 on a logarithmic scale, got {low}")
    if scale == "one-minus-log" and (low < 0 or high >= 1):
        raise ArgumentError(f"{who}: expected numbers from 0 to below 1 on the scale of 1 - value, got {low} and "
                            f"{high}")
    if isinstance(low, int) != isinstance(high, int) or scale == "one-minus-log":
        low, high = float(low), float(high)
    return Range(low, high, scale)
