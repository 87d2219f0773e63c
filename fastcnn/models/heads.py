"""The last layers of a network again, for other classes: what transfer learning begins with."""

from typing import Any

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.models.model import Model
from fastcnn.models.serialization import with_layers, without_layers
from fastcnn.symbolic import LayerCall, Tensor

#: What a head may be, and what its number of outputs is called.
_OUTPUTS: dict[type, str] = {layers.Dense: "units", layers.Conv1D: "filters", layers.Conv2D: "filters",
                             layers.Conv3D: "filters"}


def replace_head(model: Model, classes: int, activation: str | None = "softmax", name: str = "head") -> Model:
    """Return a model with a new last layer, for other classes; all layers before it are those of the model.

    The head is the last layer with weights, a `Dense` or a convolution. A new one of its kind takes its place, without
    an activation; poolings and changes of shape that follow it follow the new one, too, then comes the activation. (A
    ReLU on scores, as SqueezeNet has it, would leave classes that no gradient reaches.) Its weights are zeros at first:
    all classes are equally probable, and no gradient of a guess spoils the layers below.

    Parameters
    ----------
    model : Model
        With one input and one output, (N, classes). It stays as it is, and shares its layers with the new one.
    classes : int
    activation : str, optional
        What the new model ends in; None for scores.
    name : str
        Of the new layer.

    Raises
    ------
    ArgumentError
        If the model does not end in a head.

    References
    ----------
    Kolesnikov et al.: Big Transfer (BiT): General visual representation learning, ECCV 2020, section 3.3.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(8, name="features"), layers.Dense(5, activation="softmax")])
    >>> other = fc.models.replace_head(model, 3)
    >>> other.output_shape, other.get_layer("features") is model.get_layer("features")
    ((None, 3), True)
    """
    if not isinstance(model, Model) or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ArgumentError(f"replace_head: expected a model with one input and one output, got {model!r}")
    if len(model.output_shape) != 2:
        raise ArgumentError(f"replace_head: expected a model with outputs (N, classes), got {model.output_shape}")
    if type(classes) is not int or classes < 1:
        raise ArgumentError(f"replace_head: expected classes to be a positive integer, got {classes!r}")
    taken = {layer.name for layer in model.layers}
    while name in taken:
        name = f"new_{name}"
    scores = _scores(model, classes, name)
    outputs = scores if activation is None else layers.Activation(activation, name=f"{name}_{activation}")(scores)
    return Model(model.inputs[0], outputs, name=model.name)


def head_of(model: Model) -> Any:
    """Return the last layer with weights, which `replace_head` takes the place of; its errors are that one's."""
    call, _ = _head(model)
    return head_of(call.layer) if isinstance(call.layer, Model) else call.layer


def _scores(model: Model, classes: int, name: str) -> Tensor:
    """Return the outputs of a new head, behind what was before the old one."""
    call, after = _head(model)
    if isinstance(call.layer, Model):  # the head lies in a model inside
        inner = Model(call.layer.inputs[0], _scores(call.layer, classes, name), name=call.layer.name)
        found: Tensor = inner(call.inputs[0], training=call.training)
    else:
        found = _fresh(call.layer, classes, name)(call.inputs[0])
    for layer in after:
        found = _again(layer, call.layer.output_shape[-1], classes)(found)
    if found.shape != (None, classes):
        raise ArgumentError(f"replace_head: expected {', '.join(map(str, after))} to give (N, {classes}) after a new "
                            f"{name}, got {found.shape}; make the new last layers in Python")
    return found


def _head(model: Model) -> tuple[LayerCall, list[Any]]:
    """Return the call of the last layer with weights, and what follows it and changes the shape."""
    tensor, after = model.outputs[0], []
    while not (call := tensor.node).layer.weights:
        if len(call.inputs) != 1:
            raise ArgumentError(f"replace_head: expected {model} to end in one layer with weights, a Dense or a "
                                f"convolution, got {call.layer}; make the new last layers in Python")
        if call.layer.output_shape != call.layer.input_shape:  # activations go
            after.append(call.layer)
        tensor = call.inputs[0]
    if isinstance(call.layer, Model) and len(call.inputs) == len(call.layer.outputs) == 1:
        return call, after[::-1]
    if type(call.layer) not in _OUTPUTS or getattr(call.layer, "groups", 1) != 1:
        raise ArgumentError(f"replace_head: expected the last layer with weights of {model} to be a Dense or a "
                            f"convolution, got {call.layer}; make the new last layers in Python")
    return call, after[::-1]


def _fresh(layer: Any, classes: int, name: str) -> Any:
    """Return a layer of the same kind with other outputs, without activation, of zeros."""
    kept = ("kernel_size", "strides", "padding", "dilation_rate", "dtype")
    config = {key: value for key, value in layer.get_config().items() if key in kept}
    return type(layer)(**{_OUTPUTS[type(layer)]: classes}, **config, kernel_initializer="zeros", name=name)


def _again(layer: Any, before: int, classes: int) -> Any:
    """Return a layer without weights for another number of channels."""
    config = layer.get_config()
    if isinstance(layer, layers.Reshape):
        config["target_shape"] = [classes if size == before else size for size in layer.target_shape]
    return type(layer).from_config(with_layers(without_layers(config), {}))
