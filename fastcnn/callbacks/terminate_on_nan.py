"""The end of a training whose loss is no number."""

import math
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.kept_weights import KeptWeights
from fastcnn.callbacks.output import tell
from fastcnn.errors import DivergedError
from fastcnn.layers.call import Call
from fastcnn.parameter_blocks import Segment


class TerminateOnNaN(Callback):
    """Ends training at the first loss or gradient that is NaN or infinite, and says where it was first.

    A step along such a gradient is not taken: the model keeps the weights, and the statistics, from before it. Where
    the gradient was still finite, or the step before went too far, those from the beginning of the epoch come back.

    Parameters
    ----------
    raise_error : bool
        Raise DivergedError instead of ending as if all epochs were over.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1, name="only")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.array([[1, 2], [3, 1e30]])
    >>> history = model.fit(x, np.ones((2, 1)), epochs=5, verbose=0, callbacks=fc.callbacks.TerminateOnNaN())
    <BLANKLINE>
    Batch 0: invalid loss inf, terminating training; ...
    """

    changes = ("epoch_began",)

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error
        self._epoch_began, self._is_bad = KeptWeights(), ""

    @property
    def epoch_began(self) -> list[np.ndarray] | None:
        """The weights that this epoch began with."""
        return self._epoch_began.arrays

    @epoch_began.setter
    def epoch_began(self, arrays: list[Any] | None) -> None:
        self._epoch_began.arrays = None if arrays is None else [np.array(array) for array in arrays]

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._is_bad = ""
        self._epoch_began.take(self.model)
        self._statistics = [(p, p.version, p.numpy()) for p in self.model.weights if not p.trainable]

    def on_train_data(self, xs: list[np.ndarray]) -> None:
        self._xs = xs
        for place, (parameter, version, array) in enumerate(self._statistics):
            if parameter.version != version:  # a step has moved them; those of frozen layers stay
                array[...] = parameter.value
                self._statistics[place] = parameter, parameter.version, array

    def on_gradients(self, segments: list[Segment]) -> bool:
        bad = [segment for segment in segments if not _is_finite(segment.gradients)]
        if bad:
            self._is_bad = _last_gradient(bad[-1])
        return not bad

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if not self._is_bad and math.isfinite(logs["loss"]):
            return
        step = self.model.optimizer.iterations - (not self._is_bad)  # one that was refused does not count
        call = Call(self.model.seed, step, wants_dx=False)
        where = self.model.first_not_finite(self._xs, call) or self._is_bad or "the loss"
        kept = "from before this step" if self._give_back() else "from the beginning of the epoch"
        text = (f"Batch {batch}: invalid loss {logs['loss']}, terminating training; the first that is not finite is "
                f"{where}; the model has the weights {kept}")
        if self.raise_error:
            raise DivergedError(text)
        tell(text)
        self.model.stop_training = True

    def _give_back(self) -> bool:
        """Return whether the weights could be left as they were before this step."""
        for parameter, _, array in self._statistics:
            parameter.assign(array)
        is_good = bool(self._is_bad) and all(_is_finite(parameter.array) for parameter in self.model.weights)
        if not is_good:
            self._epoch_began.give_back(self.model)
        return is_good


def _is_finite(array: Any) -> bool:
    """Return whether all numbers are finite, at the price of a sum: no memory, where all is well."""
    found = device.get(array)
    with np.errstate(all="ignore"):
        return math.isfinite(np.add.reduce(found, axis=None)) or bool(np.isfinite(found).all())


def _last_gradient(segment: Segment) -> str:
    """Name the last parameter whose gradient is not finite: the way back begins at the last layer."""
    gradients = device.get(segment.gradients)
    names = [p.path for p, place in segment.places() if not np.isfinite(gradients[place]).all()]
    return f"the gradient of {names[-1]}"
