"""fit, evaluate, predict: the loops, in verbs. They know a model's forward and predict, and no layer."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from fastcnn import random
from fastcnn.callbacks import Callback, CallbackList, History
from fastcnn.layers.base import Call
from fastcnn.objective import Objective, Running
from fastcnn.optimizers import Optimizer
from fastcnn.samples import Batch, Data


class Step(NamedTuple):
    """What one pass with its way back finds.

    Attributes
    ----------
    losses : list of (N,) arrays
        Of each output; None where it has no loss.
    outputs : list of arrays
    backward : callable
        Adds to the gradients of all parameters.
    penalty : float
        What regularizers add to the mean loss.
    """

    losses: list[Any]
    outputs: list[np.ndarray]
    backward: Any
    penalty: float


class Trainable(Protocol):
    """What the loops ask of a model."""

    objective: Objective
    optimizer: Optimizer
    seed: int
    orders: "Orders"
    stop_training: bool
    history: History | None

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def output_shapes(self) -> list[Any]: ...

    def forward_with_loss(self, xs: Sequence[np.ndarray], ys: Sequence[Any], weights: Sequence[Any] | None, call: Call
                          ) -> Step: ...

    def penalty(self, adds_gradients: bool) -> float: ...

    def infer_all(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]: ...

    def infer_penalized(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]: ...


class Orders:
    """The orders in which a model sees the samples: another one for each epoch that it begins.

    Parameters
    ----------
    seed : int
        The same gives the same orders, one after another.
    """

    def __init__(self, seed: int) -> None:
        self._draw, self._drawn = random.generator(seed), 0

    def next(self, samples: int, epoch: int) -> np.ndarray:
        """Return the next order, or that of `epoch` if it is a later one: a training that others began goes on."""
        for _ in range(max(1, epoch + 1 - self._drawn)):
            order = self._draw.permutation(samples)
            self._drawn += 1
        return order


def train_step(model: Trainable, batch: Batch) -> Step:
    """Forward, loss, backward, optimizer: return what the pass found."""
    model.optimizer.clear_gradients()
    step = model.forward_with_loss(*batch, Call(model.seed, model.optimizer.iterations, wants_dx=False))
    step.backward()
    penalty = step.penalty + model.penalty(adds_gradients=True)
    model.optimizer.step()
    return step._replace(penalty=penalty)


def fit(model: Trainable, data: Data, batch_size: int, epochs: int, callbacks: list[Callback], *,
        validation: Data | None, shuffle: bool, initial_epoch: int, verbose: int) -> History:
    """Train, and return the history; `Model.fit` is the public face."""
    history = History()
    steps = -(-len(data) // batch_size)
    each = CallbackList([history, *callbacks], model, {
        "epochs": epochs, "steps": steps, "samples": len(data), "batch_size": batch_size,
        "verbose": verbose, "initial_epoch": initial_epoch})
    model.stop_training = False
    model.history = history
    each.on_train_begin({})
    logs: dict[str, float] = {}
    for epoch in range(initial_epoch, epochs):
        each.on_epoch_begin(epoch, {})
        running = Running(model.objective)
        order = model.orders.next(len(data), epoch) if shuffle else None
        for number, batch in enumerate(data.batches(batch_size, order)):
            each.on_train_batch_begin(number, {})
            step = train_step(model, batch)
            running.update(step.losses, batch.ys, step.outputs, batch.weights, step.penalty)
            each.on_train_batch_end(number, running.result())
            if model.stop_training:
                break
        logs = running.result()
        if validation is not None:
            logs |= {f"val_{name}": value for name, value in evaluate(model, validation, batch_size).items()}
        each.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values()  # where it keeps averages of the weights, they take the weights' place
    each.on_train_end(logs)
    return history


def evaluate(model: Trainable, data: Data, batch_size: int) -> dict[str, float]:
    """Return the mean loss and the metrics over the data."""
    running = Running(model.objective)
    penalty = model.penalty(adds_gradients=False)
    for batch in data.batches(batch_size):
        outputs, more = model.infer_penalized(batch.xs)
        losses, _ = model.objective.forward(batch.ys, outputs, batch.weights, wants_gradient=False)
        running.update(losses, batch.ys, outputs, batch.weights, penalty + more)
    return running.result()


def predict(model: Trainable, data: Data, batch_size: int) -> list[np.ndarray]:
    """Return the outputs for all samples, in memory of their own."""
    results = [np.empty((len(data), *shape[1:]), model.dtype) for shape in model.output_shapes]
    for number, batch in enumerate(data.batches(batch_size)):
        begin = number * batch_size
        for result, output in zip(results, model.infer_all(batch.xs), strict=True):
            result[begin : begin + len(output)] = output
    return results
