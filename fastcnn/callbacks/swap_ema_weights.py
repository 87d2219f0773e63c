"""Moving averages of the weights where a model is looked at."""

from collections.abc import Collection

from fastcnn.callbacks.averaged_weights import AveragedWeights
from fastcnn.callbacks.callback import Logs
from fastcnn.errors import ArgumentError


class SwapEMAWeights(AveragedWeights):
    """Puts the optimizer's moving averages of the weights in their place while the model is evaluated or predicts.

    Training goes on with the weights as they were. The optimizer is made with ``use_ema=True``. In `fit` the averages
    get moving statistics of normalization of their own, estimated on 2048 samples of the training data.
    `ModelCheckpoint` and `EarlyStopping` keep what was validated, the averages, wherever they stand.

    Parameters
    ----------
    swap_on_epoch : bool
        Leave the averages in place from the end of an epoch to the beginning of the next, so that all callbacks after
        this one see the weights that the validation has seen.

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

    @property
    def has_averages(self) -> bool:
        """Whether the optimizer has taken a step."""
        self.check(())
        return bool(self.model.optimizer.iterations)

    def _exchange(self) -> None:
        self.model.optimizer.swap_averages()

    def check(self, names: Collection[str]) -> None:
        if not self.model.optimizer.use_ema:
            raise ArgumentError("SwapEMAWeights: expected an optimizer that keeps averages, got one without; make it "
                                "with use_ema=True")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.swap_on_epoch:
            self.put_in()
