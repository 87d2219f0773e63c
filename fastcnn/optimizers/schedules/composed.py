"""Schedules made of others: warmed up first, or counted in epochs."""

from fastcnn.errors import ArgumentError
from fastcnn.optimizers.schedules.base import LearningRateSchedule, positive


class WarmUp(LearningRateSchedule):
    """Grows in a line to a rate, or to where a schedule begins, which then counts its steps from 0.

    Parameters
    ----------
    schedule : LearningRateSchedule or float
    warmup_steps : int
    start : float
        The rate of the first step, as a part of that after the last one of them.
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.WarmUp(optimizers.schedules.InverseTimeDecay(0.1, 10, 1.0), warmup_steps=4)
    >>> [rate(step) for step in (0, 2, 4, 14)]
    [0.0, 0.05, 0.1, 0.05]
    """

    def __init__(self, schedule: LearningRateSchedule | float, warmup_steps: int, start: float = 0.0,
                 name: str = "WarmUp") -> None:
        is_rate = isinstance(schedule, (int, float)) and schedule >= 0
        if not is_rate and not isinstance(schedule, LearningRateSchedule):
            raise ArgumentError(f"WarmUp: expected a schedule or a number from 0, got {schedule!r}")
        self.schedule, self.warmup_steps = schedule, positive(self, "warmup_steps", warmup_steps)
        self.start, self.name = start, name

    def __call__(self, step: int) -> float:
        return self.at(step, step)

    def at(self, step: int, epoch: int) -> float:
        """Return the rate of a step of an epoch; what is counted in epochs is so from the first one."""
        left = max(0, step - int(self.warmup_steps))
        rate = self.schedule.at(left, epoch) if isinstance(self.schedule, LearningRateSchedule) else self.schedule
        part = min(1.0, step / self.warmup_steps)
        return rate * (self.start + (1 - self.start) * part)


class ByEpoch(LearningRateSchedule):
    """A schedule that counts epochs where it would count steps: the rate is the same within one.

    `fit` tells the optimizer the epoch; one that trains batch by batch sets ``optimizer.epoch``.

    Parameters
    ----------
    schedule : LearningRateSchedule
    name : str

    Examples
    --------
    >>> rate = optimizers.schedules.ByEpoch(optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer=optimizers.SGD(rate), loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=2, epochs=3, verbose=0)
    >>> model.optimizer.learning_rate
    0.025
    """

    def __init__(self, schedule: LearningRateSchedule, name: str = "ByEpoch") -> None:
        if not isinstance(schedule, LearningRateSchedule):
            raise ArgumentError(f"ByEpoch: expected a schedule, got {schedule!r}")
        self.schedule, self.name = schedule, name

    def __call__(self, step: int) -> float:
        """Return the rate of an epoch."""
        return self.schedule(step)

    def at(self, step: int, epoch: int) -> float:
        """Return the rate of the epoch."""
        return self.schedule.at(epoch, epoch)
