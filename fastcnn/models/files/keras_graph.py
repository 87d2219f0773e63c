"""A model as Keras's JSON describes it, as fastcnn's structure: `fastcnn.models.serialization` makes the model of it.

A call of a layer stands with the layer in Keras's JSON, and names the calls whose outputs it takes::

    Keras 2    "inbound_nodes": [[["conv2d", 0, 0, {}], ["conv2d_1", 0, 0, {}]]]
    Keras 3    "inbound_nodes": [{"args": [[tensor, tensor]], "kwargs": {}}]
               tensor: {"class_name": "__keras_tensor__", "config": {"keras_history": ["conv2d", 0, 0]}}
               [name of a layer, which of its calls, which output of that]

A model inside a model has a call of its own that stands first (Keras 2), or first where outputs of the whole are named
(Keras 3): its others count from 1 there.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.models.files.keras_config import SHAPES, Translator
from fastcnn.models.files.keras_hidden import with_public_layers
from fastcnn.models.files.keras_operators import Ref, as_function, as_layer, is_operation
from fastcnn.models.operation_calls import TENSOR

_CONSTANT = "_CONSTANT_VALUE"
_FUNCTIONAL, _SEQUENTIAL = ("Functional", "Model"), "Sequential"


def structure(translator: Translator, entry: dict[str, Any]) -> dict[str, Any]:
    """Return a model, or a layer, as fastcnn's JSON describes it; what is not offered is noted in the translator."""
    number = entry.get("shared_object_id")
    if number is not None and number in translator.shared:  # a layer of several models
        return translator.shared[number] | {"config": {}}
    made = _structure(translator, entry)
    if number is not None:
        made["shared"] = len(translator.shared)
        translator.shared[number] = made
    return made


def _structure(translator: Translator, entry: dict[str, Any]) -> dict[str, Any]:
    class_name, config = translator.class_of(entry), entry.get("config") or {}
    if is_functional(entry):
        kind = "Model" if class_name in _FUNCTIONAL else class_name
        return {"class_name": kind, "config": _Functional(translator, config).config()}
    if class_name == _SEQUENTIAL or (class_name in translator.custom and "layers" in config):
        return {"class_name": class_name, "config": _sequential(translator, config)}
    if class_name in _FUNCTIONAL:
        translator.refuse("a model of a class of its own, whose code is in no file")
        return {"class_name": "Model", "config": {}}
    return translator.layer(class_name, config)


def is_functional(entry: dict[str, Any]) -> bool:
    """Return whether an entry is a model with calls, of Keras's class or of one derived from it."""
    config = entry.get("config")
    return isinstance(config, dict) and "output_layers" in config


def _sequential(translator: Translator, config: Any) -> dict[str, Any]:
    if isinstance(config, list):  # before Keras 2.2.3
        config = {"layers": config}
    entries = config["layers"]
    layers = [structure(translator, entry) for entry in entries]
    if entries and entries[0]["class_name"] != "InputLayer":
        first = entries[0].get("config") or {}
        shape = config.get("build_input_shape") or (next((first[key] for key in SHAPES if first.get(key)), None)
                                                    if isinstance(first, dict) else None)
        if shape is not None:
            layers.insert(0, translator.layer("InputLayer", {"batch_shape": shape, "dtype": first.get("dtype")}))
    return _named(config) | {"layers": layers}


def _named(config: dict[str, Any]) -> dict[str, Any]:
    frozen = {"trainable": False} if config.get("trainable") is False else {}
    return {"name": config.get("name")} | frozen


class _Functional:
    """One functional model being read."""

    def __init__(self, translator: Translator, config: dict[str, Any]) -> None:
        self.translator, self.given = translator, config
        entries = {self._name(entry): entry for entry in config["layers"]}
        calls = {name: [_call(node) for node in entry.get("inbound_nodes") or ()] for name, entry in entries.items()}
        self.entries, self.nodes = with_public_layers(entries, calls, translator.custom)
        self.first = self._first_calls()
        self.layers: dict[str, dict[str, Any]] = {}
        self.calls: list[dict[str, Any]] = []
        self.places: dict[tuple[str, int], int] = {}

    def config(self) -> dict[str, Any]:
        """Return what `fastcnn.models.Model.from_config` takes."""
        inputs, outputs = (_mapped(self._output, self.given[key]) for key in ("input_layers", "output_layers"))
        for ref in inputs.values() if isinstance(inputs, dict) else inputs:
            self.places[ref.layer, 0] = len(self.calls)
            self.calls.append({"layer": ref.layer, "inputs": []})
        for name, entry in self.entries.items():
            if entry["class_name"] == "InputLayer" or not self.nodes[name]:
                self.layers[name] = structure(self.translator, entry)
        self._write_down([(name, at) for name in self.entries for at in range(len(self.nodes[name]))])
        place = lambda ref: [self.places[ref.layer, ref.node], ref.which]
        layers = [self.layers[name] for name in self.entries if name in self.layers]
        return _named(self.given) | {
            "layers": layers, "calls": self.calls, "inputs": _each(place, inputs), "outputs": _each(place, outputs)}

    def _name(self, entry: dict[str, Any]) -> str:
        name: str = entry.get("name") or entry["config"]["name"]
        return name

    def _write_down(self, calls: list[tuple[str, int]]) -> None:
        """Write down calls, each after those it depends on."""
        waiting: dict[tuple[str, int], list[tuple[str, int]]] = {}
        ready = deque(calls)
        while ready:
            call = ready.popleft()
            refs, told = self._taken(*call)
            missing = next(((r.layer, r.node) for r in refs if (r.layer, r.node) not in self.places), None)
            if missing is not None:
                waiting.setdefault(missing, []).append(call)
                continue
            self.places[call] = len(self.calls)
            if "operation" in told:
                self.calls.append({"layer": call[0]} | self._with_places(told))
            else:
                inputs = [[self.places[r.layer, r.node], r.which] for r in refs]
                self.calls.append({"layer": call[0], "inputs": inputs} | told)
            ready.extend(waiting.pop(call, ()))
        if waiting:
            first = next(iter(waiting.values()))[0][0]
            raise ValueError(f"calls that depend on one another, such as that of {first!r}")

    def _taken(self, name: str, at: int) -> tuple[list[Ref], dict[str, Any]]:
        """Return the tensors that a call takes, and what it is told; the layer is made at its first call."""
        args, named = self.nodes[name][at]
        entry = self.entries[name]
        if self._is_operation(name):
            refs, function = self._operation(name, entry, args, named)
            if function is not None:
                return [self._inner(ref) for ref in refs], function
        else:
            refs = self._inputs(entry, args[0] if len(args) == 1 else args)
            strange = [key for key, value in named.items() if key not in ("mask", "training") and value is not None]
            if strange or not all(isinstance(ref, Ref) for ref in refs):
                self.translator.refuse(f'{entry["class_name"]} "{name}" called with {strange[0] if strange else refs}')
                refs = [ref for ref in refs if isinstance(ref, Ref)]
            if name not in self.layers:
                self.layers[name] = structure(self.translator, entry)
                self.layers[name]["config"]["name"] = name
        # True, which calls of layers for pictures say by default, gives way to what fit and predict say.
        told = {} if named.get("training") in (None, True) else {"training": named["training"]}
        return [self._inner(ref) for ref in refs], told

    def _inputs(self, entry: dict[str, Any], given: Any) -> list[Any]:
        if isinstance(given, dict):  # by the names that a model inside gives its inputs
            names = entry["config"].get("input_layers")
            return [given[name] for name in names] if isinstance(names, dict) else list(given.values())
        return given if isinstance(given, list) else [given]

    def _with_places(self, value: Any) -> Any:
        """Return arguments of an operation with the places of calls for references."""
        if isinstance(value, Ref):
            ref = self._inner(value)
            return {TENSOR: [self.places[ref.layer, ref.node], ref.which]}
        if isinstance(value, dict):
            return {key: self._with_places(one) for key, one in value.items()}
        return type(value)(self._with_places(one) for one in value) if isinstance(value, (list, tuple)) else value

    def _is_operation(self, name: str) -> bool:
        entry = self.entries[name]
        kind, config = self.translator.class_of(entry), entry.get("config") or {}
        mine = self._is_model(name) or kind in self.translator.custom or ">" in kind
        return not mine and is_operation(kind, config, self.translator.is_old, str(entry.get("module")))

    def _operation(self, name: str, entry: dict[str, Any], args: list[Any], named: dict[str, Any]
                   ) -> tuple[list[Ref], dict[str, Any] | None]:
        """Return the tensors that an operation takes, and the call of the function that it is, if it is no layer."""
        kind, config = entry["class_name"], entry.get("config") or {}
        made = as_layer(kind, config, args, named)
        if made is None:
            function = None if self.translator.is_old else as_function(kind, config, args, named)
            if function is not None:
                return _refs([function["args"], function["named"]]), function
            self.translator.refuse(f'the operation {config.get("function", kind)} "{name}"')
            made = "Linear", {}, [ref for ref in args if isinstance(ref, Ref)]
        kind, config, refs = made
        self.layers[name] = {"class_name": kind, "config": config | {"name": name}}
        return refs, None

    def _first_calls(self) -> dict[str, int]:
        """Return from where calls of models inside are counted in Keras 2's references to them."""
        outputs = _mapped(lambda one: Ref(*one), self.given["output_layers"])
        lowest: dict[str, int] = {}
        for ref in _refs([list(self.nodes.values()), outputs]):
            lowest[ref.layer] = min(ref.node, lowest.get(ref.layer, ref.node))
        return {name: int(node > 0) for name, node in lowest.items() if self.translator.is_old and self._is_model(name)}

    def _is_model(self, name: str) -> bool:
        entry = self.entries.get(name)
        return entry is not None and (entry["class_name"] == _SEQUENTIAL or is_functional(entry))

    def _inner(self, ref: Ref) -> Ref:
        return ref._replace(node=ref.node - self.first.get(ref.layer, 0))

    def _output(self, one: Any) -> Ref:
        ref = Ref(*one)
        if not self.translator.is_old and ref.layer in self.entries and is_functional(self.entries[ref.layer]):
            return ref._replace(node=ref.node - 1)
        return self._inner(ref)


def _call(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call, tensors as `Ref`, by place and by name."""
    if isinstance(node, dict):
        return _tensors(node.get("args", [])), _tensors(node.get("kwargs", {}))
    if node and isinstance(node[0], (str, int)):  # an operation: its first argument, then the others by name
        return [_old(node)], _old_named(node)
    if isinstance(node, list):
        refs = [_old(one) for one in node]
        return [refs if len(refs) > 1 else refs[0]], _old_named(node[0])
    raise TypeError(f"a call of the form {type(node).__name__}")


def _old(one: list[Any]) -> Any:
    return one[2] if one[0] == _CONSTANT else Ref(*one[:3])


def _old_named(one: list[Any]) -> dict[str, Any]:
    named = one[3] if len(one) > 3 else {}
    return {key: Ref(*value) if _is_old_tensor(value) else value for key, value in named.items()}


def _is_old_tensor(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and value[0] != _CONSTANT


def _tensors(value: Any) -> Any:
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return Ref(*value["config"]["keras_history"])
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return [_tensors(one) for one in value["items"]]
    if isinstance(value, dict) and value.get("class_name") in ("__numpy__", "__tensor__"):
        return np.asarray(value["config"]["value"], value["config"]["dtype"])
    if isinstance(value, dict) and value.get("class_name") == "__slice__":
        return slice(*(value["config"][key] for key in ("start", "stop", "step")))
    if isinstance(value, dict) and value.get("class_name") == "__ellipsis__":
        return Ellipsis
    if isinstance(value, dict):
        return {key: _tensors(one) for key, one in value.items()}
    return [_tensors(one) for one in value] if isinstance(value, list) else value


def _refs(value: Any) -> list[Ref]:
    if isinstance(value, Ref):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [ref for one in values for ref in _refs(one)]


def _mapped(function: Callable[[Any], Any], given: Any) -> Any:
    """Return references to tensors, a list or a dict of them: one alone is a list."""
    if isinstance(given, dict):
        if given.get("class_name") == "__tuple__":
            return _mapped(function, given["items"])
        return {key: function(one) for key, one in given.items()}
    return [function(given)] if given and isinstance(given[0], str) else [function(one) for one in given]


def _each(function: Callable[[Any], Any], given: Any) -> Any:
    return {key: function(one) for key, one in given.items()} if isinstance(given, dict) else [
        function(one) for one in given]
