"""Rates that fall: in each r is the initial rate, t the number of steps taken, T `decay_steps`."""

import math
from collections.abc import Sequence

from fastcnn.errors import ArgumentError
from fastcnn.optimizers.schedules.base import LearningRateSchedule, positive


class ExponentialDecay(LearningRateSchedule):
    """r decay_rate^(t / T). With `staircase`, t / T is rounded down.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    decay_rate : float
    staircase : bool
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
    >>> [round(float(rate(step)), 4) for step in (0, 100, 200)]
    [0.1, 0.05, 0.025]
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
                 name: str = "ExponentialDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: int) -> float:
        part = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (math.floor(part) if self.staircase else part)


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[k] while t <= boundaries[k], and values[-1] after the last boundary.

    Parameters
    ----------
    boundaries : list of int
        In ascending order.
    values : list of float
        One more than boundaries.
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.PiecewiseConstantDecay([50, 150], [0.1, 0.01, 0.001])
    >>> [round(float(rate(step)), 4) for step in (0, 100, 200)]
    [0.1, 0.01, 0.001]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(f"PiecewiseConstantDecay: expected one value more than boundaries, got {len(values)} "
                                f"for {len(boundaries)}")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: int) -> float:
        return self.values[sum(step > boundary for boundary in self.boundaries)]


class PolynomialDecay(LearningRateSchedule):
    """(r - end) (1 - min(t, T) / T)^power + end. With `cycle`, T is doubled, tripled, ... to reach t.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    end_learning_rate, power : float
    cycle : bool
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.PolynomialDecay(0.1, decay_steps=200)
    >>> [round(float(rate(step)), 4) for step in (0, 100, 200)]
    [0.1, 0.0501, 0.0001]
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, end_learning_rate: float = 0.0001,
                 power: float = 1.0, cycle: bool = False, name: str = "PolynomialDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step: int) -> float:
        whole = self.decay_steps * (max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1)
        left = 1 - min(step, whole) / whole
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


class InverseTimeDecay(LearningRateSchedule):
    """r / (1 + decay_rate t / T). With `staircase`, t / T is rounded down.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    decay_rate : float
    staircase : bool
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.InverseTimeDecay(0.1, decay_steps=100, decay_rate=1.0)
    >>> [round(float(rate(step)), 4) for step in (0, 100, 200)]
    [0.1, 0.05, 0.0333]
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
                 name: str = "InverseTimeDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: int) -> float:
        part = step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(part) if self.staircase else part))


class InverseSquareRootDecay(LearningRateSchedule):
    """r / sqrt(1 + t / T): a half after 3 T steps, a third after 8 T.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.InverseSquareRootDecay(0.1, decay_steps=100)
    >>> [rate(step) for step in (0, 300, 9900)]
    [0.1, 0.05, 0.01]
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int = 1,
                 name: str = "InverseSquareRootDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.name = positive(self, "decay_steps", decay_steps), name

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / math.sqrt(1 + step / self.decay_steps)
