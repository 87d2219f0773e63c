"""What Keras's `compile` was given, for fastcnn's: optimizer, losses, metrics.

Keras 2 writes a word or {"class_name", "config"}, Keras 3 the same with more beside it. Where something is not offered
nothing of it is taken, with a warning: a model that predicts is worth having, and compile can be called again.
"""

import inspect
from pathlib import Path
from typing import Any

from fastcnn import losses, metrics, optimizers
from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError
from fastcnn.models.files.keras_config import plain

#: Names of arguments that Keras 2 and 1 had, and what was meant by others' absence.
_OLD = {"lr": "learning_rate", "decay": None}


def compile_as(path: Path, model: Any, given: dict[str, Any], own: dict[str, Any]) -> None:
    """Compile a model as Keras's was, or warn that it is not compiled, and why.

    Parameters
    ----------
    path : Path
        For the message.
    model : Model
    given : dict
        What the file has.
    own : dict
        Classes and functions of the caller, by name.
    """
    try:
        rooms = {"loss": losses, "metrics": metrics, "weighted_metrics": metrics}
        arguments = {key: _objects(plain(given.get(key)), room, own) for key, room in rooms.items()}
        if arguments["loss"] is None:
            return
        optimizer = _optimizer(plain(given.get("optimizer_config") or given.get("optimizer")), own)
        model.compile(optimizer, loss_weights=plain(given.get("loss_weights")), **arguments)
    except Exception as error:  # anything may stand there
        warn(f"{path}: the model is not compiled, since the file asks for what is not offered ({error}); "
             f"call compile(optimizer, loss)")


def _optimizer(given: Any, own: dict[str, Any]) -> Any:
    if not isinstance(given, dict):
        return given
    mine = _own(given, own)
    if mine is not None:
        return _made_of(mine, given.get("config"))
    name = str(given["class_name"]).rpartition(">")[2]
    if name not in optimizers.__all__ or not name[0].isupper():
        raise ArgumentError(f"the optimizer {name}")
    kind = getattr(optimizers, name)
    config: dict[str, Any] = {}
    known = inspect.signature(kind).parameters
    everyones = inspect.signature(optimizers.Optimizer).parameters
    for key, value in given.get("config", {}).items():
        key = _OLD.get(key, key)
        if key is None:
            if value:
                raise ArgumentError(f"{name} with decay={value!r}")
        elif key in known or key in everyones:
            config[key] = value
        elif key not in ("is_legacy_optimizer", "jit_compile") and value is not None:
            raise ArgumentError(f"{name} with {key}={value!r}")
    return kind.from_config(config)


def _objects(given: Any, room: Any, own: dict[str, Any]) -> Any:
    """Return losses or metrics as fastcnn takes them: words, and objects of a module made from what describes them."""
    if isinstance(given, list):
        return [_objects(one, room, own) for one in given]
    if isinstance(given, str):
        return own.get(given, given)
    if not isinstance(given, dict):
        return given
    if "class_name" not in given:
        return {key: _objects(one, room, own) for key, one in given.items()}
    mine = _own(given, own)
    if mine is not None:
        return _made_of(mine, given.get("config"))
    name, config = given["class_name"], given.get("config") or {}
    if name == "function" or isinstance(config, str):
        return config
    if name == "MeanMetricWrapper":  # Keras 2's "accuracy" and other words, as it found what they mean
        return _word(config)
    return _made(room, name, config)


def _made_of(found: Any, config: Any) -> Any:
    """Return an object of a class, or a function as it is."""
    make = getattr(found, "from_config", None)
    return found if make is None else make(config or {})


def _own(given: dict[str, Any], own: dict[str, Any]) -> Any:
    """Return the class or function of the caller that an entry names, None if it names none."""
    names = [given.get("registered_name"), given["class_name"], given.get("config")]
    return next((own[name] for name in names if isinstance(name, str) and name in own), None)


def _word(config: dict[str, Any]) -> Any:
    function = config.get("fn")
    word = function.get("config") if isinstance(function, dict) else function
    return "accuracy" if config.get("name") in ("accuracy", "acc") else word


def _made(room: Any, name: str, config: dict[str, Any]) -> Any:
    if name not in room.__all__ or not name[0].isupper():
        raise ArgumentError(name)
    kind = getattr(room, name)
    known = inspect.signature(kind).parameters
    arguments: dict[str, Any] = {}
    for key, value in config.items():
        if key in ("dtype", "fn") or (key == "reduction" and value in ("auto", "sum_over_batch_size", None)):
            continue  # Keras 2's "auto" is the mean over the batch, as fastcnn's default
        if key in known:
            arguments[key] = value
        elif value is not None:
            raise ArgumentError(f"{name} with {key}={value!r}")
    return kind(**arguments)
