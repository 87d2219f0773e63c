"""What `compile` was given, as JSON holds it: words stay words, objects become a class and its arguments.

    {"optimizer": {"class_name": "Adam", "config": {...}}, "loss": {"class_name": "MeanSquaredError", "config": {...}},
     "loss_weights": null, "metrics": ["accuracy"], "weighted_metrics": null}

An optimizer's state is not in it: training begins anew with it, from the weights as they are.
"""

import json
from typing import Any

from fastcnn import losses, metrics, optimizers, registry
from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError

_ROOMS: dict[str, Any] = {"loss": losses, "metrics": metrics, "weighted_metrics": metrics}


def described(model: Any) -> dict[str, Any] | None:
    """Return what `compile_as` takes; None for a model that is not compiled, or with something of one's own."""
    if getattr(model, "optimizer", None) is None:
        return None
    try:
        _require_ours(optimizers, model.optimizer)
        told = {key: _plain(_ROOMS[key], value) if key in _ROOMS else value
                for key, value in model._trainer.compiled.items()}
        told["optimizer"] = optimizers.serialize(model.optimizer)
        json.dumps(told)
    except (ArgumentError, TypeError, ValueError):  # classes and functions of one's own, which no file can hold
        return None
    return told


def compile_as(model: Any, told: dict[str, Any], who: str, custom_objects: dict[str, Any] | None = None) -> None:
    """Compile a model as `described` says, or warn that it is not compiled, and why.

    Parameters
    ----------
    model : Model
    told : dict
    who : str
        Who asks, for the message.
    custom_objects : dict, optional
        Classes of the caller's, by name.
    """
    try:
        with registry.custom_object_scope(custom_objects):
            arguments = {key: _made(room, told.get(key)) for key, room in _ROOMS.items()}
        model.compile(optimizers.get(told["optimizer"]), loss_weights=told.get("loss_weights"), **arguments)
    except Exception as error:  # a file may hold anything
        warn(f"{who}: the model is not compiled, since what compile was given cannot be made again ({error}); "
             f"call compile(optimizer, loss)")


def _plain(room: Any, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(room, one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(room, one) for key, one in value.items()}
    made = room.get(value)
    if (name := registry.get_registered_name(type(made))) != type(made).__name__:
        return {"class_name": name, "config": made.get_config()}
    _require_ours(room, made)
    return room.serialize(made)


def _require_ours(room: Any, made: Any) -> None:
    if getattr(room, type(made).__name__, None) is not type(made):
        raise ArgumentError(f"{type(made).__name__} is none of {room.__name__}")


def _made(room: Any, told: Any) -> Any:
    if isinstance(told, list):
        return [_made(room, one) for one in told]
    if isinstance(told, dict):
        own = registry.get_registered_object(str(told.get("class_name")))
        if own is not None:
            return own.from_config(told["config"])
        return room.get(told) if "class_name" in told else {key: _made(room, one) for key, one in told.items()}
    return told
