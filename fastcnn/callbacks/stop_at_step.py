"""The end of a training after a number of steps."""

from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.errors import ArgumentError


class StopAtStep(Callback):
    """Ends training after so many steps, wherever an epoch stands; it is validated and ends as others do.

    Parameters
    ----------
    steps : int
        Batches that were trained on, in all epochs together.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((64, 2)), np.ones((64, 1))
    >>> history = model.fit(x, y, batch_size=16, epochs=9, verbose=0, callbacks=fc.callbacks.StopAtStep(10))
    >>> len(history.epoch), model.optimizer.iterations
    (3, 10)
    """

    changes = ("done",)

    def __init__(self, steps: int) -> None:
        if type(steps) is not int or steps < 1:
            raise ArgumentError(f"StopAtStep: expected steps to be a positive integer, got {steps!r}")
        self.steps, self.done = steps, 0

    def on_train_begin(self, logs: Logs) -> None:
        self.done = 0

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self.done += 1
        if self.done >= self.steps:
            self.model.stop_training = True
