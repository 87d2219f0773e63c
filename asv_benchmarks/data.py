"""Arrays for the benchmarks: every page of them was written before anything is timed."""

from typing import Any

import numpy as np

#: At least so many timed calls, at most so many, and about so many seconds: for benchmarks with a `setup`, whose calls
#: asv times one by one.
REPEAT = (5, 200, 1.0)


def normal(*shape: int) -> np.ndarray:
    """Return standard normal float32 numbers, the same in every process."""
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def written(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Return zeros for a kernel to overwrite; unlike those of numpy.zeros their pages exist."""
    return np.full(shape, 0, dtype)


def labels(rows: int, classes: int) -> np.ndarray:
    """Return int64 labels, the same in every process."""
    return np.random.default_rng(1).integers(0, classes, rows)
