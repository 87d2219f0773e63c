"""A smaller learning rate when nothing gets better any more."""

from collections.abc import Collection

from fastcnn.callbacks.callback import Logs
from fastcnn.callbacks.monitor import Monitor
from fastcnn.callbacks.output import tell
from fastcnn.callbacks.rate import require_number
from fastcnn.errors import ArgumentError


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when what is monitored has not improved for `patience` epochs.

    He et al., "Deep Residual Learning for Image Recognition", 2016, divide by 10 when the error stands still.

    Parameters
    ----------
    monitor : str
        The name of one of the numbers that an epoch reports.
    factor : float
        Below 1.
    patience : int
        How many epochs without improvement are waited for.
    verbose : int
        1 tells the new rates.
    mode : str
        "min", "max", or "auto": what the loss or metric of that name says.
    min_delta : float
        A value that is better by less than this is no improvement.
    cooldown : int
        Epochs after a reduction in which none is counted.
    min_lr : float
        The rate does not become smaller than this.

    Raises
    ------
    ArgumentError
        Before training if the optimizer has a schedule: one of the two can say the rate.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer=optimizers.SGD(0.1), loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> slower = fc.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=slower)
    >>> history.history["learning_rate"]
    [0.1, 0.1, 0.05]
    """

    reports = ("learning_rate",)
    changes = ("best", "wait", "cooldown_counter")

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0,
                 mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 <= factor < 1:
            raise ArgumentError(f"ReduceLROnPlateau: expected a factor from 0 to below 1, got {factor!r}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.cooldown_counter = self.wait = 0

    def check(self, names: Collection[str]) -> None:
        super().check(names)
        require_number(self, self.model.optimizer)

    def on_train_begin(self, logs: Logs) -> None:
        self.best, self.cooldown_counter, self.wait = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        logs["learning_rate"] = self.model.optimizer.learning_rate
        value = self.value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def in_cooldown(self) -> bool:
        """Return whether the rate was reduced so lately that no epoch counts."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        rate = self.model.optimizer.learning_rate
        if rate <= self.min_lr:
            return False
        self.model.optimizer.learning_rate = max(rate * self.factor, self.min_lr)
        if self.verbose:
            tell(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                 f"{self.model.optimizer.learning_rate}.")
        return True
