"""The loops: fit, evaluate, predict. They know what `Trainable` asks of a model, and no layer."""

from collections.abc import Container, Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.array_data import Batch
from fastcnn.callbacks import Callback, CallbackList, History
from fastcnn.errors import DataError, DeviceMemoryError, NotFiniteLossError
from fastcnn.training import own_step as own_steps
from fastcnn.training.epochs import Epochs
from fastcnn.training.run import TrainingRun
from fastcnn.training.step import Resumable, Trainable, train_step


def fit(model: Resumable, data: Epochs, epochs: int, callbacks: list[Callback], *, validation: Epochs | None = None,
        validation_freq: int | Container[int] = 1, initial_epoch: int = 0, verbose: int = 0, seen: Any = None
        ) -> History:
    """Train, and return the history; `Model.fit` is the public face.

    Parameters
    ----------
    model : Resumable
    data : Epochs
    epochs : int
        The number of the last epoch, counted from the first training: this one runs from `initial_epoch` to it.
    callbacks : list of Callback
    validation : Epochs, optional
    validation_freq : int or container of int
        As of `is_validated`.
    initial_epoch : int
    verbose : int
        0, 1 or 2, for callbacks.
    seen : Model, optional
        What callbacks see as their model; `model` itself if absent.
    """
    history = History()
    last = [one for one in callbacks if one.comes_last]
    callbacks = [*(one for one in callbacks if not one.comes_last), history, *last]
    each = CallbackList(callbacks, model if seen is None else seen, {
        "epochs": epochs, "steps": data.steps, "samples": data.batches.samples, "batch_size": data.batches.batch_size,
        "verbose": verbose, "initial_epoch": initial_epoch})
    if model.own_train_step is None:  # else nobody knows the names of what is reported before it is
        names = model.objective.names
        each.check(names if validation is None else [*names, *(f"val_{name}" for name in names)])
    model.stop_training = False
    model.history = history
    run = TrainingRun(model, data, each, validation, initial_epoch)
    for one in callbacks:
        one.set_run(run)
    try:
        each.on_train_begin({})
        logs = _train(run, epochs, each, validation_freq)
        run.finish()
        each.on_train_end(logs)
    # Ctrl-C too: a callback may have something to save.
    except BaseException as error:
        run.train_on()  # before a callback gives other weights back
        each.on_train_interrupted(error)
        raise
    finally:
        for one in callbacks:
            one.set_run(None)
        data.close()
        if validation is not None:
            validation.close()
    return history


def _train(run: TrainingRun, epochs: int, each: CallbackList, validation_freq: int | Container[int]
           ) -> dict[str, float]:
    """Go through the epochs that are left, and return what the last one reports."""
    if run.is_over:
        return run.logs
    model, data, validation = run.model, run.data, run.validation
    on_gradients = each.on_gradients if each.listens("on_gradients") else None
    own_step, put = model.own_train_step, model.put
    on_data = each.on_train_data if each.listens("on_train_data") else None
    for epoch in range(run.epoch, epochs):
        model.optimizer.epoch = epoch
        run.train_on()
        each.on_epoch_begin(epoch, {})
        run.begin_epoch()
        running = run.running
        for number, batch in enumerate(_left(run, epoch), run.batch):
            each.on_train_batch_begin(number, {})
            if on_data is not None:
                on_data(batch.xs)
            if own_step is None:
                try:
                    step = train_step(model, batch, on_gradients)
                    if put is not None and on_data is None:
                        data.prepare(put)
                except NotFiniteLossError as error:
                    error.epoch, error.step, error.sample = epoch, number, data.sample(error.row)
                    raise
                except DeviceMemoryError as error:
                    error.batch_size = len(batch.xs[0])
                    raise
                running.update(step.losses, batch.ys, step.outputs, batch.weights, step.penalty)
            else:
                running.took(own_step(batch), len(batch.xs[0]))
            run.batch = number + 1
            each.on_train_batch_end(number, running.result())
            if model.stop_training:
                break
        if not running.count:  # an iterator ended exactly with the last epoch
            break
        logs = running.result()
        if validation is not None and is_validated(epoch, validation_freq):
            logs |= {f"val_{name}": value for name, value in evaluate(model, validation, each).items()}
        run.end_epoch(logs)
        each.on_epoch_end(epoch, logs)
        if model.stop_training or data.is_over:
            break
    return run.logs


def _left(run: TrainingRun, epoch: int) -> Iterable[Batch]:
    """Return the batches of an epoch that are left; none where one that goes on was to end after the last one."""
    return () if run.batch and run.model.stop_training else run.data.next(epoch)


def is_validated(epoch: int, frequency: int | Container[int]) -> bool:
    """Return whether an epoch, counted from 0, ends with a validation.

    Parameters
    ----------
    epoch : int
    frequency : int or container of int
        n: every n-th epoch. A container: the epochs in it, counted from 1.

    Examples
    --------
    >>> [fc.training.is_validated(epoch, 2) for epoch in range(4)]
    [False, True, False, True]
    """
    return epoch + 1 in frequency if isinstance(frequency, Container) else (epoch + 1) % frequency == 0


def evaluate(model: Trainable, data: Epochs, callbacks: CallbackList | None = None) -> dict[str, float]:
    """Return the mean loss and the metrics over the data; an empty dict if an iterator has nothing left.

    Parameters
    ----------
    model : Trainable
    data : Epochs
    callbacks : CallbackList, optional
    """
    each = CallbackList([], model, {}) if callbacks is None else callbacks
    tells = each.listens("on_test_batch_end")  # computing results after every batch costs time
    own_step = model.own_test_step
    running = own_steps.running(model, own_step)
    penalty = model.penalty(adds_gradients=False)  # of the parameters, which stay the same meanwhile
    model.stop_evaluating = False
    data.restart()
    each.on_test_begin({})
    for number, batch in enumerate(data.next()):
        each.on_test_batch_begin(number, {})
        if own_step is None:
            outputs, more = model.infer_penalized(batch.xs)
            losses, _ = model.objective.forward(batch.ys, outputs, batch.weights, wants_gradient=False)
            running.update(losses, batch.ys, outputs, batch.weights, penalty + more)
        else:
            running.took(own_step(batch), len(batch.xs[0]))
        each.on_test_batch_end(number, running.result() if tells else {})
        if model.stop_evaluating:
            break
    logs = running.result() if running.count else {}
    each.on_test_end(logs)
    return logs


def predict(model: Trainable, data: Epochs, callbacks: CallbackList | None = None) -> list[np.ndarray]:
    """Return the outputs for all samples, in memory of their own.

    Parameters
    ----------
    model, data, callbacks : as `evaluate`
    """
    each = CallbackList([], model, {}) if callbacks is None else callbacks
    tells = each.listens("on_predict_batch_end")
    results = _Results(data.samples, model)
    model.stop_predicting = False
    each.on_predict_begin({})
    for number, batch in enumerate(data.next()):
        each.on_predict_batch_begin(number, {})
        outputs = results.add(model.infer_all(batch.xs))
        each.on_predict_batch_end(number, {"outputs": model.as_given(outputs)} if tells else {})
        if model.stop_predicting:
            break
    each.on_predict_end({})
    return results.whole()


class _Results:
    """The outputs of all batches: written into arrays of the final size if that is known, otherwise concatenated."""

    def __init__(self, samples: int | None, model: Trainable) -> None:
        self._samples, self._model = samples, model
        self._arrays = None if samples is None else self._made(model.output_shapes)
        self._parts: list[list[np.ndarray]] = []
        self._count = 0

    def _made(self, shapes: Sequence[Any]) -> list[np.ndarray]:
        """Return arrays for all samples; for none where a size is left open, until the first batch tells it."""
        samples = 0 if self._samples is None or any(None in shape[1:] for shape in shapes) else self._samples
        return [np.empty((samples, *(n or 0 for n in shape[1:])), self._model.array_dtype) for shape in shapes]

    def add(self, outputs: list[np.ndarray]) -> list[np.ndarray]:
        """Keep copies of the outputs of a batch, and return them."""
        if self._arrays is None:
            # A copy, since the next batch takes the same memory.
            self._parts.append([device.get(output).copy() for output in outputs])
            return self._parts[-1]
        if not self._count and [one.shape[1:] for one in self._arrays] != [one.shape[1:] for one in outputs]:
            self._arrays = self._made([one.shape for one in outputs])
        begin, self._count = self._count, self._count + len(outputs[0])
        # Copied into the whole, so that the memory of these outputs is free for the next batch.
        kept = [array[begin : self._count] for array in self._arrays]
        for to, output in zip(kept, outputs, strict=True):
            to[...] = device.get(output)
        return kept

    def whole(self) -> list[np.ndarray]:
        if self._arrays is None:
            for parts in zip(*self._parts, strict=True):
                sizes = dict.fromkeys(part.shape[1:] for part in parts)
                if len(sizes) > 1:
                    raise DataError(f"{self._model}.predict: expected batches whose outputs are of one size, to join "
                                    f"them, got {' and '.join(map(str, sizes))}; call predict_on_batch for each")
            return [np.concatenate(parts) for parts in zip(*self._parts, strict=True)]
        # Stopped early: a copy, so that the memory for the rest is given back.
        return [array if len(array) == self._count else array[: self._count].copy() for array in self._arrays]
