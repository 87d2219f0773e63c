"""Trainer: what a model is trained for and with, and the loops over what users hand over."""

import contextlib
import copy
import numbers
from collections.abc import Container, Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn import device, optimizers, random, training
from fastcnn.array_data import Batch
from fastcnn.callbacks import Callback, CallbackList, History, shown
from fastcnn.errors import ArgumentError
from fastcnn.graph import step_replay
from fastcnn.layers.base import Call
from fastcnn.models import arguments, batching, data, kernels_ahead, statistics, training_state
from fastcnn.models.network import Network
from fastcnn.objective import losses_of, objective_of
from fastcnn.parameters import Parameter
from fastcnn.training import Epochs, ForwardResult, own_step


class Trainer:
    """Trains a model, and knows what nobody asks who only predicts; the loops ask it for what they ask of a model.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    loss, optimizer
        As given to `compile`, as objects; a word that the data explains stays a word.
    compiled : dict
        What else `compile` was given.
    objective : Objective or None
        The losses and metrics of all outputs; known once the model is built and compiled.
    trained, penalized : list of Parameter
        As it was when a training or an evaluation began, and what of it has a regularizer.
    seed : int
    orders : Orders
    stop_training, stop_evaluating, stop_predicting : bool
    history : History or None
    augmentation : Pipeline, dict of str to Pipeline, or None
        What images went through in the last training.
    """

    def __init__(self, model: Network) -> None:
        self.model = model
        self.loss: Any = None
        self.optimizer: Any = None
        self.objective: Any = None
        self.compiled: dict[str, Any] = {}
        self.trained: list[Any] = []
        self.penalized: list[Any] = []
        self.seed = random.next_seed()
        self.orders = training.Orders(self.seed)
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.history: History | None = None
        self.augmentation: Any = None

    def of(self, model: Network) -> "Trainer":
        """Return a trainer that trains another model as this one does, with the same optimizer."""
        other = copy.copy(self)
        other.model, other.objective, other.stop_training = model, None, False
        return other

    def compile(self, optimizer: Any, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any,
                others: dict[str, Any]) -> None:
        """As `fastcnn.Model.compile`."""
        who = f"{self.model}.compile"
        arguments.check_hints(who, others, ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"))
        if isinstance(loss, (list, tuple, dict)) and not loss:
            raise ArgumentError(f"{self.model}: compile expected a loss, such as "
                                f'"sparse_categorical_crossentropy", got none in {loss!r}')
        chosen, made = optimizers.get(optimizer), None if loss is None else losses_of(loss)
        compiled = {"loss": made, "loss_weights": loss_weights, "metrics": arguments.listed(metrics),
                    "weighted_metrics": arguments.listed(weighted_metrics)}
        objective = None
        if self.model.built and made is not None:
            objective = objective_of(self.model.output_names, self.output_shapes, **compiled, who=who)
        # Set at the end, all at once: a call that fails changes nothing.
        self.optimizer, self.loss, self.compiled, self.objective = chosen, made, compiled, objective
        self.augmentation = None

    # --- over all data ----------------------------------------------------------------------------------------------

    def fit(self, x: Any, y: Any, *, batch_size: int | None, epochs: int, verbose: int | str, callbacks: Any,
            validation_split: float, validation_data: Any, shuffle: bool, class_weight: dict[int, float] | None,
            sample_weight: Any, initial_epoch: int, steps_per_epoch: int | None, validation_steps: int | None,
            validation_batch_size: int | None, validation_freq: int | Container[int], augmentation: Any) -> History:
        """As `fastcnn.Model.fit`."""
        who = f"{self.model}.fit"
        arguments.positive(who, epochs=epochs)
        arguments.positive_or_none(who, batch_size=batch_size, steps_per_epoch=steps_per_epoch,
                                   validation_steps=validation_steps, validation_batch_size=validation_batch_size)
        verbose = arguments.verbosity(verbose, who)
        each = arguments.every_callback(callbacks, verbose, who)
        arguments.check(isinstance(initial_epoch, numbers.Integral) and initial_epoch >= 0, who,
                        "initial_epoch to be an integer from 0", initial_epoch)
        arguments.check(isinstance(shuffle, (bool, np.bool_)), who, "shuffle to be True or False", shuffle)
        arguments.check(isinstance(validation_split, numbers.Real) and 0 <= validation_split < 1, who,
                        "0 <= validation_split < 1", validation_split)
        batching.check_frequency(validation_freq, who)
        held_out = batching.HeldOut(
            self, f"{who}: validation_data", batch_size, validation_batch_size, validation_steps,
            sum(training.is_validated(epoch, validation_freq) for epoch in range(initial_epoch, epochs)), augmentation)
        if batching.is_stream(x, y):
            arguments.check(not validation_split, who, "validation_data beside batches, which cannot be split",
                            validation_split)
            validation = held_out.of(validation_data)
            batches = batching.of_stream(
                x, batching.with_targets(self, who, class_weight, True, augmentation), steps_per_epoch,
                epochs - initial_epoch, who, orders=self.orders, shuffles=bool(shuffle), draws=augmentation,
                first_epoch=initial_epoch, steps_name="steps_per_epoch", y=y, sample_weight=sample_weight,
                batch_size=batch_size)
        else:
            samples = data.labelled(self, x, y, sample_weight, who, augmentation=augmentation, trains=True)
            validation = held_out.of(validation_data)
            if validation_split and validation is None:  # given data comes before a split, as in Keras
                samples, rest = batching.split(samples, validation_split, who)
                validation = held_out.of_samples(rest)
            batches = batching.of_arrays(data.classes_weighted(samples, class_weight, who), batch_size, steps_per_epoch,
                                         who, self.orders if shuffle or augmentation is not None else None,
                                         bool(shuffle))
        self.augmentation = augmentation
        self.optimizer.build(self.trained)  # after all checks of the data: one that is built keeps its state
        with contextlib.ExitStack() as afterwards:
            afterwards.callback(self.model.end_steps)
            return training.fit(self, batches, epochs, each, validation=validation, validation_freq=validation_freq,
                                initial_epoch=initial_epoch, verbose=verbose, seen=self.model)

    def evaluate(self, x: Any, y: Any, *, batch_size: int | None, verbose: int | str, sample_weight: Any,
                 steps: int | None, callbacks: Any, return_dict: bool, augmentation: Any) -> Any:
        """As `fastcnn.Model.evaluate`."""
        who = f"{self.model}.evaluate"
        arguments.positive_or_none(who, batch_size=batch_size, steps=steps)
        each = arguments.every_callback(callbacks, 0, who)
        if batching.is_stream(x, y):
            batches = batching.of_stream(x, batching.with_targets(self, who, augmentation=augmentation), steps, 1, who,
                                         y=y, sample_weight=sample_weight, batch_size=batch_size)
        else:
            samples = data.labelled(self, x, y, sample_weight, who, augmentation=augmentation)
            batches = batching.of_arrays(samples, batch_size, steps, who)
        with contextlib.closing(batches):
            logs = training.evaluate(self, batches, self._listening(each, batches))
        if verbose and verbose != "auto":
            print(shown(logs))
        return _as_keras(logs, return_dict)

    def predict(self, x: Any, *, batch_size: int | None, steps: int | None, callbacks: Any, augmentation: Any) -> Any:
        """As `fastcnn.Model.predict`."""
        who = f"{self.model}.predict"
        arguments.positive_or_none(who, batch_size=batch_size, steps=steps)
        each = arguments.every_callback(callbacks, 0, who)
        if batching.is_stream(x):
            batches = batching.of_stream(x, batching.inputs_alone(self, who, augmentation), steps, 1, who,
                                         batch_size=batch_size)
        else:
            samples = data.unlabelled(self, x, who, augmentation=augmentation)
            batches = batching.of_arrays(samples, batch_size, steps, who)
        with contextlib.closing(batches):
            return self.as_given(training.predict(self, batches, self._listening(each, batches)))

    def _listening(self, callbacks: list[Callback], batches: Epochs) -> CallbackList:
        return CallbackList(callbacks, self.model, {
            "epochs": 1, "steps": batches.steps, "samples": batches.batches.samples,
            "batch_size": batches.batches.batch_size, "verbose": 0, "initial_epoch": 0})

    # --- over one batch ---------------------------------------------------------------------------------------------

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        """As `fastcnn.Model.train_on_batch`."""
        who = f"{self.model}.train_on_batch"
        samples = data.labelled(self, x, y, sample_weight, who, trains=True, one_batch=True)
        samples = data.classes_weighted(samples, class_weight, who)
        self.optimizer.build(self.trained)
        own = self.own_train_step
        running = own_step.running(self, own)
        for batch in samples.batches(len(samples)):
            if own is not None:
                running.took(own(batch), len(batch.xs[0]))
                continue
            step = training.train_step(self, batch)
            running.update(step.losses, batch.ys, step.outputs, batch.weights, step.penalty)
        return _as_keras(running.result(), return_dict)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any, return_dict: bool) -> Any:
        """As `fastcnn.Model.test_on_batch`."""
        who = f"{self.model}.test_on_batch"
        samples = data.labelled(self, x, y, sample_weight, who, one_batch=True)
        return _as_keras(training.evaluate(self, batching.of_arrays(samples, len(samples), None, who)), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """As `fastcnn.Model.predict_on_batch`."""
        who = f"{self.model}.predict_on_batch"
        samples = data.unlabelled(self, x, who, lasts=False)
        return self.as_given(training.predict(self, batching.of_arrays(samples, max(1, len(samples)), None, who)))

    # --- what a training goes on with -------------------------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """Return copies of what training changes: weights, optimizer, seeds."""
        return training_state.of_trainer(self)

    def digests(self) -> dict[str, str]:
        """Return some digits for the layers, what of them is trained, the optimizer, the losses and the metrics."""
        return training_state.digests(self)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where `get_state` was called."""
        training_state.give_back(self, state)

    def statistics(self) -> list[Parameter]:
        """Return the parameters that forward passes of training change, and no optimizer."""
        return [one for one in self.model.weights if not one.trainable]

    def train_trainable(self) -> None:
        """Train, from the next step on, what is trainable now, of what was so as training began."""
        now = self.model.trainable_weights
        self.optimizer.build(now)
        self.penalized = [p for p in now if p.regularizer is not None]

    def estimate_statistics(self, batches: Iterable[Batch]) -> None:
        """Set the moving statistics of normalization to the means of some batches, with the weights as they are."""
        statistics.estimate(self.model, batches, lambda batch, step: self.model.executables.get(batch.xs).forward_of(
            batch.xs, Call(self.seed, step, wants_dx=False)))

    # --- what `fastcnn.training` asks of a model ---------------------------------------------------------------------

    @property
    def array_dtype(self) -> np.dtype:
        return self.model.array_dtype

    @property
    def put(self) -> Any:
        where = [device.of(p.array) for p in self.model.weights[:1]]
        return where[0].put if where and where[0].is_asynchronous else None

    @property
    def own_train_step(self) -> Any:
        model: Any = self.model
        return model.own_step("train")

    @property
    def own_test_step(self) -> Any:
        model: Any = self.model
        return model.own_step("test")

    @property
    def counted_metrics(self) -> list[Any]:
        model: Any = self.model
        return list(model.metrics)

    @property
    def output_shapes(self) -> list[Any]:
        return self.model.output_shapes

    def as_given(self, outputs: Sequence[Any]) -> Any:
        return self.model.as_given(outputs)

    def infer_all(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self.model.infer_all(xs)

    def infer_penalized(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
        return self.model.infer_penalized(xs)

    def forward_with_loss(self, xs: Sequence[np.ndarray], ys: Sequence[Any], weights: Sequence[Any] | None, call: Call
                          ) -> ForwardResult:
        """Return losses, outputs and the way back; a softmax before cross-entropy is one kernel with it."""
        targets, penalties, executable = self.objective.targets, list[float](), self.model.executables.get(xs)
        which = self.objective.after_softmax
        xs = executable.entered(xs)
        if executable.begins("train"):
            kernels_ahead.expect_training(self.model, xs, ys, weights)
        graph = executable.get(len(xs[0]), which) if which else None
        together = () if graph is None else which
        outputs, back = step_replay.forward(graph or executable.get(len(xs[0])), xs, call, penalties, self.objective)
        losses, gradients = self.objective.forward(ys, outputs, weights, skip=together, draw=(call.seed, call.step))
        for k in together:
            more = {} if weights is None or weights[k] is None else {"sample_weight": weights[k]}
            losses[k], gradients[k], outputs[k] = targets[k].loss.forward_from_logits(ys[k], outputs[k], **more)
            gradients[k] = self.objective.scaled(targets[k], gradients[k])
        return ForwardResult(losses, outputs, lambda: back(gradients), sum(penalties))

    def penalty(self, adds_gradients: bool) -> float:
        """Return what the regularizers of the weights add to the loss; add its gradients if told so."""
        return sum((p.regularizer.add_gradient(p.gradient, p.array) if adds_gradients else
                    p.regularizer.value(p.array) for p in self.penalized), 0.0)


def _as_keras(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
