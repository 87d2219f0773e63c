"""A layer as Keras's JSON describes it, as fastcnn's does: names of classes and arguments, values, types.

    {"class_name": "LeakyReLU", "config": {"name": "a", "dtype": "float32", "alpha": 0.1}}                Keras 2
    {"class_name": "LeakyReLU", "module": "keras.layers", "registered_name": None, "build_config": {...},
     "config": {"name": "a", "dtype": {"class_name": "DTypePolicy", ...}, "negative_slope": 0.1}}         Keras 3

An argument that fastcnn's layer has not is left out where it says nothing (None, an initializer of what the file has
values for), else it is refused by name: nothing of a file is passed over that could change what comes out.
"""

import inspect
import sys
from typing import Any

import numpy as np

from fastcnn import activations, initializers, layers
from fastcnn.errors import ArgumentError
from fastcnn.layers.activation import is_activation
from fastcnn.models import serialization
from fastcnn.models.files import keras_code, keras_table

#: What the first layer of a model is told in the place of an Input before it.
SHAPES = ("batch_input_shape", "batch_shape")
_PACKAGES = ("keras", "tf_keras", "tensorflow", "builtins")  # whose modules Keras's own classes are in
_OF_EVERY_LAYER = {"name", "dtype", "trainable", "activity_regularizer"}
_CODE = ("it holds code, which load_model runs with safe_mode=False alone, or put a layer in its place and save the "
         "model again")


class Translator:
    """What turns entries of one file into fastcnn's; refusals are gathered, so that all are told at once.

    Parameters
    ----------
    known : dict
        The classes that fastcnn has, by name.
    custom_objects : dict
        Classes and functions that the caller has.
    version : str
        Of the Keras that wrote the file.
    runs_code : bool
        Whether code in the file may be run.

    Attributes
    ----------
    refused : list of str
        What is not offered.
    shared : dict
        Entries of layers that are in several models, by their number in the file.
    """

    def __init__(self, known: dict[str, Any], custom_objects: dict[str, Any], version: str,
                 runs_code: bool = False) -> None:
        self.known, self.custom, self.version, self.runs_code = known, custom_objects, version, runs_code
        self._refused: dict[str, None] = {}
        self.shared: dict[Any, dict[str, Any]] = {}

    @property
    def is_old(self) -> bool:
        """Whether the file is of a Keras before version 3, on TensorFlow."""
        return self.version.partition(".")[0] in ("1", "2")

    def refuse(self, what: str) -> None:
        """Note something that is not offered."""
        self._refused.setdefault(what)

    @property
    def refused(self) -> list[str]:
        return list(self._refused)

    def layer(self, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Return a layer, no model, as fastcnn's JSON describes it."""
        config = {key: plain(value) for key, value in config.items() if key not in SHAPES or class_name == "InputLayer"}
        dtype = _dtype_of(config)
        if class_name in self.custom:
            config.pop("dtype", None)
            return {"class_name": class_name, "config": self._with_layers(config) | dtype}
        who = f'{class_name} "{config.get("name", "")}"'
        kind = self.known.get(keras_table.CLASSES.get(class_name, class_name))
        if class_name == "Lambda":
            return {"class_name": class_name, "config": self._lambda(who, config) | dtype}
        if kind is None or class_name in keras_table.NOT_KERAS:
            self.refuse(who)
            return {"class_name": class_name, "config": {}}
        renamed = keras_table.ARGUMENTS.get(class_name, {})
        config = {renamed.get(key, key): value for key, value in config.items()}
        if class_name == "InputLayer":
            config = self._input(config)
        arguments = {key for key in inspect.signature(kind.__init__).parameters if key not in ("self", "kwargs")}
        made: dict[str, Any] = {}
        for key, value in config.items():
            if key == "dtype":
                made |= dtype
            elif key in arguments | _OF_EVERY_LAYER:
                made |= self._argument(who, class_name, key, value)
            elif not _says_nothing(key, value):
                self.refuse(f"{who} with {key}={_short(value)}")
        return {"class_name": keras_table.CLASSES.get(class_name, class_name), "config": made}

    def _with_layers(self, value: Any) -> Any:
        """Return the arguments of a class of one's own, entries of layers among them made fastcnn's."""
        if isinstance(value, dict) and {"class_name", "config", "module"} <= value.keys():
            name = self.class_of(value)
            if isinstance(value["config"], dict) and (name in self.known or name in self.custom):
                return {serialization.LAYER: self.layer(name, value["config"])}
        if isinstance(value, dict):
            return {key: self._with_layers(one) for key, one in value.items()}
        return [self._with_layers(one) for one in value] if isinstance(value, list) else value

    def _lambda(self, who: str, config: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a Lambda layer: a function of the caller's by name, or code, if he lets it run."""
        told: Any = config.get("function")
        made: dict[str, Any] = {key: config[key] for key in ("name", "trainable") if key in config}
        if isinstance(told, list):  # Keras 2
            config_of = dict(zip(("code", "defaults", "closure"), told, strict=False))
            told = {"class_name": "__lambda__", "config": config_of}
        if keras_code.is_code(told):
            if not self.runs_code:
                self.refuse(f"{who} ({_CODE})")
                return made
            function: Any = keras_code.run(told, _names_of_code())
        else:
            name = str((told.get("registered_name") or told.get("config")) if isinstance(told, dict) else told)
            short = name.rpartition(">")[2]
            function = next((self.custom[one] for one in (name, short) if callable(self.custom.get(one))), None)
            if function is None:
                self.refuse(f"{who} of the function {short} (pass it as custom_objects={{{short!r}: {short}}})")
                return made
        return made | {"function": function, "arguments": config.get("arguments") or {}}

    def class_of(self, entry: dict[str, Any]) -> str:
        """Return the name of an entry's class; that of somebody's own class with its package, unless the caller has it.

        A class of one's own may have the name of one of Keras's: ``mine>Conv2D``.
        """
        name: str = entry["class_name"]
        package, mark, short = str(entry.get("registered_name") if ">" not in name else name).rpartition(">")
        module = str(entry.get("module") or "keras")
        if not mark and module.partition(".")[0] not in _PACKAGES:
            package, mark, short = module, ">", name
        if not mark or name in self.custom:
            return name
        return short if short in self.custom else f"{package}>{short}"

    def _input(self, config: dict[str, Any]) -> dict[str, Any]:
        shape = next((config[key] for key in SHAPES if config.get(key) is not None), None)
        who = f'InputLayer "{config.get("name", "")}"'
        if not isinstance(shape, (list, tuple)) or not shape:
            self.refuse(f"{who} of shape {shape}")
            shape = [None, 1]
        return {key: value for key, value in config.items() if key not in SHAPES} | {"shape": list(shape[1:])}

    def _argument(self, who: str, class_name: str, key: str, value: Any) -> dict[str, Any]:
        """Return an argument as fastcnn's layer takes it, or nothing where its default is meant."""
        if key.endswith("activation"):
            return {key: self.activation(who, value)}
        if key.endswith("_initializer"):
            return _initializer(key, value)
        if key == "layer" and isinstance(value, dict):  # of a layer that wraps it
            return {key: self._with_layers(value)}
        if key.endswith("_regularizer"):
            return {} if value is None else {key: self._regularizer(who, key, value)}
        if class_name.startswith("BatchNormalization") and key == "axis" and isinstance(value, list):
            return {key: value[0] if len(value) == 1 else value}
        if class_name == "ReLU" and value is None:
            return {}
        if class_name == "UpSampling2D" and key == "interpolation" and value == "bicubic" and self.is_old:
            self.refuse(f"{who} with interpolation='bicubic' (TensorFlow's cubic is another)")
        return {key: value}

    def activation(self, who: str, value: Any) -> Any:
        """Return an activation: a name, or a dict that `fastcnn.activations.get` takes."""
        if isinstance(value, dict) and "class_name" in value:
            if isinstance(value.get("config"), str):  # a function by its name, as Keras 3 writes some
                return self.activation(who, value["config"])
            return self._activation_layer(who, value)
        if value == "hard_sigmoid" and self.is_old:  # min(max(x / 5 + 1/2, 0), 1); Keras 3's has x / 6
            return {"name": "hard_sigmoid", "alpha": 0.2, "beta": 0.5}
        return value

    def _activation_layer(self, who: str, value: dict[str, Any]) -> Any:
        entry = self.layer(self.class_of(value), value.get("config") or {})
        kind = self.known.get(entry["class_name"])
        made = None if kind is None else kind.from_config(entry["config"])
        if made is None or not is_activation(made):
            self.refuse(f"{who} with activation={value['class_name']}")
            return None
        return "linear" if made.function is None else activations.config_of(made.function)

    def _regularizer(self, who: str, key: str, value: Any) -> Any:
        config = value.get("config") if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
        if not isinstance(config, dict) or value.get("class_name") not in ("L1", "L2", "L1L2"):
            name = value.get("class_name") if isinstance(value, dict) else value
            self.refuse(f"{who} with {key}={_short(name)}")
            return None
        return {"class_name": value["class_name"], "config": config}


def plain(value: Any) -> Any:
    """Return a value without Keras's wrappings of tuples and of NumPy's arrays."""
    if isinstance(value, dict):
        kind = value.get("class_name")
        if kind == "__tuple__":
            return [plain(one) for one in value["items"]]
        if kind in ("__numpy__", "__tensor__"):
            return value["config"]["value"]
        if value.get("type") == "ndarray":  # Keras 2
            return value["value"]
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def _names_of_code() -> dict[str, Any]:
    """Return what code in a file may call: Keras's names mean fastcnn's."""
    from fastcnn import ops

    package = sys.modules["fastcnn"]  # which stands above this room
    return {**dict.fromkeys(("keras", "fastcnn", "fc"), package), "ops": ops, "layers": layers, "np": np}


def _says_nothing(key: str, value: Any) -> bool:
    silent = keras_table.SILENT
    return value is None or key.endswith("_initializer") or (key in silent and silent[key] == value)


def _initializer(key: str, value: Any) -> dict[str, Any]:
    """Return the initializer if fastcnn has it: it decides about nothing, since the file has the values."""
    if isinstance(value, dict):
        config = {k: v for k, v in (value.get("config") or {}).items() if v is not None and k != "dtype"}
        value = {"class_name": value.get("class_name"), "config": config}
    try:
        initializers.get(value)
    except (ArgumentError, TypeError):
        return {}
    return {key: value}


def _dtype_of(config: dict[str, Any]) -> dict[str, str]:
    """Return the policy of a layer: half precision other than mixed_bfloat16, and integers, become float32."""
    given = config.get("dtype")
    if isinstance(given, dict):
        given = (given.get("config") or {}).get("name")
    return {"dtype": given} if given in ("float64", "mixed_bfloat16") else {}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
