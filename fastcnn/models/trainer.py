"""Trainer: what a user does with a model: fit, evaluate, predict, on all data or on one batch."""

import numbers
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from fastcnn import device, random, training
from fastcnn.callbacks import Callback, CallbackList, History, shown
from fastcnn.graph import execute
from fastcnn.layers.base import Call
from fastcnn.loss_and_metrics import RunningMeans
from fastcnn.models import given, sources
from fastcnn.models.compiled import Compiled
from fastcnn.training import Epochs, ForwardResult


class Trainer(Compiled):
    """The half of `fastcnn.Model` that trains; the other half says what it computes.

    Attributes
    ----------
    stop_training, stop_evaluating, stop_predicting : bool
        Set by a callback to end `fit`, `evaluate` or `predict` after the current batch.
    history : History or None
        What the last `fit` has returned, or has so far where it was interrupted; None before.
    """

    # What the other half has.
    infer_all: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    entered: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    is_plain: bool
    as_given: Callable[[Sequence[Any]], Any]
    _run: Callable[..., Any]

    def _begin(self) -> None:
        super()._begin()
        self.seed = random.next_seed()
        self.orders = training.Orders(self.seed)
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.history: History | None = None

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
            verbose: int | str = "auto", callbacks: Any = None, validation_split: float = 0.0,
            validation_data: Any = None, shuffle: bool = True, class_weight: dict[int, float] | None = None,
            sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
            validation_steps: int | None = None, validation_batch_size: int | None = None,
            validation_freq: int | Container[int] = 1, **others: Any) -> History:
        """Train for `epochs` passes over the data.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them; or batches
            Batches are tuples (x, y) or (x, y, sample_weight) of an iterable, such as a generator or a list of tuples,
            or of an object with ``__getitem__`` and ``__len__``, such as Keras's ``PyDataset``, whose
            ``on_epoch_begin`` and ``on_epoch_end`` are called. They may differ in size. Each is checked before its
            step, the first one before training.
        y : (N, ...) array, or a list or dict (by output name) of them
        batch_size : int, optional
            32 if absent, or what `steps_per_epoch` asks for; not for batches.
        epochs, initial_epoch : int
        verbose : int or "auto"
            0 nothing, 1 a moving line, 2 a line an epoch; "auto" is 1 on a terminal, else 2.
        callbacks : Callback or list of them, optional
        validation_split : float
            This part of the data, the last of it, is not trained on but evaluated after each epoch, without the
            weights of classes; for arrays alone.
        validation_data : (x, y) or (x, y, sample_weight), or batches, optional
            Evaluated after each epoch.
        shuffle : bool
            Draw another order for each epoch that the model begins, in this call or a later one: one seed
            (`fastcnn.utils.set_random_seed`) gives one sequence of orders, which two calls of ``fit(epochs=1)`` see as
            one of ``fit(epochs=2)`` does. Batches that are asked for by number come in such an order, others as they
            come.
        class_weight : dict, optional
            A factor of the loss for each class; classes that are not named have 1.
        sample_weight : (N,) array, or a list or dict (by output name) of them, optional
            A factor of the loss for each sample.
        steps_per_epoch : int, optional
            Batches of an epoch, if it is no pass over the data: the next epoch goes on where this one ended. Where
            data ends within an epoch, so does the epoch, with a warning; training ends too if they come from an
            iterator.
        validation_steps : int, optional
            Batches of a validation, if it is no pass: the first ones, but for an iterator, which goes on.
        validation_batch_size : int, optional
            `batch_size` if absent.
        validation_freq : int, or a container of them
            Validate after every so many epochs, or after these, counted from 1.

        Returns
        -------
        History
            ``history.history["loss"]`` and the like: one entry an epoch.

        Raises
        ------
        ArgumentError, DataError
            If an argument or the data does not fit, before anything is trained; for a later batch of an iterable,
            before its step.
        """
        who = f"{self}.fit"
        given.refuse(who, others, {}, given.names_of(Trainer.fit))
        given.positive(who, epochs=epochs)
        given.positive_or_none(who, batch_size=batch_size, steps_per_epoch=steps_per_epoch,
                               validation_steps=validation_steps, validation_batch_size=validation_batch_size)
        verbose = given.verbosity(verbose, who)
        each = given.every_callback(callbacks, verbose, who)
        given.check(isinstance(initial_epoch, numbers.Integral) and initial_epoch >= 0, who,
               "initial_epoch to be an integer from 0", initial_epoch)
        given.check(isinstance(shuffle, (bool, np.bool_)), who, "shuffle to be True or False", shuffle)
        given.check(isinstance(validation_split, numbers.Real) and 0 <= validation_split < 1, who,
               "0 <= validation_split < 1", validation_split)
        sources.check_frequency(validation_freq, who)
        orders = self.orders if shuffle else None
        held_out = sources.HeldOut(
            self, f"{who}: validation_data", batch_size, validation_batch_size, validation_steps,
            sum(training.is_validated(epoch, validation_freq) for epoch in range(initial_epoch, epochs)))
        if sources.is_stream(x, y):
            given.check(not validation_split, who, "validation_data beside batches, which cannot be split",
                        validation_split)
            validation = held_out.of(validation_data)
            data = sources.of_stream(
                x, sources.with_targets(self, who, class_weight, trains=True), steps_per_epoch, epochs - initial_epoch,
                who, orders=orders, first_epoch=initial_epoch, steps_name="steps_per_epoch", y=y,
                sample_weight=sample_weight, batch_size=batch_size)
        else:
            samples = self._data(x, y, sample_weight, who, trains=True)
            validation = held_out.of(validation_data)
            if validation_split and validation is None:
                samples, rest = sources.split(samples, validation_split, who)
                validation = held_out.of_samples(rest)
            data = sources.of_arrays(self._classes_weighted(samples, class_weight, who), batch_size, steps_per_epoch,
                                     who, orders)
        self.optimizer.build(self.trained)
        return training.fit(self, data, epochs, each, validation=validation,  # type: ignore[arg-type]
                            validation_freq=validation_freq, initial_epoch=initial_epoch, verbose=verbose)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: int | str = 0,
                 sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
                 return_dict: bool = False, **others: Any) -> Any:
        """Return the mean loss, or [loss, *metrics], or both by name in a dict.

        Parameters
        ----------
        x, y : arrays, or lists or dicts of them, or x alone: batches, as in `fit`
        batch_size : int, optional
            32 if absent, or what `steps` asks for; not for batches.
        verbose : int
            0 prints nothing.
        sample_weight : array, optional
        steps : int, optional
            Look at the first batches alone, so many.
        callbacks : Callback or list of them, optional
        return_dict : bool
        """
        who = f"{self}.evaluate"
        given.refuse(who, others, {}, given.names_of(Trainer.evaluate))
        given.positive_or_none(who, batch_size=batch_size, steps=steps)
        each = given.every_callback(callbacks, 0, who)
        if sources.is_stream(x, y):
            data = sources.of_stream(x, sources.with_targets(self, who), steps, 1, who, y=y,
                                     sample_weight=sample_weight, batch_size=batch_size)
        else:
            data = sources.of_arrays(self._data(x, y, sample_weight, who), batch_size, steps, who)
        logs = training.evaluate(self, data, _listening(self, each, data))  # type: ignore[arg-type]
        if verbose and verbose != "auto":
            print(shown(logs))
        return _as_keras(logs, return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = 0, steps: int | None = None,
                callbacks: Any = None, **others: Any) -> Any:
        """Return the outputs for all samples, as a new array, or a list or dict of them as the model was told.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them; or batches
            As in `fit`, or of inputs alone: x or (x,).
        batch_size : int, optional
            32 if absent, or what `steps` asks for; not for batches.
        verbose : int
            Nothing is printed in any case.
        steps : int, optional
            Look at the first batches alone, so many.
        callbacks : Callback or list of them, optional
        """
        if self.is_plain and type(x) is np.ndarray and x.dtype == self.compute_dtype \
                and x.shape[1:] == self.input_shape[1:] and not others and steps is None and callbacks is None \
                and 0 < len(x) <= _batch_of(batch_size):
            (y,) = self.infer_all([x])  # one batch of the model's own type: nothing to gather
            if type(y) is not np.ndarray:
                y = device.get(y)
            return y.copy() if _may_share(x, y) else y
        who = f"{self}.predict"
        given.refuse(who, others, {}, given.names_of(Trainer.predict))
        given.positive_or_none(who, batch_size=batch_size, steps=steps)
        each = given.every_callback(callbacks, 0, who)
        if sources.is_stream(x):
            data = sources.of_stream(x, sources.inputs_alone(self, who), steps, 1, who, batch_size=batch_size)
        else:
            data = sources.of_arrays(self._samples(x, who), batch_size, steps, who)
        return self.as_given(training.predict(self, data, _listening(self, each, data)))  # type: ignore[arg-type]

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
                       return_dict: bool = False) -> Any:
        """Take one step on one batch; return as `evaluate`."""
        who = f"{self}.train_on_batch"
        data = self._data(x, y, sample_weight, who, trains=True, one_batch=True)
        data = self._classes_weighted(data, class_weight, who)
        self.optimizer.build(self.trained)
        running = RunningMeans(self.objective)
        for batch in data.batches(len(data)):
            step = training.train_step(self, batch)  # type: ignore[arg-type]
            running.update(step.losses, batch.ys, step.outputs, batch.weights, step.penalty)
        return _as_keras(running.result(), return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate one batch; return as `evaluate`."""
        who = f"{self}.test_on_batch"
        data = self._data(x, y, sample_weight, who, one_batch=True)
        one = sources.of_arrays(data, len(data), None, who)
        return _as_keras(training.evaluate(self, one), return_dict)  # type: ignore[arg-type]

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch."""
        who = f"{self}.predict_on_batch"
        data = self._samples(x, who, lasts=False)
        one = sources.of_arrays(data, max(1, len(data)), None, who)
        return self.as_given(training.predict(self, one))  # type: ignore[arg-type]

    # --- what `fastcnn.training` asks of a model ---------------------------------------------------------------------

    def forward_with_loss(self, xs: Sequence[np.ndarray], ys: Sequence[Any], weights: Sequence[Any] | None, call: Call
                          ) -> ForwardResult:
        """Return losses, outputs and the way back; a softmax before cross-entropy is one kernel with it."""
        targets, penalties = self.objective.targets, list[float]()
        which = self.objective.after_softmax
        xs, steps = self.entered(xs), self._run(len(xs[0]), which) if which else None
        together = which if steps is not None else ()
        outputs, back = execute.forward(self._run(len(xs[0])) if steps is None else steps, xs, call, penalties)
        losses, gradients = self.objective.forward(ys, outputs, weights, skip=together)
        for k in together:
            more = {} if weights is None or weights[k] is None else {"sample_weight": weights[k]}
            losses[k], gradients[k], outputs[k] = targets[k].loss.forward_from_logits(ys[k], outputs[k], **more)
            gradients[k] = self.objective.scaled(targets[k], gradients[k])
        return ForwardResult(losses, outputs, lambda: back(gradients), sum(penalties))

    def penalty(self, adds_gradients: bool) -> float:
        """Return what the regularizers of the weights add to the loss; add its gradients if told so."""
        return sum((p.regularizer.add_gradient(p.gradient, p.array) if adds_gradients else
                    p.regularizer.value(p.array) for p in self.penalized), 0.0)


def _may_share(x: np.ndarray, y: np.ndarray) -> bool:
    """Return whether an output may lie where the input does: what lies in a block of the device's own does not.

    Asking NumPy takes a third of a microsecond, of the 38 that LeNet-5 takes for an image.
    """
    block = y.base
    own = type(block) is np.ndarray and block.dtype == np.uint8 and block is not x.base
    return not own and np.may_share_memory(x, y)


def _batch_of(batch_size: Any) -> int:
    """Return the samples of a batch; 0 for what has to be looked at, and refused perhaps."""
    return 32 if batch_size is None else batch_size if type(batch_size) is int else 0


def _listening(model: Any, callbacks: list[Callback], data: Epochs) -> CallbackList:
    return CallbackList(callbacks, model, {
        "epochs": 1, "steps": data.steps, "samples": data.batches.samples, "batch_size": data.batches.batch_size,
        "verbose": 0, "initial_epoch": 0})


def _as_keras(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
