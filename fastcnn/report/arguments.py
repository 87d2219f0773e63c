"""What functions of the report are given, checked once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError


def classified(who: str, probabilities: Any, labels: Any, names: Sequence[str] | None = None
               ) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return probabilities (N, K) as float64 and labels (N,) as integers.

    Raises
    ------
    ArgumentError
        If they do not fit one another.
    """
    p, y = np.asarray(probabilities), np.asarray(labels)
    if p.ndim != 2 or p.dtype.kind not in "buif":
        raise ArgumentError(f"{who}: expected probabilities (N, classes), got {p.dtype} {p.shape}")
    if y.shape != p.shape[:1] or y.dtype.kind not in "bui":
        raise ArgumentError(f"{who}: expected labels of integers {p.shape[:1]}, one for each row of probabilities, got "
                            f"{y.dtype} {y.shape}")
    if y.size and not 0 <= y.min() <= y.max() < p.shape[1]:
        raise ArgumentError(f"{who}: expected labels from 0 to {p.shape[1] - 1}, got {y.min()} to {y.max()}")
    if names is not None and len(names) != p.shape[1]:
        raise ArgumentError(f"{who}: expected {p.shape[1]} names, one for each class, got {len(names)}")
    return p.astype(np.float64), y.astype(np.int64)
