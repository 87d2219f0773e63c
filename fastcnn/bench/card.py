"""What a card can do at most: multiply-adds by its clock and its units, bytes a second by a copy that is measured."""

import statistics
import time
from typing import Any

import numpy as np

from fastcnn.bench.machine import Level, Machine

_BYTES = 1 << 28  # of each of two arrays: more than any cache of a card holds
_COPIES = 8


def measure(d: Any, seconds: float = 0.3) -> Machine:
    """Return what the card of a device reaches; its threads are multiprocessors.

    Parameters
    ----------
    d : Device
    seconds : float
        How long to look for the fastest copy.
    """
    peak = d.card.flops
    alone = peak / max(1, d.card.multiprocessors)
    levels = (Level("memory", 1 << 62, bandwidth(d, seconds)),)
    return Machine(d.card.multiprocessors, {"float32": peak}, {"float32": alone}, levels)


def bandwidth(d: Any, seconds: float, size: int = _BYTES) -> float:
    """Return the bytes a second of a copy within the card, each byte read or written counted once.

    Parameters
    ----------
    d : Device
    seconds : float
    size : int
        Bytes of an array.
    """
    x = d.zeros((size // 4,), np.float32)
    y = d.empty(x.shape, x.dtype)
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < 3 or time.perf_counter() < end:
        d.synchronize()
        start = time.perf_counter()
        for _ in range(_COPIES):
            d.copy(y, x)
        d.synchronize()
        found.append(2 * size * _COPIES / (time.perf_counter() - start))
    return statistics.median(found)
