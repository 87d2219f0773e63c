"""What a callback is: hooks beside training, evaluation and prediction, and a state to go on with."""

import copy
from collections.abc import Collection
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.parameter_blocks import Segment
from fastcnn.unsupported import ExplainsUnsupported

Logs = dict[str, float]


class Callback(ExplainsUnsupported):
    """The base of callbacks: every hook does nothing.

    The hooks are Keras's, for training, evaluation (a validation within `fit`, too) and prediction. `check`,
    `on_gradients` and `on_train_interrupted` are fastcnn's own.

    Attributes
    ----------
    model : Model
        Set before anything runs; ``model.stop_training = True`` ends training after the current step, or epoch, and
        `stop_evaluating` and `stop_predicting` end the others after the current batch.
    params : dict
        epochs, steps (of an epoch), samples, batch_size, initial_epoch, and verbose: 0, 1 or 2. What an iterable does
        not tell is None.

    Examples
    --------
    >>> class Rates(fc.callbacks.Callback):
    ...     def on_epoch_begin(self, epoch, logs):
    ...         self.model.optimizer.learning_rate = 0.1 / (epoch + 1)
    ...
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=4, verbose=0, callbacks=[Rates()])
    >>> model.optimizer.learning_rate
    0.025
    """

    unsupported = "callback"

    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012  (replaced for each training, never changed)

    #: Names that it adds to the logs of an epoch, so that others may look at them.
    reports: tuple[str, ...] = ()

    #: The attributes that training changes and that one that is resumed goes on with; see `get_state`.
    changes: tuple[str, ...] = ()

    #: Whether it comes after all others, whatever the order in which they are given.
    comes_last = False

    def set_run(self, run: Any) -> None:
        """Hear of a training that is about to begin.

        Parameters
        ----------
        run : TrainingRun or None
            None when it is over: it holds the data.
        """

    def set_model(self, model: Any) -> None:
        """Set `model`. It is called before any hook."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Set `params`. It is called before any hook."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """Return copies of what training has changed here, for whoever keeps it and goes on with it.

        Returns
        -------
        dict
            By name: numbers, text, None, NumPy arrays, and lists and dicts of them.
        """
        return {name: copy.deepcopy(getattr(self, name)) for name in self.changes}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where `get_state` was called; after `on_train_begin`, which starts anew.

        Parameters
        ----------
        state : dict

        Raises
        ------
        ArgumentError
            If it is the state of another kind of callback; then nothing changes.
        """
        if set(state) != set(self.changes):
            raise ArgumentError(f"{type(self).__name__}: expected a state of {', '.join(self.changes) or 'nothing'}, "
                                f"got {', '.join(state) or 'nothing'}")
        for name, value in state.items():
            setattr(self, name, copy.deepcopy(value))

    def check(self, names: Collection[str]) -> None:
        """Raise for what cannot be done in this training; before any callback begins, or anything is written.

        Parameters
        ----------
        names : collection of str
            What the logs of an epoch will have: loss, accuracy, val_loss, ...

        Raises
        ------
        ArgumentError
        """

    def on_train_begin(self, logs: Logs) -> None:
        """Is called before the first epoch."""

    def on_train_end(self, logs: Logs) -> None:
        """Is called after the last epoch, with its logs."""

    def on_train_interrupted(self, error: BaseException) -> None:
        """End a training that does not come to `on_train_end`, since something was raised: Ctrl-C, for one.

        Parameters
        ----------
        error : BaseException
            It goes on to the caller of `fit`.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Is called before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Is called after an epoch, with its loss and metrics, and those of its validation: val_loss, ..."""

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        """Is called before a step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Is called after a step, with the loss and metrics so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs) -> None:
        """Is called before a step, unless `on_train_batch_begin` is overridden."""

    def on_batch_end(self, batch: int, logs: Logs) -> None:
        """Is called after a step, unless `on_train_batch_end` is overridden."""

    def on_train_data(self, xs: list[np.ndarray]) -> None:
        """Look at the inputs of a step, before it; they may not be changed, and are others after the step.

        Parameters
        ----------
        xs : list of arrays
            One for each input of the model.
        """

    def on_gradients(self, segments: list[Segment]) -> bool | None:
        """Look at the gradients of a step, or change them in place, before the optimizer reads them.

        Clipping by the optimizer comes after it. Where gradients are accumulated it is called for the sum, once for
        each update.

        Parameters
        ----------
        segments : list of Segment
            Of the parameters that are trained, in an order that does not change: ``segment.gradients`` is a flat array,
            ``segment.places()`` tells which parameter lies where.

        Returns
        -------
        bool, optional
            False: the optimizer does not take this step, and does not count it.
        """
        return None

    def on_test_begin(self, logs: Logs) -> None:
        """Is called before an evaluation, or a validation."""

    def on_test_end(self, logs: Logs) -> None:
        """Is called after an evaluation, with its loss and metrics."""

    def on_test_batch_begin(self, batch: int, logs: Logs) -> None:
        """Is called before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs) -> None:
        """Is called after a batch of an evaluation, with the loss and metrics so far."""

    def on_predict_begin(self, logs: Logs) -> None:
        """Is called before a prediction."""

    def on_predict_end(self, logs: Logs) -> None:
        """Is called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs) -> None:
        """Is called before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        """Is called after a batch of a prediction. ``logs["outputs"]`` are its outputs."""
