"""The history of a training, which `fit` returns."""

from fastcnn.callbacks.callback import Callback, Logs


class History(Callback):
    """What `fit` returns: the logs of every epoch.

    Attributes
    ----------
    epoch : list of int
    history : dict of lists
        loss, accuracy, val_loss, ...: one entry an epoch.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0)
    >>> [round(loss, 3) for loss in history.history["loss"]]
    [1.0, 0.884]
    """

    changes = ("epoch", "history")

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
