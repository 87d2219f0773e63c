"""Rates along a wave of the cosine: t is the number of steps taken, T how many the fall takes."""

import math

from fastcnn.errors import ArgumentError, unknown
from fastcnn.optimizers.schedules.base import LearningRateSchedule, positive


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
        self.decay_steps = positive(self, "decay_steps", decay_steps)
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
        self.first_decay_steps = positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul, self.alpha, self.name = positive(self, "t_mul", t_mul), m_mul, alpha, name

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


class OneCycle(LearningRateSchedule):
    """Up to the highest rate and down to almost none, once; Smith and Topin, "Super-Convergence", 2018.

    The rate grows from r / `div_factor` to r, the highest, during the first part of all steps, and falls to
    r / (`div_factor` `final_div_factor`) in the rest of them, each along half a wave of the cosine or a line.

    Parameters
    ----------
    max_learning_rate : float
        r.
    total_steps : int
        Of the whole training; the rate stays where it is afterwards.
    pct_start : float
        The part of the steps in which the rate grows.
    div_factor, final_div_factor : float
    anneal_strategy : str
        "cos" or "linear".
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.OneCycle(0.1, total_steps=101, pct_start=0.2, anneal_strategy="linear")
    >>> [round(rate(step), 4) for step in (0, 19, 100)]
    [0.004, 0.099, 0.0]
    """

    def __init__(self, max_learning_rate: float, total_steps: int, pct_start: float = 0.3, div_factor: float = 25.0,
                 final_div_factor: float = 1e4, anneal_strategy: str = "cos", name: str = "OneCycle") -> None:
        self.max_learning_rate, self.total_steps = max_learning_rate, positive(self, "total_steps", total_steps)
        if not 0 <= pct_start <= 1:
            raise ArgumentError(f"OneCycle: expected a pct_start from 0 to 1, got {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(unknown("OneCycle: anneal_strategy", anneal_strategy, ("cos", "linear")))
        self.pct_start, self.anneal_strategy, self.name = pct_start, anneal_strategy, name
        self.div_factor = positive(self, "div_factor", div_factor)
        self.final_div_factor = positive(self, "final_div_factor", final_div_factor)

    def __call__(self, step: int) -> float:
        top, last = self.max_learning_rate, self.total_steps - 1
        low, turn = top / self.div_factor, self.pct_start * self.total_steps - 1
        if step <= turn:
            return self._between(low, top, step / turn if turn > 0 else 1.0)
        return self._between(top, low / self.final_div_factor, min(1.0, (step - turn) / (last - turn)))

    def _between(self, begin: float, end: float, part: float) -> float:
        if self.anneal_strategy == "linear":
            return begin + (end - begin) * part
        return end + (begin - end) / 2 * (1 + math.cos(math.pi * part))
