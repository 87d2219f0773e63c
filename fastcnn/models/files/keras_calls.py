"""A model as Keras's JSON describes it, written: the way back of `keras_graph`."""

from typing import Any

from fastcnn import registry
from fastcnn.layers.input import InputLayer
from fastcnn.layers.operation import Operation
from fastcnn.models.files import keras_table
from fastcnn.models.files.keras_entries import Entries, is_ours
from fastcnn.models.files.keras_operations import Written, written
from fastcnn.models.network import Network
from fastcnn.symbolic import LayerCall, Tensor


def entry(entries: Entries, layer: Any) -> dict[str, Any]:
    """Return the entry of a layer or a model; what Keras has not is noted in `entries`."""
    if not isinstance(layer, Network):
        return entries.once(layer, entries.layer(layer))
    build = {"build_config": {"input_shape": _shape(layer.input_shape)}}
    if layer.has_call:
        return entries.once(layer, entries.own(layer, **build))
    kind = type(layer)
    if layer.kind == "sequential":
        module, name, config = "keras", "Sequential", _of_sequential(entries, layer)
    else:
        module, name, config = "keras.src.models.functional", "Functional", _of_functional(entries, layer)
    if is_ours(layer):
        made = entries.object(module, name, config, None if name == "Sequential" else name, **build)
    else:
        own = None if kind.__module__ == "__main__" else kind.__module__
        made = entries.object(own, kind.__name__, config, registry.get_registered_name(kind), **build)
    return entries.once(layer, made)


def _of_sequential(entries: Entries, model: Any) -> dict[str, Any]:
    for layer in model.layers:
        if isinstance(layer, Operation) or type(layer).__name__ in keras_table.OPERATIONS:
            entries.refuse(f'{layer}, an operation, which Keras\'s Sequential cannot hold ("{model.name}")')
    first = model.inputs[0].node.layer
    return {"name": model.name, "trainable": model.trainable, "dtype": model.dtype_policy.name,
            "layers": [entries.layer(first), *(entry(entries, layer) for layer in model.layers)],
            "build_input_shape": _shape(model.input_shape)}


def _of_functional(entries: Entries, model: Any) -> dict[str, Any]:
    traced = model.traced
    strange = [t for t in traced.inputs if not isinstance(t.node.layer, InputLayer)]
    if strange:
        entries.refuse(f'the output of {strange[0].node.layer} as an input of "{model.name}"; call its layers on an '
                       f"Input of their own")
    calls: dict[Any, list[LayerCall]] = {layer: [] for layer in traced.layers}
    numbers = {id(t.node): 0 for t in traced.inputs}
    for node in traced.nodes:
        numbers[id(node)] = len(calls[node.layer])
        calls[node.layer].append(node)

    def history(tensor: Tensor) -> list[Any]:
        return [tensor.name, numbers[id(tensor.node)], tensor.index]

    def keras_tensor(tensor: Tensor) -> dict[str, Any]:
        return {"class_name": "__keras_tensor__", "config": {
            "shape": list(tensor.shape), "dtype": tensor.dtype.name, "keras_history": history(tensor)}}

    def called(node: LayerCall, operation: Written | None) -> dict[str, Any]:
        tensors = [keras_tensor(one) for one in node.inputs]
        told = {} if node.training is None else {"training": node.training}
        if operation is not None:
            return {"args": operation.arguments(tensors), "kwargs": {}}
        names = _names(node.layer)
        if names is not None:
            return {"args": [dict(zip(names, tensors, strict=True))], "kwargs": told}
        several = getattr(node.layer, "call_takes", 1) > 1
        return {"args": tensors if several or not node.layer.many_inputs else [tensors], "kwargs": told}

    listed = []
    for layer in traced.layers:
        operation = written(entries, layer)
        one = entry(entries, layer) if operation is None else entries.object(
            operation.module, operation.class_name, operation.config | {"name": layer.name}, operation.class_name)
        one |= {"name": layer.name, "inbound_nodes": [called(node, operation) for node in calls[layer]]}
        listed.append(one)

    def place(tensor: Tensor) -> list[Any]:
        name, number, index = history(tensor)
        inner = tensor.node.layer  # a model of the functional form has a call of its own that stands first
        is_functional = isinstance(inner, Network) and inner.kind != "sequential" and not inner.has_call
        return [name, number + is_functional, index]

    structure = model._built_structure()
    return {"name": model.name, "trainable": model.trainable, "layers": listed,
            "input_layers": _mapped(place, structure.given_inputs),
            "output_layers": _mapped(place, structure.given_outputs)}


def _names(layer: Any) -> list[str] | None:
    """Return the names by which a model inside takes its inputs, None if it takes them in order."""
    if not isinstance(layer, Network) or layer.has_call:
        return None
    given = layer._built_structure().given_inputs
    return list(given) if isinstance(given, dict) else None


def _mapped(function: Any, given: Any) -> Any:
    if isinstance(given, dict):
        return {key: function(one) for key, one in given.items()}
    return [function(one) for one in given] if isinstance(given, (list, tuple)) else function(given)


def _shape(shape: Any) -> Any:
    return [_shape(one) if isinstance(one, (tuple, list)) else one for one in shape]
