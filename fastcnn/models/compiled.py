"""What a model is trained for: an optimizer, losses and metrics, and data that is checked against them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import optimizers, training
from fastcnn.errors import ArgumentError, DataError
from fastcnn.loss_and_metrics import Objective, loss_of
from fastcnn.models import given

# Arguments of Keras's that have one value here.
_COMPILE = {"run_eagerly": False, "steps_per_execution": 1, "jit_compile": "auto", "auto_scale_loss": True}


class Compiled:
    """The part of `fastcnn.Model` that `compile` makes.

    Attributes
    ----------
    loss, optimizer
        As given to `compile`, as objects; a word that the data explains stays a word.
    metrics : list of Metric
        Of all outputs; known once training begins.
    """

    # What the others have.
    built: Any
    has_call: bool
    compute_dtype: np.dtype
    build: Callable[..., None]
    input_shape: Any
    trainable_weights: Any
    input_names: Any
    output_names: Any
    input_shapes: Any
    output_shapes: Any

    def _begin(self) -> None:
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

    def _inputs(self, x: Any, who: str) -> list[np.ndarray]:
        """Return the inputs as a list of arrays, building the model on its first sight of data."""
        if not self.built and self.has_call and isinstance(x, (list, tuple)) and len(x) > 1 and all(
                isinstance(one, np.ndarray) for one in x):
            self.build(tuple((None, *given.array(one, who, "x").shape[1:]) for one in x))
        if not self.built:
            self.build((None, *given.array(given.only(x), who, "x").shape[1:]))
        return [given.array(one, who, "x") for one in given.inputs(x, self.input_names, self.input_shapes, who)]

    def _data(self, x: Any, y: Any, sample_weight: Any, who: str, goes_on: bool = False, **how: bool) -> training.Data:
        """Return inputs, targets and weights, checked against the model, its losses and its metrics.

        It finds out what is trained, unless `goes_on` tells that a pass goes on with another batch. How is told to
        `Objective.check`: whether they are trained on, and whether they are one batch of several.
        """
        if self.loss is None:
            raise ArgumentError(f"{who}: expected a compiled model; call compile(optimizer, loss) first")
        xs, names = self._inputs(x, who), self.output_names
        if self.objective is None:
            self.objective = Objective(names, self.output_shapes, **self._compiled, who=who)
        if not goes_on:
            self.trained = self.trainable_weights
            self.penalized = [p for p in self.trained if p.regularizer is not None]
        ys = given.targets(y, names, len(xs[0]), who)
        for target, one in zip(self.objective.targets, ys, strict=True):
            if (one is None) == target.asks:
                raise ArgumentError(f'{who}: expected targets for output "{target.name}" if and only if it has a loss '
                                    f"or a metric, got {'none' if one is None else 'some'}")
        data = training.Data(xs, ys, self.input_shapes, self.compute_dtype, who,
                             given.weights(sample_weight, names, who), lasts=not how.get("one_batch", False))
        if not len(data):
            raise DataError(f"{who}: expected at least one sample, got none")
        self.objective.check(data.ys, data.weights, self.output_shapes, self.compute_dtype, who, **how)
        return data

    def _samples(self, x: Any, who: str, lasts: bool = True) -> training.Data:
        """Return inputs without targets."""
        return training.Data(self._inputs(x, who), [], self.input_shapes, self.compute_dtype, who, lasts=lasts)

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
