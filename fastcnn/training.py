"""fit, evaluate, predict: the loops, in verbs. They know a model's forward and predict, and no layer."""

import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from fastcnn import device, random
from fastcnn.callbacks import Callback, CallbackList, History
from fastcnn.errors import ArgumentError, DataError
from fastcnn.layers.base import Call
from fastcnn.losses import Loss
from fastcnn.metrics import Metric
from fastcnn.optimizers import Optimizer


class Trainable(Protocol):
    """What the loops ask of a model."""

    input_shape: Any
    loss: Loss
    optimizer: Optimizer
    metrics: list[Metric]
    seed: int
    stop_training: bool

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def output_shape(self) -> Any: ...

    def forward_with_loss(self, x: np.ndarray, y: np.ndarray, call: Call) -> Any: ...

    def infer(self, x: np.ndarray) -> np.ndarray: ...


class Data:
    """Samples and targets in memory, checked once and handed out in batches of the model's type.

    Parameters
    ----------
    x : (N, ...) array of any integer or floating type
    y : (N, ...) array, optional
        Targets.
    shape : tuple
        The model's input, with None for the batch.
    dtype : dtype
        The model's.
    who : str
        For errors.

    Raises
    ------
    DataError
        If there are no samples, or `x` and `y` differ in number, or the type is no number.
    ArgumentError
        If the model has another input shape.
    """

    def __init__(self, x: Any, y: Any, shape: Any, dtype: np.dtype, who: str) -> None:
        x = np.asarray(x)
        if x.dtype.kind not in "buif":
            raise DataError(f"{who}: expected numbers in x, got {x.dtype}; convert it with x.astype('float32')")
        if x.shape[1:] != shape[1:]:
            hint = "; add the channel with x[..., None]" if (*x.shape[1:], 1) == shape[1:] else ""
            wanted = ", ".join(map(str, shape[1:]))
            raise ArgumentError(f"{who}: expected x of shape (N, {wanted}), got {x.shape}{hint}")
        self.y = None if y is None else np.asarray(y)
        if self.y is not None and len(self.y) != len(x):
            raise DataError(f"{who}: expected as many targets as samples, got {len(self.y)} for {len(x)}")
        if self.y is not None and self.y.dtype.kind not in "buif":
            raise DataError(f"{who}: expected numbers in y, got {self.y.dtype}; number the classes from 0")
        # The kernel that gathers a batch is compiled for these; everything else is converted once.
        ready = x.dtype in (np.uint8, np.float32, np.float64) and x.flags.c_contiguous and x.flags.writeable
        kind = x.dtype if x.dtype in (np.uint8, np.float32, np.float64) else np.float32
        self.x = x if ready else np.array(x, kind, order="C")
        self.dtype = dtype

    def __len__(self) -> int:
        return len(self.x)

    def batches(self, size: int, order: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, Any]]:
        """Yield (x, y) in batches of at most `size`, in the order of the indices, or as they lie."""
        for begin in range(0, len(self), size):
            end = min(begin + size, len(self))
            if order is None and self.x.dtype == self.dtype:
                yield self.x[begin:end], None if self.y is None else self.y[begin:end]
            else:
                index = np.arange(begin, end) if order is None else order[begin:end]
                yield self._gather(index), None if self.y is None else self.y[index]

    def _gather(self, index: np.ndarray) -> np.ndarray:
        d = device.of(self.x)
        out = d.empty((len(index), *self.x.shape[1:]), self.dtype)
        d.kernels.gather(out.reshape(len(index), -1), self.x.reshape(len(self), -1), index)
        return out


def train_step(model: Trainable, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forward, loss, backward, optimizer: return the loss of each sample, and the outputs."""
    model.optimizer.clear_gradients()
    losses, y_pred, backward = model.forward_with_loss(
        x, y, Call(model.seed, model.optimizer.iterations, wants_dx=False))
    backward()
    model.optimizer.step()
    return losses, y_pred


class Running:
    """The running means of an epoch: the loss and the metrics."""

    def __init__(self, model: Trainable) -> None:
        self.metrics = model.metrics
        self.total, self.count = 0.0, 0
        for metric in self.metrics:
            metric.reset_state()

    def update(self, losses: np.ndarray, y: np.ndarray, y_pred: np.ndarray) -> None:
        self.total += float(losses.sum(dtype=np.float64))
        self.count += losses.size
        for metric in self.metrics:
            metric.update_state(y, y_pred)

    def result(self) -> dict[str, float]:
        loss = self.total / self.count if self.count else math.nan
        return {"loss": loss} | {metric.name: metric.result() for metric in self.metrics}


def fit(model: Trainable, data: Data, batch_size: int, epochs: int, callbacks: list[Callback],
        validation: Data | None, shuffle: bool, initial_epoch: int) -> History:
    """Train, and return the history; `Sequential.fit` is the public face."""
    history = History()
    steps = -(-len(data) // batch_size)
    each = CallbackList([history, *callbacks], model, {
        "epochs": epochs, "steps": steps, "samples": len(data), "batch_size": batch_size,
        "initial_epoch": initial_epoch})
    draw = random.generator(model.seed)
    model.stop_training = False
    each.on_train_begin({})
    logs: dict[str, float] = {}
    for epoch in range(initial_epoch, epochs):
        each.on_epoch_begin(epoch, {})
        running = Running(model)
        order = draw.permutation(len(data)) if shuffle else None
        for batch, (x, y) in enumerate(data.batches(batch_size, order)):
            each.on_train_batch_begin(batch, {})
            losses, y_pred = train_step(model, x, y)
            running.update(losses, y, y_pred)
            each.on_train_batch_end(batch, running.result())
            if model.stop_training:
                break
        logs = running.result()
        if validation is not None and not model.stop_training:
            logs |= {f"val_{name}": value for name, value in evaluate(model, validation, batch_size).items()}
        each.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    each.on_train_end(logs)
    return history


def evaluate(model: Trainable, data: Data, batch_size: int) -> dict[str, float]:
    """Return the mean loss and the metrics over the data."""
    running = Running(model)
    for x, y in data.batches(batch_size):
        y_pred = model.infer(x)
        running.update(model.loss.forward(y, y_pred, wants_gradient=False)[0], y, y_pred)
    return running.result()


def predict(model: Trainable, data: Data, batch_size: int) -> np.ndarray:
    """Return the outputs for all samples, in memory of their own."""
    out = np.empty((len(data), *model.output_shape[1:]), model.dtype)
    for batch, (x, _) in enumerate(data.batches(batch_size)):
        out[batch * batch_size : batch * batch_size + len(x)] = model.infer(x)
    return out
