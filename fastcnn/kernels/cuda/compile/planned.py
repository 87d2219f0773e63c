"""What launchers derive from a geometry, once: a launch has no time to read fifteen fields of an array."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

_KNOWN = 4096  # plans that are remembered


def planned(function: Callable[..., Any]) -> Callable[..., Any]:
    """Remember what a function of a geometry, and of hashable values, returned.

    Parameters
    ----------
    function : callable
        (g, *values) -> anything that nobody changes; `g` has the geometry's fields as attributes, plain numbers.

    Examples
    --------
    >>> @planned
    ... def _plan(g):
    ...     return blocks_for(g.n * g.oh * g.ow * g.c), (g.n, g.h, g.w, g.c, g.oh, g.ow)
    """
    plans: dict[Any, Any] = {}

    @functools.wraps(function)
    def plan(geometry: np.ndarray, *values: Any) -> Any:
        key = geometry.tobytes(), *values
        found = plans.get(key)
        if found is None:
            if len(plans) >= _KNOWN:
                plans.clear()
            g = SimpleNamespace(**dict(zip(geometry.dtype.names or (), geometry[0].tolist(), strict=True)))
            found = plans[key] = function(g, *values)
        return found

    return plan
