"""Rectifiers that end a normalization, in the same pass over memory; kernels of every device take their two numbers."""

import math
from typing import NamedTuple


class Rectifier(NamedTuple):
    """y = min(x, ceiling) where x is not below 0, else slope x.

    Attributes
    ----------
    slope : float
        0 for ReLU, and then infinity becomes 0, too.
    ceiling : float
        6 for ReLU6.
    """

    slope: float = 1.0
    ceiling: float = math.inf


NO_RECTIFIER, RELU = Rectifier(), Rectifier(0.0)
