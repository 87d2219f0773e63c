"""Trainer: what a user does with a model: compile, fit, evaluate, predict."""

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import optimizers, random, training
from fastcnn.callbacks import History, shown
from fastcnn.errors import ArgumentError, DataError
from fastcnn.models import given
from fastcnn.objective import Objective, Running, loss_of

# Arguments of Keras's that have one value here.
_COMPILE = {"run_eagerly": False, "steps_per_execution": 1, "jit_compile": "auto", "auto_scale_loss": True}
_FIT = {"steps_per_epoch": None, "validation_steps": None, "validation_batch_size": None, "validation_freq": 1}
_RUN = {"steps": None, "callbacks": None}


class Trainer:
    """The half of `fastcnn.Model` that trains; the other half says what it computes.

    Attributes
    ----------
    loss, optimizer
        As given to `compile`, as objects; a word that the data explains stays a word.
    metrics : list of Metric
        Of all outputs; known once training begins.
    stop_training : bool
        Set by a callback to end `fit` after the current step.
    history : History or None
        What the last `fit` has returned, or has so far where it was interrupted; None before.
    """

    # What the other half has.
    built: Any
    dtype: np.dtype
    build: Callable[..., None]
    infer_all: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    is_plain: bool
    input_shape: Any
    trainable_weights: Any
    input_names: Any
    output_names: Any
    input_shapes: Any
    output_shapes: Any
    as_given: Callable[[Sequence[Any]], Any]

    def _begin(self) -> None:
        self.seed = random.next_seed()
        self.orders = training.Orders(self.seed)
        self.stop_training = False
        self.history: History | None = None
        self.loss: Any = None
        self.optimizer: Any = None
        self.objective: Any = None
        self.trained: list[Any] = []  # as it was when a training or an evaluation began
        self.penalized: list[Any] = []  # what of it has a regularizer
        self._compiled: dict[str, Any] = {}

    @property
    def metrics(self) -> list[Any]:
        return [] if self.objective is None else self.objective.metrics

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None, metrics: Any = None,
                weighted_metrics: Any = None, **others: Any) -> None:
        """Choose optimizer, losses and metrics; what fails changes nothing.

        Parameters
        ----------
        optimizer : str or Optimizer
            One for each model. It trains what is trainable when training begins: layers may be frozen later, and be
            trained again, but what was frozen then asks for a new one.
        loss : str or Loss, or a list or dict (by output name) of them
            None for an output without one. "crossentropy" ("ce") is the one that suits the shapes of outputs and
            targets: binary, sparse or categorical.
        loss_weights : float, list or dict, optional
            Factors of the losses of several outputs.
        metrics, weighted_metrics : list of str or Metric, or a list or dict of such lists, optional
            "accuracy" is the one that suits the shapes. Weighted ones see the samples' weights. Those of one name are
            told apart as mae, mae_1, and weighted_mae.
        **others
            Keras's run_eagerly, steps_per_execution, jit_compile and auto_scale_loss are not offered.

        Raises
        ------
        ArgumentError
            If a name is not known, or one metric is given twice.
        """
        who = f"{self}.compile"
        given.refuse(who, others, _COMPILE, ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"))
        if loss is None or (isinstance(loss, (list, tuple, dict)) and not loss):
            raise ArgumentError(f"{self}: compile expected a loss, such as "
                                f'"sparse_categorical_crossentropy"')
        chosen, made = optimizers.get(optimizer), _each(loss_of, loss)
        compiled = {"loss": made, "loss_weights": loss_weights, "metrics": _listed(metrics),
                    "weighted_metrics": _listed(weighted_metrics)}
        objective = Objective(self.output_names, self.output_shapes, **compiled, who=who) if self.built else None
        self.optimizer, self.loss, self._compiled, self.objective = chosen, made, compiled, objective

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
            verbose: int | str = "auto", callbacks: Any = None, validation_split: float = 0.0,
            validation_data: Any = None, shuffle: bool = True, class_weight: dict[int, float] | None = None,
            sample_weight: Any = None, initial_epoch: int = 0, **others: Any) -> History:
        """Train for `epochs` passes over the data.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them
        y : (N, ...) array, or a list or dict (by output name) of them
        batch_size : int, optional
            32 if absent.
        epochs, initial_epoch : int
        verbose : int or "auto"
            0 nothing, 1 a moving line, 2 a line an epoch; "auto" is 1 on a terminal, else 2.
        callbacks : Callback or list of them, optional
        validation_split : float
            This part of the data, the last of it, is not trained on but evaluated after each epoch, without the
            weights of classes.
        validation_data : (x, y) or (x, y, sample_weight), optional
            Evaluated after each epoch.
        shuffle : bool
            Draw another order for each epoch that the model begins, in this call or a later one: one seed
            (`fastcnn.utils.set_random_seed`) gives one sequence of orders, which two calls of ``fit(epochs=1)`` see as
            one of ``fit(epochs=2)`` does.
        class_weight : dict, optional
            A factor of the loss for each class; classes that are not named have 1.
        sample_weight : (N,) array, or a list or dict (by output name) of them, optional
            A factor of the loss for each sample.
        **others
            Keras's steps_per_epoch, validation_steps, validation_batch_size and validation_freq are not offered.

        Returns
        -------
        History
            ``history.history["loss"]`` and the like: one entry an epoch.

        Raises
        ------
        ArgumentError, DataError
            If an argument or the data does not fit, before anything is trained.
        """
        who = f"{self}.fit"
        given.refuse(who, others, _FIT, given.names_of(Trainer.fit))
        batch_size = 32 if batch_size is None else batch_size
        given.positive(who, batch_size=batch_size, epochs=epochs)
        verbose = given.verbosity(verbose, who)
        each = given.every_callback(callbacks, verbose, who)
        given.check(isinstance(initial_epoch, numbers.Integral) and initial_epoch >= 0, who,
               "initial_epoch to be an integer from 0", initial_epoch)
        given.check(isinstance(shuffle, (bool, np.bool_)), who, "shuffle to be True or False", shuffle)
        given.check(isinstance(validation_split, numbers.Real) and 0 <= validation_split < 1, who,
               "0 <= validation_split < 1", validation_split)
        data, validation = self._data(x, y, sample_weight, who, trains=True), None
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                got = f"{len(validation_data)} entries" if isinstance(validation_data, (tuple, list)) else type(
                    validation_data).__name__
                raise ArgumentError(f"{who}: expected validation_data (x, y) or (x, y, sample_weight), got {got}")
            vx, vy, *vw = validation_data
            validation = self._data(vx, vy, vw[0] if vw else None, f"{who}: validation_data")
        if validation_split and validation is None:
            cut = int(len(data) * (1 - validation_split))
            if not 0 < cut < len(data):
                raise ArgumentError(f"{who}: expected a validation_split that leaves samples to train on and to "
                                    f"evaluate, got {validation_split} of {len(data)} samples")
            data, validation = data.part(slice(cut)), data.part(slice(cut, None))
        data = self._classes_weighted(data, class_weight, who)
        self.optimizer.build(self.trained)
        return training.fit(self, data, batch_size, epochs, each, validation, shuffle,  # type: ignore[arg-type]
                            initial_epoch, verbose)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: int | str = 0,
                 sample_weight: Any = None, *, return_dict: bool = False, **others: Any) -> Any:
        """Return the mean loss, or [loss, *metrics], or both by name in a dict.

        Parameters
        ----------
        x, y : arrays, or lists or dicts of them
        batch_size : int, optional
            32 if absent.
        verbose : int
            0 prints nothing.
        sample_weight : array, optional
        return_dict : bool
        **others
            Keras's steps and callbacks are not offered.
        """
        who = f"{self}.evaluate"
        given.refuse(who, others, _RUN, given.names_of(Trainer.evaluate))
        batch_size = 32 if batch_size is None else batch_size
        given.positive(who, batch_size=batch_size)
        data = self._data(x, y, sample_weight, who)
        logs = training.evaluate(self, data, batch_size)  # type: ignore[arg-type]
        if verbose and verbose != "auto":
            print(shown(logs))
        return _as_keras(logs, return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = 0, **others: Any) -> Any:
        """Return the outputs for all samples, as a new array, or a list or dict of them as the model was told.

        Parameters
        ----------
        x : (N, ...) array of any integer or floating type, or a list or dict (by input name) of them
        batch_size : int, optional
            32 if absent.
        verbose : int
            Nothing is printed in any case.
        **others
            Keras's steps and callbacks are not offered.
        """
        if self.is_plain and type(x) is np.ndarray and x.dtype == self.dtype and x.shape[1:] == self.input_shape[1:] \
                and not others and 0 < len(x) <= _batch_of(batch_size):
            (y,) = self.infer_all([x])  # one batch of the model's own type: nothing to gather
            return y.copy() if np.may_share_memory(x, y) else y
        who = f"{self}.predict"
        given.refuse(who, others, _RUN, given.names_of(Trainer.predict))
        batch_size = 32 if batch_size is None else batch_size
        given.positive(who, batch_size=batch_size)
        data = training.Data(self._inputs(x, who), [], self.input_shapes, self.dtype, who)
        return self.as_given(training.predict(self, data, batch_size))  # type: ignore[arg-type]

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
                       return_dict: bool = False) -> Any:
        """Take one step on one batch; return as `evaluate`."""
        who = f"{self}.train_on_batch"
        data = self._data(x, y, sample_weight, who, trains=True, one_batch=True)
        data = self._classes_weighted(data, class_weight, who)
        self.optimizer.build(self.trained)
        running = Running(self.objective)
        for batch in data.batches(len(data)):
            step = training.train_step(self, batch)  # type: ignore[arg-type]
            running.update(step.losses, batch.ys, step.outputs, batch.weights, step.penalty)
        return _as_keras(running.result(), return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluate one batch; return as `evaluate`."""
        who = f"{self}.test_on_batch"
        data = self._data(x, y, sample_weight, who, one_batch=True)
        return _as_keras(training.evaluate(self, data, len(data)), return_dict)  # type: ignore[arg-type]

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch."""
        who = f"{self}.predict_on_batch"
        data = training.Data(self._inputs(x, who), [], self.input_shapes, self.dtype, who)
        return self.as_given(training.predict(self, data, max(1, len(data))))  # type: ignore[arg-type]

    def _inputs(self, x: Any, who: str) -> list[np.ndarray]:
        """Return the inputs as a list of arrays, building the model on its first sight of data."""
        if not self.built:
            self.build((None, *given.array(given.only(x), who, "x").shape[1:]))
        return [given.array(one, who, "x") for one in given.inputs(x, self.input_names, self.input_shapes, who)]

    def _data(self, x: Any, y: Any, sample_weight: Any, who: str, **how: bool) -> training.Data:
        """Return inputs, targets and weights, checked against the model, its losses and its metrics.

        How is told to `Objective.check`: whether they are trained on, and whether they are one batch of several.
        """
        if self.loss is None:
            raise ArgumentError(f"{who}: expected a compiled model; call compile(optimizer, loss) first")
        xs, names = self._inputs(x, who), self.output_names
        if self.objective is None:
            self.objective = Objective(names, self.output_shapes, **self._compiled, who=who)
        self.trained = self.trainable_weights
        self.penalized = [p for p in self.trained if p.regularizer is not None]
        ys = given.targets(y, names, len(xs[0]), who)
        for target, one in zip(self.objective.targets, ys, strict=True):
            if (one is None) == target.asks:
                raise ArgumentError(f'{who}: expected targets for output "{target.name}" if and only if it has a loss '
                                    f"or a metric, got {'none' if one is None else 'some'}")
        data = training.Data(xs, ys, self.input_shapes, self.dtype, who, given.weights(sample_weight, names, who))
        if not len(data):
            raise DataError(f"{who}: expected at least one sample, got none")
        self.objective.check(data.ys, data.weights, self.output_shapes, self.dtype, who, **how)
        return data

    def _classes_weighted(self, data: training.Data, class_weight: Any, who: str) -> training.Data:
        """Return the data that is trained on with the weights of its classes, if there are any."""
        if class_weight is None:
            return data
        if len(data.ys) > 1:
            raise ArgumentError(f"{who}: class_weight is not offered for a model of several outputs; "
                                f"use sample_weight")
        if data.weights is not None:
            raise ArgumentError(f"{who}: expected class_weight or sample_weight, got both")
        return data.weighted([given.of_classes(data.ys[0], class_weight, who)])


def _batch_of(batch_size: Any) -> int:
    """Return the samples of a batch; 0 for what has to be looked at, and refused perhaps."""
    return 32 if batch_size is None else batch_size if type(batch_size) is int else 0


def _each(get: Callable[[Any], Any], value: Any) -> Any:
    """Apply `get` to one name, or to each of a list or dict."""
    if isinstance(value, dict):
        return {name: None if one is None else get(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [None if one is None else get(one) for one in value]
    return get(value)


def _listed(metrics: Any) -> Any:
    return metrics if metrics is None or isinstance(metrics, dict) else list(metrics) if isinstance(
        metrics, (list, tuple)) else [metrics]


def _as_keras(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
