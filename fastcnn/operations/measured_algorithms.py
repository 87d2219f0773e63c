"""Of two algorithms the faster one, as measured on the spot (`fastcnn.config.set_algorithm_choice("measured")`)."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.device import Device
from fastcnn.operations.activation import LINEAR, clamp_array
from fastcnn.operations.kernel_call import NOTHING, GradientCall, ProductCall

_TIMES = 3  # the least of them counts: whatever disturbs makes a call slower


def faster(d: Device, dtype: np.dtype, kept: bool, one: Any, other: Any) -> Any:
    """Return the one of two kernel calls that takes less time, the first where they are equal.

    Parameters
    ----------
    d : Device
        Where they run.
    dtype : dtype
    kept : bool
        Whether packed weights are kept for many calls.
    one, other : ProductCall or GradientCall
        Of the same geometry.
    """
    return one if _seconds(_run(d, dtype, kept, one)) <= _seconds(_run(d, dtype, kept, other)) else other


def _seconds(run: Callable[[], None]) -> float:
    run()  # compiles, packs, and takes memory
    found = []
    for _ in range(_TIMES):
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return min(found)


def _run(d: Device, dtype: np.dtype, kept: bool, call: ProductCall | GradientCall) -> Callable[[], None]:
    """Return what runs a kernel call, on zeros: no kernel asks numbers how long to take."""
    y, x, weights = (d.zeros(shape, dtype) for shape in call.shapes)
    if isinstance(call, GradientCall):
        return lambda: call.run(d, weights, NOTHING[dtype], x, y)
    clamp = clamp_array(LINEAR, dtype)
    if not kept or call.packed is None:
        return lambda: call.run(d, y, x, call.arguments(d, weights, NOTHING[dtype], clamp))
    packed = d.empty((call.packed,), dtype)
    call.run(d, y, x, call.arguments(d, weights, NOTHING[dtype], clamp, None, (packed, 0)))
    ready = call.arguments(d, None, NOTHING[dtype], clamp, None, (packed, 1))
    return lambda: call.run(d, y, x, ready)
