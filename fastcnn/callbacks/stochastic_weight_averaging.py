"""The mean of the weights that the ends of epochs have."""

from typing import Any

import numpy as np

from fastcnn.callbacks.averaged_weights import AveragedWeights
from fastcnn.callbacks.callback import Logs
from fastcnn.errors import ArgumentError


class StochasticWeightAveraging(AveragedWeights):
    """Leaves the mean of the weights at the ends of epochs in the model, and evaluates that meanwhile.

        average <- average + (weights - average) / n        at the end of the n-th epoch that counts

    Training goes on with the weights as they were. A learning rate that does not fall to 0 lets them move, so that
    there is something to average. As with `SwapEMAWeights` the averages get moving statistics of their own, and
    `ModelCheckpoint` and `EarlyStopping` keep what was validated. It needs no ``use_ema``, and goes with none.

    Parameters
    ----------
    start_from_epoch : int
        The first epoch, counted from 0, whose weights count. Before its end there are no averages.

    References
    ----------
    Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer=optimizers.SGD(0.1), loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> mean = fc.callbacks.StochasticWeightAveraging(start_from_epoch=2)
    >>> history = model.fit(x, y, epochs=4, verbose=0, validation_data=(x, y), callbacks=mean)
    >>> model.evaluate(x, y) == history.history["val_loss"][-1]
    True
    """

    changes = ("averages", "count", "is_swapped", "_is_open")

    def __init__(self, start_from_epoch: int = 0) -> None:
        if type(start_from_epoch) is not int or start_from_epoch < 0:
            raise ArgumentError(f"StochasticWeightAveraging: expected start_from_epoch to be an integer from 0, "
                                f"got {start_from_epoch!r}")
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.averages: list[np.ndarray] = []
        self.count, self._is_swapped, self._is_open = 0, False, False

    @property
    def is_swapped(self) -> bool:
        """Whether the averages are in the model now, and the weights of training in `averages`."""
        return self._is_swapped

    @is_swapped.setter
    def is_swapped(self, value: bool) -> None:
        self._is_swapped = value

    @property
    def has_averages(self) -> bool:
        """Whether an epoch that counts has ended."""
        return self.count > 0

    def check(self, names: Any) -> None:
        if self.model.optimizer.use_ema:
            raise ArgumentError("StochasticWeightAveraging: expected an optimizer without use_ema, which keeps other "
                                "averages; choose one of the two")

    def leave_in(self) -> None:
        """As `AveragedWeights.leave_in`."""
        super().leave_in()
        self._begin()

    def on_train_begin(self, logs: Logs) -> None:
        self._begin()

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        super().on_epoch_begin(epoch, logs)
        self._is_open = epoch >= self.start_from_epoch

    def on_test_begin(self, logs: Logs) -> None:
        self._take()  # validation comes before the end of the epoch
        super().on_test_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self._take()

    def _take(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self.count += 1
        weights = self.model.trainable_weights
        if self.count == 1:
            self.averages = [one.numpy() for one in weights]
        for average, weight in zip(self.averages, weights, strict=True):
            average += (weight.value - average) / self.count

    def _exchange(self) -> None:
        for average, weight in zip(self.averages, self.model.trainable_weights, strict=True):
            value = weight.numpy()
            weight.assign(average)
            average[...] = value
        self._is_swapped = not self._is_swapped
