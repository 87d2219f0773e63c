"""Which learning rate suits: a training with a growing one, of which nothing is left afterwards."""

import math
from typing import Any, NamedTuple

import numpy as np

from fastcnn.callbacks import Callback, Logs
from fastcnn.errors import ArgumentError
from fastcnn.models.taken_back import taken_back

_MEMORY = 0.95  # of the mean loss, from step to step
_TOO_MUCH = 4.0  # times the least mean loss: training diverges


class RateSweep(NamedTuple):
    """What a training with a growing learning rate has shown.

    Attributes
    ----------
    rates, losses : (S,) arrays
        Of each step: its rate, and its loss before it.
    smoothed : (S,) array
        A moving mean of the losses, of which the first ones weigh as much as later ones do.
    suggestion : float
        The rate at which the smoothed loss falls most steeply against the logarithm of the rate: a good first guess
        for the highest rate of a schedule; a constant one is a few times smaller.

    Examples
    --------
    >>> sweep = fc.models.RateSweep(np.array([1e-3, 1e-2]), np.ones(2), np.ones(2), 1e-3)
    >>> sweep.suggestion
    0.001
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float

    def plot(self, path: Any) -> None:
        """Draw the losses against the rates, and mark the suggestion; matplotlib does it (extra ``plot``).

        Parameters
        ----------
        path : path-like
            Its ending says which format: .png, .svg, .pdf.
        """
        from matplotlib.figure import Figure

        axes = (figure := Figure(layout="constrained")).subplots()
        axes.plot(self.rates, self.losses, color="#b0b0b0", label="loss")
        axes.plot(self.rates, self.smoothed, color="#1f6fb4", label="smoothed")
        axes.axvline(self.suggestion, color="#c8501e", label=f"{self.suggestion:.2g}")
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.legend()
        figure.savefig(path)


class _Sweep(Callback):
    """Raises the rate from step to step, and ends training when it diverges."""

    def __init__(self, rates: np.ndarray) -> None:
        self.rates, self.losses, self.smoothed = rates, list[float](), list[float]()
        self._mean = 0.0

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        loss = logs["loss"]
        if math.isfinite(loss):
            self.losses.append(loss)
            self._mean = _MEMORY * self._mean + (1 - _MEMORY) * loss
            self.smoothed.append(self._mean / (1 - _MEMORY ** len(self.losses)))
        self.model.stop_training = not math.isfinite(loss) or self.smoothed[-1] > _TOO_MUCH * min(self.smoothed)

    def rate(self) -> float:
        return float(self.rates[min(len(self.losses), len(self.rates) - 1)])


def lr_finder(model: Any, x: Any, y: Any = None, batch_size: int | None = None, *, start: float = 1e-6,
              end: float = 1.0, steps: int = 100, sample_weight: Any = None, class_weight: Any = None,
              augmentation: Any = None) -> RateSweep:
    """Train for some steps with a rate that grows from step to step, and take all of it back.

    Model, optimizer, statistics, orders and seeds have the bits that they had; what follows is as if this had not been.
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2017.

    Parameters
    ----------
    model : Model
        Built and compiled.
    x, y, batch_size, sample_weight, class_weight, augmentation
        As `Model.fit` takes them; 32 samples a step if absent. Batches of an iterator are gone afterwards.
    start, end : float
        The first and the last rate; between them each is the same number of times the one before.
    steps : int
        At most, since a training that diverges is ended.

    Returns
    -------
    RateSweep

    Raises
    ------
    ArgumentError, DataError
        If an argument or the data does not fit, or the very first step diverges.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> sweep = fc.lr_finder(model, np.ones((64, 2)), np.ones((64, 1)), steps=20)
    >>> bool(sweep.rates[0] <= sweep.suggestion <= sweep.rates[-1])
    True
    """
    who = f"{model}: lr_finder"
    if not model.built or model.optimizer is None:
        raise ArgumentError(f"{who}: expected a model that is built and compiled")
    if not 0 < start < end < math.inf:
        raise ArgumentError(f"{who}: expected 0 < start < end, got {start!r} and {end!r}")
    if not isinstance(steps, int) or steps < 3:
        raise ArgumentError(f"{who}: expected at least 3 steps, got {steps!r}")
    sweep = _Sweep(np.geomspace(start, end, steps))
    if y is not None and batch_size is None:
        batch_size = 32
    with taken_back(model):
        vars(model.optimizer)["_learning_rate"] = sweep.rate  # in the place of a schedule, too
        model.fit(x, y, batch_size=batch_size, epochs=steps, steps_per_epoch=1, verbose=0, callbacks=sweep,
                  sample_weight=sample_weight, class_weight=class_weight, augmentation=augmentation)
    found = len(sweep.losses)
    if found < 3:
        raise ArgumentError(f"{who}: expected losses of at least 3 steps, got {found}; training diverges at once, "
                            f"begin with a smaller start than {start:g}")
    rates, smoothed = sweep.rates[:found], np.array(sweep.smoothed)
    # Over a tenth of the steps, and without the first ones, whose means are of few losses: those jump.
    span, skipped = max(2, found // 10), min(20, found // 4)
    steepest = skipped + int((smoothed[skipped + span:] - smoothed[skipped:-span]).argmin())
    return RateSweep(rates, np.array(sweep.losses), smoothed, float(rates[steepest + span // 2]))
