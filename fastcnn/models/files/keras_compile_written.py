"""What `compile` was given, as Keras's files hold it: the way back of `keras_compile`."""

from typing import Any

from fastcnn import metrics, registry
from fastcnn.errors import ArgumentError
from fastcnn.losses.function import FunctionLoss
from fastcnn.models.files import keras_code, keras_table
from fastcnn.models.files.keras_entries import is_ours
from fastcnn.optimizers import schedules

_HINTS = {"run_eagerly": False, "steps_per_execution": 1, "jit_compile": False}
_LOSSES, _METRICS = "keras.losses", "keras.metrics"


def described(model: Any) -> dict[str, Any] | None:
    """Return what Keras's `compile_from_config` takes; None for a model that is not compiled.

    Raises
    ------
    ArgumentError
        If something of it is none of Keras's, or there is no name for it that a file could hold.
    """
    if getattr(model, "optimizer", None) is None:
        return None
    given = model._trainer.compiled
    return {"optimizer": _optimizer(model.optimizer), "loss": _losses(model, given["loss"]),
            "loss_weights": given["loss_weights"],
            **{key: _each(_metric, given[key]) for key in ("metrics", "weighted_metrics")}, **_HINTS}


def _optimizer(optimizer: Any) -> dict[str, Any]:
    name, config = type(optimizer).__name__, dict(optimizer.get_config())
    if not is_ours(optimizer):
        return _own(optimizer)
    if optimizer._rate_factors or optimizer._spared_names:
        raise ArgumentError(f"{name} with learning rates or weight decay that differ by parameter")
    rate = optimizer._learning_rate
    if isinstance(rate, schedules.LearningRateSchedule):
        config["learning_rate"] = _object("keras.optimizers.schedules", rate)
    elif callable(rate):
        raise ArgumentError(f"{name} with a function as its learning rate")
    return {"module": "keras.optimizers", "class_name": name, "config": config, "registered_name": None}


def _losses(model: Any, given: Any) -> Any:
    """Return the losses; the one that suits the data is the one that was found when data came."""
    found = {} if model.objective is None else {one.name: one.loss for one in model.objective.targets}
    if isinstance(given, dict):
        return {name: _loss(one, found.get(name)) for name, one in given.items()}
    if isinstance(given, (list, tuple)):
        names = [*found, *[None] * len(given)]
        return [_loss(one, found.get(name)) for one, name in zip(given, names, strict=False)]
    return _loss(given, next(iter(found.values()), None))


def _loss(given: Any, found: Any) -> Any:
    if given is None:
        return None
    if isinstance(given, str):  # which Keras does not know
        if found is None or isinstance(found, str):
            raise ArgumentError(f'the loss "{given}" before a first batch has told which one suits')
        given = found
    if given.joint:
        raise ArgumentError(f"{type(given).__name__}, a loss over all outputs, which Keras has not")
    return keras_code.named(given.fn) if isinstance(given, FunctionLoss) else _object(_LOSSES, given)


def _metric(given: Any) -> Any:
    if isinstance(given, str):
        if given.lower() in ("accuracy", "acc"):
            return given
        made = metrics.get(given)
        _require_known(_METRICS, made)
        return _object(_METRICS, made) if given in keras_table.NO_WORDS else given
    made = metrics.get(given)
    if isinstance(made, metrics.MeanMetricWrapper) and type(made) is metrics.MeanMetricWrapper:
        return keras_code.named(made._function)
    return _object(_METRICS, made)


def _object(module: str, made: Any) -> dict[str, Any]:
    if not is_ours(made):
        return _own(made)
    _require_known(module, made)
    return {"module": module, "class_name": type(made).__name__, "config": made.get_config(), "registered_name": None}


def _require_known(module: str, made: Any) -> None:
    name = type(made).__name__
    if name in keras_table.NO_OBJECTS and name not in keras_table.OBJECTS_OF.get(module, ()):
        raise ArgumentError(f"{name}, which Keras has not")


def _own(made: Any) -> dict[str, Any]:
    kind = type(made)
    module = None if kind.__module__ == "__main__" else kind.__module__
    return {"module": module, "class_name": kind.__name__, "config": made.get_config(),
            "registered_name": registry.get_registered_name(kind)}


def _each(function: Any, given: Any) -> Any:
    if isinstance(given, dict):
        return {key: _each(function, one) for key, one in given.items()}
    if isinstance(given, (list, tuple)):
        return [_each(function, one) for one in given]
    return None if given is None else function(given)


def legacy(told: dict[str, Any]) -> dict[str, Any]:
    """Return what `described` returned as ``.h5`` files hold it: classes without modules, the optimizer apart."""
    given = dict(told)
    optimizer = given.pop("optimizer")
    return {**{key: _bare(one) for key, one in given.items()}, "optimizer_config": {
        "class_name": optimizer["class_name"], "config": optimizer["config"]}}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "function":
            return value["config"]
        known = ("class_name", "config") if "class_name" in value else value
        return {key: _bare(value[key]) if key != "config" else value[key] for key in known}
    return [_bare(one) for one in value] if isinstance(value, list) else value


