"""The network of a configuration: by name, by a call, by a list of layers, or by a function of a file."""

import ast
from typing import Any

from fastcnn.cli import _expressions
from fastcnn.cli._config import Config
from fastcnn.cli._expressions import CallError
from fastcnn.cli._network_file import NetworkFile
from fastcnn.errors import ArgumentError

Shape = tuple[int, ...]


def name_of(network: str | list[str]) -> str:
    """Return what a network is called, for people and for the folder of its run."""
    if isinstance(network, list):
        return "sequential"
    file = NetworkFile.of(network)
    return network.partition("(")[0].lower() if file is None else file.function


def is_name(network: str | list[str]) -> bool:
    """Return whether a network is a name of `fastcnn.applications.by_name`."""
    from fastcnn import applications

    return isinstance(network, str) and network in applications.by_name


def make_network(config: Config, shape: Shape, classes: int, images: Any, activation: str | None = "softmax") -> Any:
    """Return a fresh model.

    Parameters
    ----------
    config : Config
    shape : (H, W, C) or (F,)
        Of an image, or of a row of features.
    classes : int
        How many outputs there are.
    images : function
        Without arguments; returns training images as the network takes them, float32 (n, H, W, C), for what begins
        with them: ``PatchWhitening(x)``.
    activation : str or None
        What it ends in; None is linear.

    Raises
    ------
    ArgumentError
        An unknown name or argument; a network that is none for these images and classes.
    """
    from fastcnn import applications

    network = config.network
    if network is None:
        return applications.by_name[config.model](input_shape=shape, classes=classes,
                                                  classifier_activation=activation)
    if isinstance(network, list):
        model = _sequential(network, shape, classes, images)
    elif (file := NetworkFile.of(network)) is not None:
        model = file.make(shape, classes)
    else:
        call = _expressions.read(network, "ResNet18()")
        if (function := applications.find(call.name)) is None:
            functions = [name for name in applications.__all__ if applications.find(name) is not None]
            raise CallError(_expressions.not_known("model", call.name, [*applications.by_name, *functions]), call.text)
        end = {} if activation == "softmax" else {"classifier_activation": activation}
        model = _expressions.Maker({call.name: function}).make(call, "model", input_shape=shape, classes=classes, **end)
    _require_end(model, shape, classes, activation)
    return model


def _sequential(calls: list[str], shape: Shape, classes: int, images: Any) -> Any:
    from fastcnn import initializers, layers, regularizers
    from fastcnn.models import Sequential

    read = [_expressions.read(text, "Conv2D(64, 3)") for text in calls]
    kinds = _classes(layers, layers.Layer)
    inner = _classes(initializers, initializers.Initializer) | _classes(regularizers, regularizers.Regularizer) | kinds
    names: dict[str, Any] = {"classes": classes}
    if any(_mentions_x(call) for call in read):
        names["x"] = images()
    maker = _expressions.Maker(kinds, inner, names)
    model = Sequential([layers.Input(shape)], name="sequential")
    for call in read:
        layer = maker.make(call, "layer")
        try:
            model.add(layer)
        except ArgumentError as error:  # it does not fit to what comes before it
            raise CallError(f"layer {call.text!r}: {error}", call.text) from error
    return model


def _classes(room: Any, base: type) -> dict[str, Any]:
    return {name: one for name, one in vars(room).items() if isinstance(one, type) and issubclass(one, base)}


def _mentions_x(call: _expressions.Expression) -> bool:
    trees = [*call.arguments, *call.keywords.values()]
    return any(isinstance(node, ast.Name) and node.id == "x" for tree in trees for node in ast.walk(tree))


def _require_end(model: Any, shape: Shape, classes: int, activation: str | None) -> None:
    from fastcnn.models import Model

    if not isinstance(model, Model):
        raise ArgumentError(f"model: expected a model of fastcnn, got {model!r}")
    if model.output_shape != (None, classes) or model.input_shape != (None, *shape):
        inputs, outputs = "images" if len(shape) == 3 else "features", "classes" if activation else "outputs"
        raise ArgumentError(f"model: expected one from {inputs} {shape} to {classes} {outputs}, got one from "
                            f"{model.input_shape} to {model.output_shape}; its last layer may be "
                            f"Dense(classes, activation={activation!r})")  # fmt: skip
    last = model.layers[-1]
    if activation is None:
        config = last.get_config()
        if type(last).__name__ == "Softmax" or config.get("activation") not in (None, "linear"):
            raise ArgumentError(f"model: expected one whose last layer has no activation, for numbers or several "
                                f"labels, got {last}; leave its activation out")  # fmt: skip
        return
    if type(last).__name__ != "Softmax" and last.get_config().get("activation") != "softmax":
        raise ArgumentError(f"model: expected one that ends in probabilities, got {last} as its last layer; "
                            f"let it have activation='softmax', or add Softmax()")  # fmt: skip
