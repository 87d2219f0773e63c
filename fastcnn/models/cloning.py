"""A model's structure again, with new layers and new weights; and structures as text."""

import json
from collections.abc import Callable
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.layers import Input, Layer
from fastcnn.layers.input import InputLayer
from fastcnn.models import serialization
from fastcnn.models.model import Model
from fastcnn.models.sequential import Sequential
from fastcnn.models.structure import tensors_of


def clone_model(model: Any, input_tensors: Any = None, clone_function: Callable[[Any], Any] | None = None,
                call_function: Callable[..., Any] | None = None, recursive: bool = False) -> Any:
    """Return a model of the same structure, with new layers and new weights.

    Parameters
    ----------
    model : Model
    input_tensors : Tensor or list of them, optional
        Take the place of its inputs.
    clone_function : callable, optional
        layer -> the layer in its place; without it, ``Layer.from_config(layer.get_config())``.
    call_function : callable, optional
        (layer, *inputs) -> outputs, in the place of a call; for models of the functional form.
    recursive : bool
        Whether `clone_function` is asked for the layers of models inside, too.

    Raises
    ------
    ArgumentError
        If it is no model, is not built, or an argument does not suit it.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    >>> twin = fc.models.clone_model(model)
    >>> np.array_equal(twin.get_weights()[0], model.get_weights()[0])
    False
    """
    if not isinstance(model, Model):
        raise ArgumentError(f"clone_model: expected a model, got {model!r}")
    if clone_function is not None and not callable(clone_function):
        raise ArgumentError(f"clone_model: expected clone_function to be a function, got {clone_function!r}")
    if model.has_call:
        if input_tensors is not None or clone_function is not None:
            raise ArgumentError(f"clone_model: expected a model without a call of its own for input_tensors and "
                                f"clone_function, got {model}")
        return type(model).from_config(model.get_config())

    def cloned(layer: Any) -> Any:
        if isinstance(layer, Model) and (clone_function is None or recursive):
            return clone_model(layer, None, clone_function, call_function, recursive)
        return _made_again(layer) if clone_function is None else clone_function(layer)

    if isinstance(model, Sequential):
        if call_function is not None:
            raise ArgumentError(f"clone_model: expected a model of the functional form for call_function, got {model}")
        return _sequential(model, input_tensors, cloned)
    structure = model._built_structure("clone_model")
    given = None if input_tensors is None else tensors_of("clone_model", "input_tensors", input_tensors)
    if given is not None and len(given) != len(structure.traced.inputs):
        raise ArgumentError(f"clone_model: expected {len(structure.traced.inputs)} input_tensors, got {len(given)}")
    there: dict[int, Any] = {}
    for at, tensor in enumerate(structure.traced.inputs):
        there[id(tensor)] = given[at] if given is not None else Input(
            tensor.shape[1:], dtype=tensor.node.layer.dtype_policy, name=tensor.name)
    made: dict[int, Any] = {}
    for node in structure.traced.nodes:
        layer = made.get(id(node.layer))
        if layer is None:
            layer = made[id(node.layer)] = cloned(node.layer)
        inputs = [there[id(tensor)] for tensor in node.inputs]
        if call_function is not None:
            outputs = call_function(layer, *inputs)
            outputs = outputs if isinstance(outputs, (list, tuple)) else (outputs,)
        else:
            layer(inputs if node.layer.many_inputs else inputs[0], node.training)
            outputs = layer.nodes[-1].outputs
        there |= {id(tensor): other for tensor, other in zip(node.outputs, outputs, strict=True)}
    again: Any = type(model)
    return again(_placed(structure.given_inputs, there), _placed(structure.given_outputs, there), name=model.name)


def _sequential(model: Any, input_tensors: Any, cloned: Callable[[Any], Any]) -> Any:
    layers = [cloned(layer) for layer in model.layers]
    if input_tensors is not None:
        (first,) = tensors_of("clone_model", "input_tensors", input_tensors)
        if not isinstance(first.node.layer, InputLayer):
            raise ArgumentError(f"clone_model: expected input_tensors made by fc.Input for {model}, got {first!r}")
        layers = [first, *layers]
    elif model.built:
        layers = [Input(model.input_shape[1:], dtype=model.dtype_policy), *layers]
    return type(model)(layers, name=model.name)


def _made_again(layer: Any) -> Any:
    return type(layer).from_config(serialization.with_layers(serialization.without_layers(layer.get_config()), {}))


def _placed(given: Any, there: dict[int, Any]) -> Any:
    if isinstance(given, dict):
        return {name: there[id(one)] for name, one in given.items()}
    return [there[id(one)] for one in given] if isinstance(given, (list, tuple)) else there[id(given)]


def model_from_json(json_string: str, custom_objects: dict[str, type[Layer]] | None = None) -> Any:
    """Return a model, with new weights, of what `Model.to_json` wrote.

    Parameters
    ----------
    json_string : str
    custom_objects : dict, optional
        Your own classes by name.

    Raises
    ------
    ArgumentError
        If it is no such text, or a class is not known.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    >>> fc.models.model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    try:
        told = json.loads(json_string)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"model_from_json: expected the text that to_json returned, got what is no JSON "
                            f"({error})") from None
    if not isinstance(told, dict) or not {"class_name", "config"} <= told.keys():
        raise ArgumentError("model_from_json: expected the text that to_json returned, got JSON without class_name and "
                            "config")
    return serialization.make_all([told], custom_objects or {}, "model_from_json")[0]
