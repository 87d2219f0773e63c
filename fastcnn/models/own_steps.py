"""Steps of a model's own: `train_step`, `test_step`, `compute_loss` and `compute_metrics`, as Keras has them.

::

    class Own(fc.Model):
        def call(self, x): ...

        def train_step(self, data):
            x, y = data
            loss, gradients = fc.gradients(lambda x: ops.mean((y - self(x, training=True)) ** 2), x,
                                           self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

A model without them trains by `fastcnn.training.train_step`, in fewer passes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device, ops
from fastcnn.differentiate import gradients
from fastcnn.errors import ArgumentError
from fastcnn.metrics import Mean, Metric
from fastcnn.models.network import Network

_TRAIN, _TEST = ("train_step", "compute_loss", "compute_metrics"), ("test_step", "compute_loss", "compute_metrics")


class OwnSteps(Network):
    """A network that says what a step is, for classes that say it otherwise."""

    _mean_loss: Metric | None = None
    objective: Any
    optimizer: Any
    trainable_weights: Any

    def own_step(self, which: str) -> Any:
        """Return what takes a batch and returns logs, "train" or "test"; None where no class has changed it.

        Parameters
        ----------
        which : str
        """
        names = _TRAIN if which == "train" else _TEST
        if all(getattr(type(self), name) is getattr(OwnSteps, name) for name in names):
            return None
        step = self.train_step if which == "train" else self.test_step
        return lambda batch: _logs(self, which, step(packed(batch)))

    def writes_step(self, which: str) -> bool:
        """Return whether a class says what a step is, "train" or "test": it gets batches as they are given to `fit`.

        Parameters
        ----------
        which : str
        """
        name = f"{which}_step"
        return getattr(type(self), name) is not getattr(OwnSteps, name)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take a step on one batch, and return what it reports by name.

        Parameters
        ----------
        data : array, or tuple of arrays
            x, (x, y) or (x, y, sample_weight). A step of one's own gets what a `PyDataset` or an iterable gives as it
            is, floating types made the model's.
        """
        x, y, weights = unpacked(data)

        def loss_of(x: Any) -> Any:
            y_pred = self(x, training=True)
            return self.compute_loss(x, y, y_pred, weights), _each(ops.stop_gradient, y_pred)

        (loss, y_pred), slopes = gradients(loss_of, x, self.trainable_weights)
        self.optimizer.apply(slopes, self.trainable_weights)
        self._loss_tracker.update_state(loss, _samples(x))
        return self.compute_metrics(x, y, y_pred, weights)

    def test_step(self, data: Any) -> dict[str, Any]:
        """As `train_step`, with nothing trained."""
        x, y, weights = unpacked(data)
        y_pred = self(x, training=False)
        self._loss_tracker.update_state(self.compute_loss(x, y, y_pred, weights, training=False), _samples(x))
        return self.compute_metrics(x, y, y_pred, weights)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
                     training: bool = True) -> Any:
        """Return the sum of the losses that `compile` was given, each times its weight.

        Parameters
        ----------
        x, y, y_pred, sample_weight : arrays or tensors, or lists or dicts of them
        training : bool
        """
        if self.objective is None:
            raise ArgumentError(f"{self}: compute_loss expected a loss; give one to compile, or write compute_loss")
        total: Any = 0.0
        if self.objective.joint is not None:
            weights = None if sample_weight is None else _listed(sample_weight)[0]  # each target has the same
            return self.objective.joint(y, y_pred, weights)
        weights = _listed(sample_weight) if sample_weight is not None else [None] * len(self.objective.targets)
        for target, one, pred, weight in zip(self.objective.targets, _listed(y), _listed(y_pred), weights, strict=True):
            if target.loss is not None:
                total = target.loss(one, pred, weight) * target.weight + total
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Count the metrics that `compile` was given, and return all results by name, that of the loss first.

        Parameters
        ----------
        x, y, y_pred, sample_weight : arrays, or lists or dicts of them
        """
        logs = {"loss": self._loss_tracker.result()}
        if self.objective is None:
            return logs
        weights = _listed(sample_weight) if sample_weight is not None else [None] * len(self.objective.targets)
        of_outputs = self.objective.of_outputs
        for target, one, pred, weight in zip(self.objective.targets, of_outputs(_listed(y)), _listed(y_pred),
                                             of_outputs(weights), strict=True):
            for metric in target.metrics:
                metric.update_state(one, pred)
            for metric in target.weighted_metrics:
                metric.update_state(one, pred, weight)
        return logs | self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of the metrics that `compile` was given, by name."""
        return {} if self.objective is None else {n: one.result() for n, one in self.objective.named.items()}

    @property
    def _loss_tracker(self) -> Any:  # Keras's name: `loss_tracker` is what scripts call one of their own
        """The mean loss of an epoch of own steps."""
        if self._mean_loss is None:
            self._mean_loss = Mean(name="loss")
        return self._mean_loss

    def own_metrics(self) -> list[Metric]:
        """Return the metrics in the model's attributes."""
        return [one for value in vars(self).values()
                for one in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(one, Metric)]


class GivenBatch(NamedTuple):
    """A batch as a source gave it, in the place of a `Batch`.

    Attributes
    ----------
    xs : list of arrays
        One of its arrays, which tells how many samples there are.
    given : object
    """

    xs: list[Any]
    given: Any


def packed(batch: Any) -> Any:
    """Return a batch as steps of one's own see it: x, (x, y) or (x, y, sample_weight).

    Parameters
    ----------
    batch : Batch or GivenBatch
    """
    if isinstance(batch, GivenBatch):
        return batch.given
    x, ys = _one(batch.xs), [y for y in batch.ys if y is not None]
    if not ys:
        return x
    weights = [] if batch.weights is None else [w for w in batch.weights if w is not None]
    return (x, _one(ys), _one(weights)) if weights else (x, _one(ys))


def _one(arrays: Sequence[Any]) -> Any:
    """Return arrays of the host: one alone, or a list of several."""
    return device.get(arrays[0]) if len(arrays) == 1 else list(map(device.get, arrays))


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and sample_weight, None for what is not there.

    Parameters
    ----------
    data : as `packed` returns it
    """
    given = list(data) if isinstance(data, tuple) else [data]
    x, y, weights = [*given, None, None][:3]
    return x, y, weights


def _logs(model: Any, which: str, logs: Any) -> dict[str, Any]:
    if not isinstance(logs, dict):
        raise ArgumentError(f"{model}: expected {which}_step to return a dict of numbers by name, got "
                            f"{type(logs).__name__}")
    return logs


def _listed(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, (list, tuple)) else [
        value]


def _each(function: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: function(one) for key, one in value.items()}
    return [function(one) for one in value] if isinstance(value, (list, tuple)) else function(value)


def _samples(x: Any) -> Any:
    return np.float64(len(_listed(x)[0]))
