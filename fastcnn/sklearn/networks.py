"""The network of an estimator: by name, by a function, or a copy of a model."""

import copy
from collections.abc import Callable
from typing import Any

from fastcnn import applications
from fastcnn.errors import ArgumentError, unknown
from fastcnn.models import Model

Network = str | Callable[..., Model] | Model | None
_SMALL_SIDE = 16  # pixels


def network(given: Network, arguments: dict[str, Any] | None, shape: tuple[int, ...], outputs: int,
            activation: str | None) -> Model:
    """Return a fresh model from examples to outputs.

    Parameters
    ----------
    given : str, function, Model or None
        As `fastcnn.sklearn.FastCNNClassifier` takes it.
    arguments : dict, optional
        For the function.
    shape : tuple
        Of one example.
    outputs : int
    activation : str or None
        What a network by name ends in.

    Raises
    ------
    ArgumentError
        An unknown name, arguments without a function that takes them, or a model of other shapes.
    """
    arguments = dict(arguments or {})
    if isinstance(given, Model):
        if arguments:
            raise ArgumentError(f"model_arguments: expected None beside a model that is made, got {arguments}; pass "
                                "the function that makes the model")
        made: Any = copy.deepcopy(given)
    elif given is None or isinstance(given, str):
        make, arguments = _named(given, shape, arguments)
        made = make(input_shape=shape, classes=outputs, **{"classifier_activation": activation, **arguments})
    elif callable(given):
        made = given(shape, outputs, **arguments)
    else:
        raise ArgumentError(f"model: expected a name, a function, a model or None, got {given!r}")
    if not isinstance(made, Model):
        raise ArgumentError(f"model: expected a function that returns a model of fastcnn, got {made!r}")
    if made.input_shape != (None, *shape) or made.output_shape != (None, outputs):
        raise ArgumentError(f"model: expected one from {(None, *shape)} to {(None, outputs)}, got one from "
                            f"{made.input_shape} to {made.output_shape}")
    return made


def _named(name: str | None, shape: tuple[int, ...], arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    if name is None and len(shape) == 1:
        return applications.MLP, {"hidden_units": (100,), "dropout": 0.0, **arguments}
    if name is None and len(shape) == 3:
        name = "lenet" if min(shape[:2]) < _SMALL_SIDE else "convnet"
    if name is None:
        raise ArgumentError(f"model: expected a function for examples of shape {shape}, got None; features (N, F) and "
                            "images (N, H, W, C) have a network by default")
    make = applications.find(name)
    if make is None:
        raise ArgumentError(unknown("model", name, applications.by_name))
    return make, arguments
