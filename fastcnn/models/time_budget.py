"""How many steps of training a time allows: measured, and settled before the first step that counts."""

import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from fastcnn.callbacks import Callback, Logs, SwapEMAWeights
from fastcnn.errors import ArgumentError
from fastcnn.models.taken_back import taken_back

_SHARE = 0.02  # of the time, which measuring may take
_AT_MOST = 30.0  # seconds
_STEPS = 5  # at least
_EPOCHS = 1000


class StepBudget(NamedTuple):
    """How long a training is that ends at a deadline.

    Attributes
    ----------
    steps : int
        In all. `fastcnn.callbacks.StopAtStep` ends `fit` after them; a schedule ends with them.
    epochs : int
        Of which the last may be cut short.
    seconds_per_step, seconds_per_epoch : float
        As measured: of a step with the making of its batch; of the validation after an epoch.

    Examples
    --------
    >>> fc.models.StepBudget(1000, 7, 0.5, 12.0).epochs
    7
    """

    steps: int
    epochs: int
    seconds_per_step: float
    seconds_per_epoch: float


class _Clock(Callback):
    """Ends training after some seconds, and knows what steps and validations have taken."""

    def __init__(self, seconds: float, steps: int) -> None:
        self.seconds, self.least = seconds, steps
        self.steps = self.epochs = 0
        self.of_steps = self.of_epochs = 0.0

    def on_train_begin(self, logs: Logs) -> None:
        self._begun = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._began = self._ended = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._ended = time.perf_counter()
        self.steps += 1
        if self.steps >= self.least and self._ended - self._begun >= self.seconds:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.of_steps += self._ended - self._began
        self.of_epochs += time.perf_counter() - self._ended
        self.epochs += 1


def step_budget(model: Any, x: Any, y: Any = None, *, minutes: float, since: float | None = None, **fit: Any
                ) -> StepBudget:
    """Return how many steps of training end after some minutes, so that a schedule can end with them.

    It trains and validates for a fiftieth of the time once all kernels are compiled, and takes all of it back: weights,
    optimizer, statistics, orders and seeds have the bits that they had. What it has taken counts. The number is settled
    once: with it, and without a clock, the same training has the same bits again.

    Parameters
    ----------
    model : Model
        Built and compiled.
    x, y
        As `Model.fit` takes them, but for iterators, whose batches would be gone.
    minutes : float
        From the beginning of this call on.
    since : float, optional
        The time of another beginning, by ``time.perf_counter()``.
    **fit
        Further arguments that `Model.fit` will have: batch_size, validation_data, ...

    Returns
    -------
    StepBudget
        Of one step, where the time is over already.

    Raises
    ------
    ArgumentError, DataError
        If an argument or the data does not fit.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((64, 2)), np.ones((64, 1))
    >>> budget = fc.step_budget(model, x, y, minutes=0.05)
    >>> rate = optimizers.schedules.CosineDecay(0.1, budget.steps)
    >>> model.compile(optimizer=optimizers.SGD(rate), loss="mse")
    >>> history = model.fit(x, y, epochs=budget.epochs, verbose=0, callbacks=fc.callbacks.StopAtStep(budget.steps))
    >>> model.optimizer.iterations == budget.steps
    True
    """
    begun, who = time.perf_counter() if since is None else since, f"{model}: step_budget"
    if not model.built or model.optimizer is None:
        raise ArgumentError(f"{who}: expected a model that is built and compiled")
    if not isinstance(minutes, (int, float)) or not 0 < minutes < math.inf:
        raise ArgumentError(f"{who}: expected positive minutes, got {minutes!r}")
    if isinstance(x, Iterator):
        raise ArgumentError(f"{who}: expected data that can be gone through again, got an iterator, whose batches "
                            f"would be missing afterwards")
    strange = {"epochs", "initial_epoch", "callbacks", "verbose"} & fit.keys()
    if strange:
        raise ArgumentError(f"{who}: expected no {', '.join(sorted(strange))}; it trains as long as measuring takes")
    averages = [SwapEMAWeights()] if model.optimizer.use_ema else []
    with taken_back(model):
        for clock in (_Clock(0.0, 2), _Clock(min(_AT_MOST, _SHARE * 60 * minutes), _STEPS)):  # the first one compiles
            history = model.fit(x, y, epochs=_EPOCHS, verbose=0, callbacks=[*averages, clock], **fit)
        in_epoch = clock.params["steps"] or clock.steps / len(history.epoch)
    of_step, of_epoch = clock.of_steps / clock.steps, clock.of_epochs / clock.epochs
    left = 60 * minutes - (time.perf_counter() - begun)
    whole = max(0, math.floor(left / (in_epoch * of_step + of_epoch)))
    more = left - whole * (in_epoch * of_step + of_epoch) - of_epoch  # the last epoch has a validation, too
    steps = max(1, int(whole * in_epoch + max(0.0, more) / of_step))
    return StepBudget(steps, math.ceil(steps / in_epoch), of_step, of_epoch)
