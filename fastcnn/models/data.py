"""Data as a model takes them: checked against its inputs, its losses and its metrics before anything is trained."""

from typing import Any

from fastcnn.array_data import Data
from fastcnn.errors import ArgumentError, DataError
from fastcnn.models import arguments
from fastcnn.models.trainer_state import TrainerState
from fastcnn.objective import Objective


def labelled(trainer: TrainerState, x: Any, y: Any, sample_weight: Any, who: str, goes_on: bool = False, **how: bool
             ) -> Data:
    """Return inputs, targets and weights.

    It finds out what is trained, unless `goes_on` tells that a pass goes on with another batch. How is told to
    `Objective.check`: whether they are trained on, and whether they are one batch of several.
    """
    if trainer.loss is None:
        raise ArgumentError(f"{who}: expected a compiled model; call compile(optimizer, loss) first")
    model = trainer.model
    xs, names = model.read(x, who), model.output_names
    if trainer.objective is None:
        trainer.objective = Objective(names, model.output_shapes, **trainer.compiled, who=who)
    if not goes_on:
        trainer.trained = model.trainable_weights
        trainer.penalized = [p for p in trainer.trained if p.regularizer is not None]
    ys = arguments.targets(y, names, len(xs[0]), who)
    for target, one in zip(trainer.objective.targets, ys, strict=True):
        if (one is None) == target.asks:
            raise ArgumentError(f'{who}: expected targets for output "{target.name}" if and only if it has a loss '
                                f"or a metric, got {'none' if one is None else 'some'}")
    data = Data(xs, ys, model.input_shapes, model.compute_dtype, who, arguments.weights(sample_weight, names, who),
                lasts=not how.get("one_batch", False))
    if not len(data):
        raise DataError(f"{who}: expected at least one sample, got none")
    trainer.objective.check(data.ys, data.weights, model.output_shapes, model.compute_dtype, who, **how)
    return data


def unlabelled(trainer: TrainerState, x: Any, who: str, lasts: bool = True) -> Data:
    """Return inputs without targets."""
    model = trainer.model
    return Data(model.read(x, who), [], model.input_shapes, model.compute_dtype, who, lasts=lasts)


def classes_weighted(data: Data, class_weight: Any, who: str) -> Data:
    """Return the data that is trained on with the weights of its classes, if there are any."""
    if class_weight is None:
        return data
    if len(data.ys) > 1:
        raise ArgumentError(f"{who}: class_weight is not offered for a model of several outputs; "
                            f"use sample_weight")
    if data.weights is not None:
        raise ArgumentError(f"{who}: expected class_weight or sample_weight, got both")
    return data.weighted([arguments.of_classes(data.ys[0], class_weight, who)])
