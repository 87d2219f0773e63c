"""A learning rate for each epoch, by a function."""

import inspect
import math
import numbers
from collections.abc import Callable, Collection

from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.output import tell
from fastcnn.callbacks.rate import require_number
from fastcnn.errors import ArgumentError


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    A schedule that the optimizer is made with (`fastcnn.optimizers.schedules`) changes it with each step.

    Parameters
    ----------
    schedule : callable
        (epoch, rate) -> rate, or epoch -> rate; epochs are counted from 0. Schedules of the optimizers are such.
    verbose : int
        1 tells the rates.

    Raises
    ------
    ArgumentError
        Before training if the optimizer has a schedule of its own; at an epoch if the rate is no number from 0.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> halves = fc.callbacks.LearningRateScheduler(lambda epoch: 0.1 * 0.5**epoch)
    >>> model.fit(x, y, epochs=3, verbose=0, callbacks=halves).history["learning_rate"]
    [0.1, 0.05, 0.025]
    """

    reports = ("learning_rate",)

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ArgumentError(f"LearningRateScheduler: expected a function of the epoch, got {schedule!r}")
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes_two(schedule)

    def check(self, names: Collection[str]) -> None:
        require_number(self, self.model.optimizer)

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, optimizer.learning_rate) if self._takes_rate else self.schedule(epoch)
        if not isinstance(rate, numbers.Real) or not 0 <= rate < math.inf:
            raise ArgumentError(f"LearningRateScheduler: expected the schedule to return a number from 0 for epoch "
                                f"{epoch}, got {rate!r}")
        optimizer.learning_rate = float(rate)
        if self.verbose:
            tell(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        logs["learning_rate"] = self.model.optimizer.learning_rate


def _takes_two(function: Callable[..., float]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # built in, and tells no signature
        return True
    return True
