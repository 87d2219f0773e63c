"""A training that is under way: where it stands, and all that its end depends on."""

import contextlib
from collections.abc import Iterator
from typing import Any

from fastcnn.callbacks import AveragedWeights, Callback, CallbackList
from fastcnn.errors import ArgumentError
from fastcnn.training.epochs import Epochs
from fastcnn.training.own_step import running
from fastcnn.training.step import Resumable

_SAMPLES = 2048  # that statistics are estimated on: the mean of a normal variable is then known to 2 % of its spread


class TrainingRun:
    """Where a training stands; with its state another process goes on as if nothing had happened.

    Parameters
    ----------
    model : Resumable
    data : Epochs
    callbacks : CallbackList
        Those that have a state.
    validation : Epochs, optional
    epoch : int
        The first one.

    Attributes
    ----------
    epoch, batch : int
        Which epoch is under way, or begins next, and how many batches it had.
    running : RunningMeans
        Of this epoch.
    logs : dict
        What the last epoch reported.
    """

    def __init__(self, model: Resumable, data: Epochs, callbacks: CallbackList, validation: Epochs | None = None,
                 epoch: int = 0) -> None:
        self.model, self.data, self.validation = model, data, validation
        self._callbacks = [one for one in callbacks.callbacks if one.changes or _has_own_state(one)]
        self.epoch, self.batch = epoch, 0
        self.running = running(model, model.own_train_step)
        self.logs: dict[str, float] = {}
        self._pending: dict[str, Any] | None = None
        self._digests: dict[str, str] = {}  # of the model, once they are asked for
        self._averages = [one for one in callbacks.callbacks if isinstance(one, AveragedWeights)]
        self._estimated: tuple[int, list[Any]] = -1, []  # at which step, and what

    def get_state(self) -> dict[str, Any]:
        """Return copies of all that training changes: numbers, text, None, arrays, and lists and dicts of them."""
        return {
            "epoch": self.epoch, "batch": self.batch, "logs": dict(self.logs), "is_of": self._of_model(),
            "running": self.running.get_state() if self.batch else None, "model": self.model.get_state(),
            "data": self.data.get_state(), "validation": None if self.validation is None else
            self.validation.get_state(),
            "callbacks": [[type(one).__name__, one.get_state()] for one in self._callbacks],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where `get_state` was called, once all callbacks have begun.

        Parameters
        ----------
        state : dict

        Raises
        ------
        ArgumentError
            If it is the state of another model, of other data or other callbacks.
        """
        names = [name for name, _ in state["callbacks"]]
        own = [type(one).__name__ for one in self._callbacks]
        if names != own:
            raise ArgumentError(f"fit: expected the callbacks of the training to go on with, "
                                f"{', '.join(names) or 'none'}, got {', '.join(own) or 'none'}")
        if (state["validation"] is None) != (self.validation is None):
            raise ArgumentError(f"fit: expected {'no ' if self.validation is not None else ''}validation data, as in "
                                f"the training to go on with")
        differs = [what for what, digest in state["is_of"].items() if self._of_model().get(what) != digest]
        if differs:
            raise ArgumentError(f"fit: expected the {' and the '.join(differs)} of the training to go on with, got "
                                f"others; begin a new one, in another folder")
        self.data.set_state(state["data"], state["batch"])
        if self.validation is not None:
            self.validation.set_state(state["validation"])
        self.epoch, self.batch, self.logs, self._pending = state["epoch"], state["batch"], dict(state["logs"]), state
        self._apply(state)

    @contextlib.contextmanager
    def as_validated(self) -> Iterator[None]:
        """Let the model have the weights and statistics that validations see: averages, where a callback has some."""
        with contextlib.ExitStack() as stack:
            for one in self._averages:
                stack.enter_context(one.in_place())
            yield

    @contextlib.contextmanager
    def other_layers_trained(self) -> Iterator[None]:
        """Let the next step train what is trainable after this context, in which layers are frozen or set free."""
        self._of_model()  # what is told of the model is what it was at the beginning
        yield
        self.model.train_trainable()

    def put_statistics(self) -> None:
        """Give the averages that are in the model the moving statistics that belong to them."""
        step, statistics = self.model.optimizer.iterations, self.model.statistics()
        if self._estimated[0] != step:  # looked at for the first time after this step
            self.model.estimate_statistics(self.data.batches.some(_SAMPLES, self.model.seed))
            self._estimated = step, [one.numpy() for one in statistics]
        for parameter, array in zip(statistics, self._estimated[1], strict=True):
            parameter.assign(array)

    def train_on(self) -> None:
        """Let the model have the weights of training, before callbacks hear of another epoch, or of an error."""
        for one in self._averages:
            one.take_out()

    def finish(self) -> None:
        """Leave averages of the weights in the model as training ends, if the optimizer or a callback keeps any."""
        optimizer = self.model.optimizer
        for one in self._averages:
            one.leave_in()
        is_new = optimizer.use_ema and optimizer.iterations and not optimizer.has_averages_in_place
        optimizer.finalize_variable_values()
        if is_new:
            self.put_statistics()

    def begin_epoch(self) -> None:
        """Start the sums of an epoch, or go on with those of one that was under way."""
        self.running = running(self.model, self.model.own_train_step)
        state, self._pending = self._pending, None
        if state is not None and self.batch:  # the callbacks have begun the epoch once more
            self._apply(state)
            self.running.set_state(state["running"])

    def end_epoch(self, logs: dict[str, float]) -> None:
        """The next epoch begins, as far as a training that goes on is concerned."""
        self.epoch, self.batch, self.logs = self.epoch + 1, 0, logs

    @property
    def is_over(self) -> bool:
        """Whether a training that goes on was to end where it stands."""
        return self._pending is not None and not self.batch and (self.model.stop_training or self.data.is_over)

    def _of_model(self) -> dict[str, str]:
        self._digests = self._digests or self.model.digests()
        return self._digests

    def _apply(self, state: dict[str, Any]) -> None:
        self.model.set_state(state["model"])
        for callback, (_, one) in zip(self._callbacks, state["callbacks"], strict=True):
            callback.set_state(one)


def _has_own_state(callback: Callback) -> bool:
    return type(callback).get_state is not Callback.get_state
