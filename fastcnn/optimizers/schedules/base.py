"""What a schedule of the learning rate is."""

from typing import Any

from fastcnn.errors import ArgumentError


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

    def at(self, step: int, epoch: int) -> float:
        """Return the learning rate of a step of an epoch, both counted from 0; most schedules look at the step alone.

        Parameters
        ----------
        step, epoch : int
        """
        return self(step)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, schedules among them as `serialize` gives them."""
        return {name: value.serialized() if isinstance(value, LearningRateSchedule) else value
                for name, value in vars(self).items()}

    def serialized(self) -> dict[str, Any]:
        """Return what `deserialize` makes this schedule of, and JSON can hold."""
        return {"class_name": type(self).__name__, "config": self.get_config()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        """Make a schedule from `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def positive(who: object, name: str, value: float) -> float:
    """Return a value that must be above 0."""
    if not value > 0:
        raise ArgumentError(f"{type(who).__name__}: expected a positive {name}, got {value!r}")
    return value
