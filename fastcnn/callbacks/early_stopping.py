"""Stopping when nothing gets better any more."""

from typing import Any

import numpy as np

from fastcnn.callbacks.callback import Logs
from fastcnn.callbacks.kept_weights import KeptWeights
from fastcnn.callbacks.monitor import Monitor
from fastcnn.callbacks.output import tell


class EarlyStopping(Monitor):
    """Ends training when what is monitored has not improved for `patience` epochs.

    It couples two knobs that are better turned apart: how well the training data are fitted, and how well the fit holds
    on others. Regularization and a smaller network do the latter without leaving the former half done.

    Parameters
    ----------
    monitor : str
        The name of one of the numbers that an epoch reports.
    min_delta : float
        A value that is better by less than this is no improvement.
    patience : int
        How many epochs without improvement are waited for.
    verbose : int
        1 tells when training is ended, and which weights come back.
    mode : str
        "min", "max", or "auto": what the loss or metric of that name says.
    baseline : float, optional
        The waiting only begins anew where a value is better than this, too.
    restore_best_weights : bool
        Give the model the weights of its best epoch when training ends, in whatever way: by this callback, at the last
        epoch, by Ctrl-C or an error. The first epoch that is looked at is the best one until another is better.
    start_from_epoch : int
        Epochs before this one, counted from 0, are not looked at.

    Attributes
    ----------
    best, best_epoch : float, int
        The best value so far, and its epoch, counted from 0.
    wait : int
        Epochs since then.
    stopped_epoch : int
        The epoch that was the last one for this callback's sake; 0 if it was not.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer=optimizers.SGD(0.0), loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> stop = fc.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    >>> history = model.fit(x, y, epochs=9, verbose=0, validation_data=(x, y), callbacks=stop)
    >>> len(history.epoch), stop.best_epoch
    (4, 0)
    """

    changes = ("best", "best_epoch", "best_weights", "wait", "stopped_epoch")

    def __init__(self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0,
                 mode: str = "auto", baseline: float | None = None, restore_best_weights: bool = False,
                 start_from_epoch: int = 0) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.best, self.best_epoch, self.wait, self.stopped_epoch = None, 0, 0, 0
        self._kept = KeptWeights()

    @property
    def best_weights(self) -> list[np.ndarray] | None:
        """The weights of the best epoch, where they are asked for."""
        return self._kept.arrays

    @best_weights.setter
    def best_weights(self, arrays: list[Any] | None) -> None:
        self._kept.arrays = None if arrays is None else [np.array(array) for array in arrays]

    def on_train_begin(self, logs: Logs) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self._kept.arrays is None:
            self._keep(epoch)
        self.wait += 1
        if self.improves(value, self.best):
            self.best = value
            self._keep(epoch)
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            with self.as_validated():
                self._kept.take(self.model)

    def on_train_end(self, logs: Logs) -> None:
        if self.stopped_epoch and self.verbose:
            tell(f"Epoch {self.stopped_epoch + 1}: early stopping")
        self._give_back()

    def on_train_interrupted(self, error: BaseException) -> None:
        self._give_back()

    def _give_back(self) -> None:
        if self._kept.arrays is not None:
            self._kept.give_back(self.model)
            if self.verbose:
                tell(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
