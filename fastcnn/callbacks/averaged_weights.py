"""Averages of weights in the place of the weights of training, where a model is looked at: what averages share."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastcnn import _interrupts
from fastcnn.callbacks.callback import Callback, Logs


class AveragedWeights(Callback):
    """The base of callbacks that let a model be evaluated, and saved, with averages of the weights of its training.

    The moving statistics of normalization are those of the weights of training; the averages have others. `fit`
    therefore estimates them on 2048 samples of the training data, always the same ones and as they are in a validation,
    whenever averages are put in their place. The statistics of training come back with its weights. Where batches come
    from an iterator, which gives none twice, and outside of `fit`, the averages keep the statistics of training.

    Examples
    --------
    >>> issubclass(fc.callbacks.SwapEMAWeights, fc.callbacks.AveragedWeights)
    True
    """

    _run: Any = None
    _statistics: list[np.ndarray] | None = None  # those of training, while the averages are in the model

    @property
    def is_swapped(self) -> bool:
        """Whether the averages are in the model now."""
        raise NotImplementedError

    @property
    def has_averages(self) -> bool:
        """Whether there are any yet."""
        raise NotImplementedError

    def _exchange(self) -> None:
        """Let weights and averages change places."""
        raise NotImplementedError

    def set_run(self, run: Any) -> None:
        self._run, self._statistics = run, None

    def get_state(self) -> dict[str, Any]:
        """As `Callback.get_state`, and the statistics of training, while the model has others."""
        more = {"statistics": [one.copy() for one in self._statistics]} if self._statistics else {}
        return super().get_state() | more

    def set_state(self, state: dict[str, Any]) -> None:
        """As `Callback.set_state`."""
        super().set_state({name: value for name, value in state.items() if name != "statistics"})
        self._statistics = [np.array(one) for one in state["statistics"]] if "statistics" in state else None

    def put_in(self) -> None:
        """Let the averages be in the model, with the statistics that belong to them; if there are averages yet."""
        if self.is_swapped or not self.has_averages:
            return
        with _interrupts.deferred(whole=True):
            if self._run is not None:  # outside of `fit` there are no data to estimate them on
                self._statistics = [one.numpy() for one in _statistics_of(self.model)]
            self._exchange()
        if self._run is not None:
            self._run.put_statistics()

    def take_out(self) -> None:
        """Let the weights and the statistics of training be in the model."""
        if not self.is_swapped:
            return
        with _interrupts.deferred(whole=True):
            self._exchange()
            for parameter, array in zip(_statistics_of(self.model), self._statistics or (), strict=False):
                parameter.assign(array)
            self._statistics = None

    def leave_in(self) -> None:
        """Let the averages stay in the model: training has ended."""
        self.put_in()
        self._statistics = None

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the averages be in the model for a while, wherever they are before and after it."""
        was_there = self.is_swapped
        self.put_in()
        try:
            yield
        finally:
            if not was_there:
                self.take_out()

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self.take_out()

    def on_test_begin(self, logs: Logs) -> None:
        self.put_in()

    def on_test_end(self, logs: Logs) -> None:
        self.take_out()

    def on_predict_begin(self, logs: Logs) -> None:
        self.put_in()

    def on_predict_end(self, logs: Logs) -> None:
        self.take_out()


def _statistics_of(model: Any) -> list[Any]:
    return [parameter for parameter in model.weights if not parameter.trainable]
