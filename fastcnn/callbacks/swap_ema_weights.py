"""Averaged weights where a model is looked at."""

from collections.abc import Collection

from fastcnn import _interrupts
from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.errors import ArgumentError


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving averages of the weights in their place while the model is evaluated or predicts.

    Training goes on with the weights as they were. The optimizer is made with ``use_ema=True``.

    Parameters
    ----------
    swap_on_epoch : bool
        Leave the averages in place from the end of an epoch to the beginning of the next, so that callbacks after this
        one, such as ModelCheckpoint and EarlyStopping, see the weights that the validation has seen.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer=optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> history = model.fit(x, y, verbose=0, validation_data=(x, y), callbacks=fc.callbacks.SwapEMAWeights())
    """

    changes = ("is_swapped",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch

    @property
    def is_swapped(self) -> bool:
        """Whether the averages are in the model now, and the weights of training in the optimizer."""
        return bool(self.model.optimizer.has_averages_in_place)

    @is_swapped.setter
    def is_swapped(self, value: bool) -> None:
        self.model.optimizer.has_averages_in_place = value

    def check(self, names: Collection[str]) -> None:
        if not self.model.optimizer.use_ema:
            raise ArgumentError("SwapEMAWeights: expected an optimizer that keeps averages, got one without; make it "
                                "with use_ema=True")

    def _let_averages_in(self, wanted: bool) -> None:
        self.check(())
        optimizer = self.model.optimizer
        if optimizer.has_averages_in_place != wanted and optimizer.iterations:  # before the first step there are none
            with _interrupts.deferred(whole=True):
                optimizer.swap_averages()

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._let_averages_in(False)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self._let_averages_in(self.swap_on_epoch)

    def on_train_interrupted(self, error: BaseException) -> None:
        self._let_averages_in(False)

    def on_test_begin(self, logs: Logs) -> None:
        self._let_averages_in(True)

    def on_test_end(self, logs: Logs) -> None:
        self._let_averages_in(False)

    def on_predict_begin(self, logs: Logs) -> None:
        self._let_averages_in(True)

    def on_predict_end(self, logs: Logs) -> None:
        self._let_averages_in(False)
