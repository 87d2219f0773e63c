"""Data as a model takes them: checked against its inputs, its losses and its metrics before anything is trained."""

from collections.abc import Sequence
from typing import Any

from fastcnn.array_data import Data
from fastcnn.augmented_data import AugmentedData
from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.errors import ArgumentError, DataError
from fastcnn.models import arguments, augmented_inputs
from fastcnn.models.gaps import may_fill_gaps
from fastcnn.models.trainer_state import TrainerState
from fastcnn.objective import objective_of

_TRIED = 8  # samples that a pipeline changes before training, to see that it can


def labelled(trainer: TrainerState, x: Any, y: Any, sample_weight: Any, who: str, goes_on: bool = False,
             augmentation: Any = None, first: int = 0, **how: bool) -> Data:
    """Return inputs, targets and weights.

    It finds out what is trained, unless `goes_on` tells that a pass goes on with another batch, whose first sample has
    the number `first`. How is told to `Objective.check`: whether they are trained on, and whether they are one batch of
    several.
    """
    own = trainer.own_train_step is not None or trainer.own_test_step is not None
    model = trainer.model
    if not own:
        _check_compiled(trainer, who)
    if model.only_trains and augmentation is None:
        return _for_own_steps(trainer, x, y, sample_weight, who, how.get("trains", False))
    xs, pipelines = (_inputs(trainer, x, who), {}) if augmentation is None else augmented_inputs.read(
        model, x, augmentation, who)
    if how.get("one_batch") and any(one.mosaic for one in pipelines.values()):
        raise ArgumentError(f"{who}: expected arrays for a Mosaic, which takes pictures of the whole data set, got "
                            f"batches")
    names = model.output_names
    if not own:
        _check_compiled(trainer, who)  # once more: what it adds to the loss is known where it is built
    if trainer.objective is None and not (own and trainer.loss is None):
        trainer.objective = objective_of(names, model.output_shapes, **trainer.compiled, who=who,
                                         needs_loss=trainer.loss is not None)
    if not goes_on:
        trainer.trained = model.trainable_weights
        trainer.penalized = [p for p in trainer.trained if p.regularizer is not None]
    nothing_asks = trainer.loss is None and trainer.objective is not None and not trainer.objective.metrics
    asks = None if trainer.objective is None or own else [target.asks for target in trainer.objective.targets]
    joint = None if trainer.objective is None else trainer.objective.joint
    if joint is None:
        ys = arguments.targets(None if nothing_asks else y, names, len(xs[0]), who, asks)
        weights = arguments.weights(sample_weight, names, who)
    else:
        ys = arguments.joint_targets(y, names, joint, len(xs[0]), who)
        weights = arguments.joint_weights(sample_weight, len(ys), who)
    data = Data(xs, ys, model.taken_shapes, model.array_dtype, who, weights,
                lasts=not how.get("one_batch", False)) if augmentation is None else AugmentedData(
                    xs, ys, model.taken_shapes, model.array_dtype, who, weights, pipelines, first)
    if trainer.objective is None:  # steps of its own know what they do with targets
        return data
    for target, one in zip(trainer.objective.targets, ys, strict=joint is None):
        if one is None and target.asks:
            raise ArgumentError(f'{who}: expected targets for output "{target.name}", which has a loss or a metric, '
                                f"got none")
    if not len(data):
        raise DataError(f"{who}: expected at least one sample, got none")
    data.require_finite(who, model.input_names if model.many_inputs else ["x"], lambda: may_fill_gaps(model))
    objective = trainer.objective
    ys, ws = data.ys, data.weights
    tried, some, weighing = data.xs, ys, ws
    if isinstance(data, AugmentedData):  # masks may get another size, weights of pixels too; labels may be mixed
        tried, some, weighing = data.batch(slice(0, 1 if goes_on else _TRIED), 0 if how.get("trains") else None)
        ys = _as_tried(ys, some)
        ws = None if ws is None or weighing is None else _as_tried(ws, weighing)
    shapes = model.output_shapes_of(tried)
    objective.check(ys, ws, shapes, model.array_dtype, who, **how)
    if isinstance(data, AugmentedData):
        objective.check(some, weighing, shapes, model.array_dtype, who, **how | {"one_batch": True})
    return data


def _as_tried(whole: Sequence[Any], tried: Sequence[Any]) -> list[Any]:
    """Return targets or weights of all samples, or where a pipeline changes their size those of the first few."""
    return [y if y is None or isinstance(y, RaggedRows) or y.shape[1:] == one.shape[1:] else one
            for y, one in zip(whole, tried, strict=True)]


def _for_own_steps(trainer: TrainerState, x: Any, y: Any, sample_weight: Any, who: str, trains: bool) -> Data:
    """Return what a model is given whose steps alone know what they do with it."""
    if trainer.optimizer is None:
        raise ArgumentError(f"{who}: expected a compiled model; call compile() first")
    if trainer.own_test_step is None and not trains:
        raise ArgumentError(f"{who}: expected a model with test_step or call, got one with train_step alone")
    xs, ys, weights = ([] if one is None else [arguments.array(part, who, what) for part in (
        one if isinstance(one, (list, tuple)) else [one])]
        for one, what in ((x, "x"), (y, "y"), (sample_weight, "weights")))
    if not xs or not len(xs[0]):
        raise DataError(f"{who}: expected at least one sample, got none")
    trainer.trained, trainer.penalized = trainer.model.trainable_weights, []
    data = Data(xs, ys, [(None, *one.shape[1:]) for one in xs], trainer.model.array_dtype, who, weights or None)
    data.require_finite(who, [f"x[{k}]" for k in range(len(xs))] if len(xs) > 1 else ["x"])
    return data


def _check_compiled(trainer: TrainerState, who: str) -> None:
    """Raise ArgumentError if there is nothing to train for: no loss of `compile`, and none that layers add."""
    if trainer.loss is not None:
        return
    model = trainer.model
    asked: list[Any] = [*model._executable.whole.steps, *model.trainable_weights] if model.built else []
    if trainer.optimizer is None or (model.built and all(one.regularizer is None for one in asked)):
        raise ArgumentError(f"{who}: expected a compiled model; call compile(optimizer, loss) first")


def unlabelled(trainer: TrainerState, x: Any, who: str, lasts: bool = True, augmentation: Any = None) -> Data:
    """Return inputs without targets."""
    model = trainer.model
    if augmentation is not None:
        xs, pipelines = augmented_inputs.read(model, x, augmentation, who)
        return AugmentedData(xs, [], model.taken_shapes, model.array_dtype, who, None, pipelines)
    return Data(_inputs(trainer, x, who), [], model.taken_shapes, model.array_dtype, who, lasts=lasts)


def _inputs(trainer: TrainerState, x: Any, who: str) -> list[Any]:
    xs, known = trainer.model.read(x, who), trainer.augmentation
    if augmented_inputs.standardizes(known) and any(one.dtype.kind in "bui" for one in xs):
        raise ArgumentError(f"{who}: expected augmentation=..., the pipeline that the model was trained with and that "
                            f"standardizes (it is at rest here), or images of floats from its at_rest, got "
                            f"{xs[0].dtype} alone")
    return xs


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
