"""Learning rates that follow the number of steps, with Keras's names: ``SGD(learning_rate=CosineDecay(0.1, 10_000))``.

In each r is the initial rate, t the number of steps taken, T `decay_steps`.
"""

import math
from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError, unknown


class LearningRateSchedule:
    """The base of schedules; one of your own has `__call__` and `get_config`.

    Examples
    --------
    >>> class Halved(optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** (step // 100)
    ...
    >>> Halved()(250)
    0.025
    """

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step that follows `step` others."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        """Make a schedule from `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def _positive(who: object, name: str, value: float) -> float:
    if not value > 0:
        raise ArgumentError(f"{type(who).__name__}: expected a positive {name}, got {value!r}")
    return value


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
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
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
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
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
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step: int) -> float:
        part = step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(part) if self.staircase else part))


class CosineDecay(LearningRateSchedule):
    """r ((1 - alpha) (1 + cos(pi t / T)) / 2 + alpha), and r alpha from T on; Loshchilov and Hutter, 2017.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    alpha : float
        The final rate, as a fraction of the initial one.
    name : str
    warmup_target : float, optional
        The rate first grows linearly to this value, within `warmup_steps` steps. The decay begins there.
    warmup_steps : int

    Examples
    --------
    >>> rate = optimizers.schedules.CosineDecay(0.1, decay_steps=200)
    >>> [round(float(rate(step)), 4) for step in (0, 100, 200)]
    [0.1, 0.05, 0.0]
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0, name: str = "CosineDecay",
                 warmup_target: float | None = None, warmup_steps: int = 0) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(self, "decay_steps", decay_steps)
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: int) -> float:
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, step = self.warmup_target, step - self.warmup_steps
        cosine = 0.5 * (1 + math.cos(math.pi * min(step, self.decay_steps) / self.decay_steps))
        return top * ((1 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay with restarts. Each period is `t_mul` times longer and begins at `m_mul` times the rate.

    Loshchilov and Hutter, "SGDR", 2017.

    Parameters
    ----------
    initial_learning_rate : float
    first_decay_steps : int
        The length of the first period.
    t_mul, m_mul : float
    alpha : float
        The rate at the end of a period, as a fraction of the initial rate.
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.CosineDecayRestarts(0.1, first_decay_steps=80)
    >>> [round(float(rate(step)), 4) for step in (0, 100, 200)]
    [0.1, 0.0962, 0.0146]
    """

    def __init__(self, initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0,
                 alpha: float = 0.0, name: str = "SGDRDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul, self.alpha, self.name = _positive(self, "t_mul", t_mul), m_mul, alpha, name

    def __call__(self, step: int) -> float:
        begin, length, period = 0.0, float(self.first_decay_steps), 0
        if self.t_mul == 1:
            period = int(step // length)
            begin = period * length
        while step >= begin + length:
            begin, length, period = begin + length, length * self.t_mul, period + 1
            if length < 1e-9:  # periods that shrink end somewhere
                return self.initial_learning_rate * self.alpha
        cosine = 0.5 * self.m_mul**period * (1 + math.cos(math.pi * (step - begin) / length))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)


_CLASSES: dict[str, type[LearningRateSchedule]] = {c.__name__: c for c in (
    ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay, InverseTimeDecay, CosineDecay, CosineDecayRestarts)}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return a configuration of a schedule, which `deserialize` understands and JSON can hold.

    Parameters
    ----------
    learning_rate_schedule : LearningRateSchedule

    Examples
    --------
    >>> optimizers.schedules.serialize(optimizers.schedules.CosineDecay(0.1, 200))["class_name"]
    'CosineDecay'
    """
    return {"class_name": type(learning_rate_schedule).__name__, "config": learning_rate_schedule.get_config()}


def deserialize(config: dict[str, Any]) -> LearningRateSchedule:
    """Return the schedule of a configuration.

    Parameters
    ----------
    config : dict
        As `serialize` makes it.

    Raises
    ------
    ArgumentError
        If its class is not known.

    Examples
    --------
    >>> schedule = optimizers.schedules.CosineDecay(0.1, 200)
    >>> optimizers.schedules.deserialize(optimizers.schedules.serialize(schedule))(200)
    0.0
    """
    name = config.get("class_name")
    if name not in _CLASSES:
        raise ArgumentError(unknown("learning rate schedule", name, _CLASSES))
    return _CLASSES[name].from_config(config.get("config", {}))
