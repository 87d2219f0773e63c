"""fit, evaluate, predict: the loops, in verbs. They know a model's forward and predict, and no layer."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from fastcnn import device, random
from fastcnn.callbacks import Callback, CallbackList, History
from fastcnn.errors import ArgumentError, DataError
from fastcnn.layers.base import Call
from fastcnn.objective import Objective, Running
from fastcnn.optimizers import Optimizer


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

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def output_shapes(self) -> list[Any]: ...

    def forward_with_loss(self, xs: Sequence[np.ndarray], ys: Sequence[Any], weights: Sequence[Any] | None, call: Call
                          ) -> Step: ...

    def penalty(self, adds_gradients: bool) -> float: ...

    def infer_all(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]: ...

    def infer_penalized(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]: ...


class Batch(NamedTuple):
    """Some samples: inputs, targets and weights, a list entry for each input or output."""

    xs: list[np.ndarray]
    ys: list[Any]
    weights: list[Any] | None


class Data:
    """Samples and targets in memory, checked once and handed out in batches of the model's type.

    Parameters
    ----------
    xs : list of (N, ...) arrays of any integer or floating type
        One for each input.
    ys : list of (N, ...) arrays
        Targets, one for each output; None where there is none.
    shapes : list of tuple
        The model's inputs, with None for the batch.
    dtype : dtype
        The model's.
    who : str
        For errors.
    weights : list of (N, ...) arrays, optional
        Of the samples, for each output.

    Raises
    ------
    DataError
        If there are no samples, or arrays differ in number, or a type is no number.
    ArgumentError
        If the model has another input shape.
    """

    def __init__(self, xs: Sequence[Any], ys: Sequence[Any], shapes: Sequence[Any], dtype: np.dtype, who: str,
                 weights: Sequence[Any] | None = None) -> None:
        self.xs = [_inputs(x, shape, dtype, who) for x, shape in zip(xs, shapes, strict=True)]
        self.ys: list[Any] = [None if y is None else np.asarray(y) for y in ys]
        self.weights = None if weights is None or all(w is None for w in weights) else [
            None if w is None else np.ascontiguousarray(w, dtype) for w in weights]
        for y in self.ys:
            if y is not None and y.dtype.kind not in "buif":
                raise DataError(f"{who}: expected numbers in y, got {y.dtype}; number the classes from 0")
        for name, arrays in (("targets", self.ys), ("samples in each input", self.xs),
                             ("sample weights", self.weights or [])):
            for one in arrays:
                if one is not None and len(one) != len(self.xs[0]):
                    raise DataError(f"{who}: expected as many {name} as samples, got {len(one)} for {len(self.xs[0])}")
        self.dtype = dtype

    def __len__(self) -> int:
        return len(self.xs[0])

    def batches(self, size: int, order: np.ndarray | None = None) -> Iterator[Batch]:
        """Yield batches of at most `size`, in the order of the indices, or as they lie."""
        for begin in range(0, len(self), size):
            end = min(begin + size, len(self))
            part: Any = slice(begin, end) if order is None else order[begin:end]
            index = np.arange(begin, end) if order is None else part
            xs = [x[begin:end] if order is None and x.dtype == self.dtype else self._gather(x, index) for x in self.xs]
            yield Batch(xs, [None if y is None else y[part] for y in self.ys],
                        None if self.weights is None else [None if w is None else w[part] for w in self.weights])

    def part(self, samples: slice) -> "Data":
        """Return some of the samples, in the same memory."""
        some = copy.copy(self)
        some.xs = [x[samples] for x in self.xs]
        some.ys = [None if y is None else y[samples] for y in self.ys]
        some.weights = None if self.weights is None else [None if w is None else w[samples] for w in self.weights]
        return some

    def weighted(self, weights: Sequence[np.ndarray]) -> "Data":
        """Return the same samples with these weights, for each output."""
        other = copy.copy(self)
        other.weights = [np.ascontiguousarray(w, self.dtype) for w in weights]
        return other

    def _gather(self, x: np.ndarray, index: np.ndarray) -> np.ndarray:
        d = device.of(x)
        out = d.empty((len(index), *x.shape[1:]), self.dtype)
        d.kernels.gather(out.reshape(len(index), -1), x.reshape(len(x), -1), index)
        return out


def _inputs(x: Any, shape: Any, dtype: np.dtype, who: str) -> np.ndarray:
    """Return one input, checked, as the kernel that gathers batches takes it."""
    x = np.asarray(x)
    if x.dtype.kind not in "buif":
        raise DataError(f"{who}: expected numbers in x, got {x.dtype}; convert it with x.astype('float32')")
    if x.shape[1:] != shape[1:]:
        hint = ("; add the channel with x[..., None]" if (*x.shape[1:], 1) == shape[1:] else
                "; one sample is x[None]" if x.shape == shape[1:] else "")
        wanted = ", ".join(map(str, shape[1:]))
        raise ArgumentError(f"{who}: expected x of shape (N, {wanted}), got {x.shape}{hint}")
    # The kernel that gathers a batch is compiled for these; everything else is converted once, to the model's type.
    known = x.dtype in (np.uint8, np.float32, np.float64)
    ready = known and x.flags.c_contiguous and x.flags.writeable
    return x if ready else np.array(x, x.dtype if known else dtype, order="C")


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


def fit(model: Trainable, data: Data, batch_size: int, epochs: int, callbacks: list[Callback],
        validation: Data | None, shuffle: bool, initial_epoch: int, verbose: int) -> History:
    """Train, and return the history; `Model.fit` is the public face."""
    history = History()
    steps = -(-len(data) // batch_size)
    each = CallbackList([history, *callbacks], model, {
        "epochs": epochs, "steps": steps, "samples": len(data), "batch_size": batch_size,
        "verbose": verbose, "initial_epoch": initial_epoch})
    model.stop_training = False
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
