"""Strengths as users give them, one number or two, as the range that is drawn from."""

import math
from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import number
from fastcnn.geometry.warp import FILL_MODES, INTERPOLATIONS

Range = tuple[float, float]


def factor_range(value: Any, who: Any, name: str = "factor", bounds: Range = (-1.0, 1.0), signed: bool = False
                 ) -> Range:
    """Return (lower, upper) of a number, which means from its negative, or from the lower bound, or of two.

    Parameters
    ----------
    value : float or (float, float)
    who : object
        Whose argument it is.
    name : str
    bounds : (float, float)
        Within which it has to be.
    signed : bool
        Whether a number f means -f .. f even where the lower bound is above -f.

    Raises
    ------
    ArgumentError
        If it is something else, or outside of the bounds.
    """
    many = isinstance(value, (tuple, list))
    pair = list(value) if many else [value]
    good = len(pair) == 2 if many else True
    real = good and all(isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in pair)
    if not real or min(pair) < bounds[0] or max(pair) > bounds[1]:
        raise ArgumentError(f"{who}: expected {name} to be a number or two, from {bounds[0]:g} to {bounds[1]:g}, "
                            f"got {value!r}")
    if many:
        return float(min(pair)), float(max(pair))
    most = abs(float(pair[0]))
    return (-most if signed else max(-most, bounds[0])), most


def value_range(value: Any, who: Any) -> Range:
    """Return the lowest and the highest value of a pixel.

    Raises
    ------
    ArgumentError
        If there are not two different numbers.
    """
    good = isinstance(value, (tuple, list)) and len(value) == 2
    low, high = sorted(number(v, who, "two numbers for value_range") for v in value) if good else (0.0, 0.0)
    if not low < high:
        raise ArgumentError(f"{who}: expected value_range to be two numbers such as (0, 255), got {value!r}")
    return low, high


def check_sampling(who: Any, interpolation: str, fill_mode: str = "reflect", modes: Sequence[str] = ()) -> None:
    """Raise ArgumentError for an interpolation or a fill mode that there is not."""
    known = modes or [mode for mode in FILL_MODES if mode != "mirror"]
    for name, value, choices in (("interpolation", interpolation, INTERPOLATIONS), ("fill_mode", fill_mode, known)):
        if value not in choices:
            raise ArgumentError(unknown(f"{who}: {name}", value, choices))
