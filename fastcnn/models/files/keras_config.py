"""A layer as Keras's JSON describes it, as fastcnn's does: names of classes and arguments, values, types.

    {"class_name": "LeakyReLU", "config": {"name": "a", "dtype": "float32", "alpha": 0.1}}                Keras 2
    {"class_name": "LeakyReLU", "module": "keras.layers", "registered_name": None, "build_config": {...},
     "config": {"name": "a", "dtype": {"class_name": "DTypePolicy", ...}, "negative_slope": 0.1}}         Keras 3

An argument that fastcnn's layer has not is left out where it says nothing (None, an initializer of what the file has
values for), else it is refused by name: nothing of a file is passed over that could change what comes out.
"""

import inspect
from typing import Any

from fastcnn import activations, initializers
from fastcnn.errors import ArgumentError
from fastcnn.layers.activation import is_activation

#: Classes that fastcnn calls otherwise.
_CLASSES = {"BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
            "Identity": "Linear"}
#: Layers that fastcnn has and Keras has not: in a file of Keras's such a name is of somebody's own class.
NOT_KERAS = frozenset((
    "Abs", "CELU", "Ceil", "Clip", "Erf", "Floor", "GELU", "HardSiLU", "HardSigmoid", "IsZero", "Linear",
    "LocalResponseNormalization", "Log", "LogSoftmax", "Mish", "Power", "ReLU6", "RandomPCAColor",
    "RandomRGBShift", "Reciprocal", "RandomNoise", "Resize", "Round",
    "SELU", "SiLU", "Sigmoid", "Sign", "Slice", "Softplus", "Softsign", "Sqrt", "Step", "Take", "Tanh", "TopK", "Where",
    *(f"{kind}{n}D" for kind in ("GlobalL2Pooling", "GlobalMinPooling", "L2Pooling", "MinPooling", "Padding")
      for n in (1, 2, 3))))  # fmt: skip
#: Arguments that it does, by class.
_ARGUMENTS = {"LeakyReLU": {"alpha": "negative_slope"}}
#: Arguments that it lacks, with the value of each that says nothing.
_SILENT = {"sparse": False, "ragged": False, "optional": False, "groups": 1, "autocast": True}
#: What the first layer of a model is told in the place of an Input before it.
SHAPES = ("batch_input_shape", "batch_shape")
_PACKAGES = ("keras", "tf_keras", "tensorflow", "builtins")  # whose modules Keras's own classes are in
_OF_EVERY_LAYER = {"name", "dtype", "trainable", "activity_regularizer"}
_CODE = "a Lambda layer holds code, which is not run: put layers in its place and save the model again"


class Translator:
    """What turns entries of one file into fastcnn's; refusals are gathered, so that all are told at once.

    Parameters
    ----------
    known : dict
        The classes that fastcnn has, by name.
    custom_objects : dict
        Those that the caller has.
    version : str
        Of the Keras that wrote the file.

    Attributes
    ----------
    refused : list of str
        What is not offered.
    """

    def __init__(self, known: dict[str, Any], custom_objects: dict[str, Any], version: str) -> None:
        self.known, self.custom, self.version = known, custom_objects, version
        self._refused: dict[str, None] = {}

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
            return {"class_name": class_name, "config": config | dtype}
        who = f'{class_name} "{config.get("name", "")}"'
        kind = self.known.get(_CLASSES.get(class_name, class_name))
        if kind is None or class_name in NOT_KERAS or class_name == "Lambda":
            self.refuse(f"{who} ({_CODE})" if class_name == "Lambda" else who)
            return {"class_name": class_name, "config": {}}
        renamed = _ARGUMENTS.get(class_name, {})
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
        return {"class_name": _CLASSES.get(class_name, class_name), "config": made}

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
        if not isinstance(shape, (list, tuple)) or not shape or None in shape[1:]:
            self.refuse(f"{who} of shape {shape} (a size that varies is not offered: make Keras's model for one size)")
            shape = [None, 1]
        return {key: value for key, value in config.items() if key not in SHAPES} | {"shape": list(shape[1:])}

    def _argument(self, who: str, class_name: str, key: str, value: Any) -> dict[str, Any]:
        """Return an argument as fastcnn's layer takes it, or nothing where its default is meant."""
        if key.endswith("activation"):
            return {key: self.activation(who, value)}
        if key.endswith("_initializer"):
            return _initializer(key, value)
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


def _says_nothing(key: str, value: Any) -> bool:
    return value is None or key.endswith("_initializer") or (key in _SILENT and _SILENT[key] == value)


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
    """Return the type of a layer's parameters and arithmetic: half precision and integers become float32."""
    given = config.get("dtype")
    if isinstance(given, dict):
        given = (given.get("config") or {}).get("name")
    return {"dtype": "float64"} if given == "float64" else {}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
