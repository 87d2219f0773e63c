"""A layer as Keras's JSON describes it, written: the way back of `keras_config`, by the same table."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcnn import activations, constraints, initializers, layers, registry, regularizers
from fastcnn.dtype_policies import DTypePolicy
from fastcnn.layers.activation import is_activation
from fastcnn.layers.input import InputLayer
from fastcnn.models.files import keras_code, keras_table

_PLAIN = (str, bool, int, float, type(None))


class Entries:
    """What makes Keras's entries of layers; what Keras has not is gathered, so that all of it is told at once.

    Parameters
    ----------
    is_old : bool
        Whether it is for an ``.h5`` file, whose entries have a class and a configuration alone.

    Attributes
    ----------
    refused : list of str
    """

    def __init__(self, is_old: bool = False) -> None:
        self.is_old = is_old
        self._refused: dict[str, None] = {}
        self._written: dict[int, dict[str, Any]] = {}

    def refuse(self, what: str) -> None:
        """Note something that Keras has not."""
        self._refused.setdefault(what)

    @property
    def refused(self) -> list[str]:
        return list(self._refused)

    def once(self, layer: Any, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the entry of a layer, which only one model may have: Keras 3.15 reads two layers of two entries."""
        if self._written.setdefault(id(layer.original), entry) is not entry:
            self.refuse(f"{layer}, which several models share")
        return entry

    def object(self, module: str | None, class_name: str, config: Any, registered: str | None = None, **more: Any
               ) -> dict[str, Any]:
        """Return an entry of a layer, model or operation."""
        if self.is_old:
            return {"class_name": class_name, "config": config}
        return {"module": module, "class_name": class_name, "config": config, "registered_name": registered, **more}

    def layer(self, layer: Any) -> dict[str, Any]:
        """Return the entry of a layer, no model."""
        if isinstance(layer, InputLayer):
            return self.object(keras_table.LAYERS, "InputLayer", _of_input(layer))
        build: dict[str, Any] = {} if not layer.built else {"build_config": {"input_shape": _listed(layer.input_shape)}}
        if not is_ours(layer):
            return self.own(layer, **build)
        class_name, config = self._public(layer)
        if class_name in keras_table.HIDDEN:
            if self.is_old:
                self.refuse(f"{layer}, which .keras holds")
            return self.object(keras_table.HIDDEN[class_name], class_name, config, class_name, **build)
        return self.object(keras_table.LAYERS, class_name, config, **build)

    def own(self, layer: Any, **more: Any) -> dict[str, Any]:
        """Return the entry of a layer, or of a model with `call`, of a class of the user's own."""
        config = {"name": layer.name, "trainable": layer.trainable} | layer.get_config()
        config["dtype"] = layer.dtype_policy.name
        kind = type(layer)
        module = None if kind.__module__ == "__main__" else kind.__module__
        return self.object(module, kind.__name__, self.value(f"{layer}", config), registry.get_registered_name(kind),
                           **more)

    def value(self, who: str, value: Any) -> Any:
        """Return an argument as Keras's files hold it."""
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, layers.Layer):
            return self.once(value, self.layer(value))
        if isinstance(value, Mapping):
            return {key: self.value(who, one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(who, one) for one in value]
        if isinstance(value, np.ndarray) and value.ndim:
            return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
        if isinstance(value, (np.ndarray, np.generic)):
            return value.item()
        if isinstance(value, (np.dtype, DTypePolicy)):
            return value.name
        if callable(value) and hasattr(value, "__name__") and not isinstance(value, type):
            return keras_code.named(value)
        self.refuse(f"{who} with a {type(value).__name__} among its arguments")
        return None

    def _public(self, layer: Any) -> tuple[str, dict[str, Any]]:
        """Return Keras's class and arguments for a layer of fastcnn's."""
        class_name, config = type(layer).__name__, layer.get_config()
        base = {"name": layer.name, "trainable": layer.trainable, "dtype": layer.dtype_policy.name}
        if class_name == "Lambda":
            return "Lambda", base | self._of_lambda(layer)
        if class_name == "Linear":
            return "Identity", base
        if class_name in keras_table.BASES:
            self.refuse(f"{layer}, which cannot be called there")
            return class_name, base
        if class_name in keras_table.NOT_KERAS:
            if is_activation(layer):
                found = self.activation(f"{layer}", activations.config_of(layer.function))
                return "Activation", base | {"activation": found}
            self.refuse(f"{layer}")
            return class_name, base
        if class_name == "ThresholdedReLU":  # which Keras 2 had
            return "ReLU", base | {"threshold": layer.theta}
        if class_name == "RMSNormalization" and layer.built and not _are_last(layer.axis, len(layer.input_shape)):
            self.refuse(f"{layer} with axis={layer.axis!r}")
        if class_name == "LayerScale":
            config["projection_dim"] = layer.gamma.size
        if class_name == "Reshape":  # 0 is a size as it comes
            found = zip(config["target_shape"], layer.output_shape[1:], strict=True)
            config["target_shape"] = [told or n for told, n in found]
        defaults = inspect.signature(type(layer).__init__).parameters
        ours = keras_table.OURS | keras_table.OURS_BY_CLASS.get(class_name, frozenset())
        made = {}
        for key, value in config.items():
            if key in ours:
                if value != _plain(defaults[key].default):
                    self.refuse(f"{layer} with {key}={value!r}")
            else:
                made[key] = self._argument(layer, class_name, key, value)
        if self.is_old and _is_lost(class_name, made):
            self.refuse(f"{layer} with axis={made['axis']!r}, which .keras holds")
        left = keras_table.LEFT_OUT.get(class_name, ())
        return class_name, {key: one for key, one in (made | base).items() if key not in left}

    def _argument(self, layer: Any, class_name: str, key: str, value: Any) -> Any:
        who = f"{layer}"
        if key.endswith("activation"):
            return self.activation(who, value)
        if key.endswith("_initializer"):
            return self._initializer(value)
        if key.endswith("_regularizer") and value is not None:
            return self._described(keras_table.REGULARIZERS, regularizers.get(value))
        if key.endswith("_constraint") and value is not None:
            return self._described(keras_table.CONSTRAINTS, constraints.get(value))
        if key == "layer" and layer.holds_layers:
            return self._within(layer.layer)
        if key == "padding" and ("Conv" in class_name or "Pooling" in class_name) and (
                not isinstance(value, str) or value in keras_table.NO_PADDINGS.get(class_name, ())):
            self.refuse(f"{who} with padding={value!r}")
        if isinstance(value, list) and value and all(isinstance(one, dict) and "class_name" in one for one in value):
            self.refuse(f"{who} with layers of its own in {key}")
        return self.value(who, value)

    def activation(self, who: str, value: Any) -> Any:
        """Return an activation: a name, or a layer where it has parameters."""
        if value is None or (isinstance(value, str) and value in keras_table.ACTIVATIONS):
            return "linear" if value is None else value
        if isinstance(value, dict) and value.get("name") in keras_table.PARAMETRIC:
            kind, argument = keras_table.PARAMETRIC[value["name"]]
            of = "axis" if argument == "axis" else "alpha"
            if value.keys() <= {"name", of, "beta"}:
                return self._activation_layer(kind, {argument: value[of]})
        if isinstance(value, dict) and value.get("name") == "clip" and value.get("beta", 0.0) == 0.0:
            return self._activation_layer("ReLU", {"max_value": value.get("alpha")})
        told = value if isinstance(value, str) else value.get("name") if isinstance(value, dict) else value
        self.refuse(f"{who} with activation={told!r}{' and parameters' if isinstance(value, dict) else ''}")
        return None

    def _activation_layer(self, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
        return {"module": keras_table.LAYERS, "class_name": class_name, "config": config, "registered_name": None}

    def _initializer(self, value: Any) -> Any:
        """Return an initializer; one that Keras lacks is left out, since the file has the values."""
        made = None if value is None else initializers.get(value)
        name = type(made).__name__
        if value is None or isinstance(value, str) or name in keras_table.NO_INITIALIZERS:
            return None if name in keras_table.NO_INITIALIZERS else value
        if made is None or not is_ours(made):
            return None
        return _described(keras_table.INITIALIZERS, {"class_name": name, "config": made.get_config()})

    def _within(self, layer: Any) -> dict[str, Any]:
        """Return the entry of a layer that another one wraps, which has its module in ``.h5``, too."""
        entries = Entries()
        made = entries.layer(layer)
        for told in entries.refused:
            self.refuse(told)
        return made

    def _described(self, module: str, made: Any) -> dict[str, Any]:
        """Return the entry of a regularizer or a constraint, Keras's or the user's own."""
        if not is_ours(made):
            return self.object(type(made).__module__, type(made).__name__, made.get_config(),
                               registry.get_registered_name(type(made)))
        return _described(module, {"class_name": type(made).__name__, "config": made.get_config()})

    def _of_lambda(self, layer: Any) -> dict[str, Any]:
        function = keras_code.written(layer.function)
        if function is None:
            self.refuse(f"{layer}, whose function has no name and no code that could be written")
        return {"function": function, "arguments": self.value(f"{layer}", layer.arguments)}


def is_ours(thing: Any) -> bool:
    """Return whether the class of a thing is fastcnn's own, and not a user's."""
    return type(thing).__module__.partition(".")[0] == "fastcnn"


def _of_input(layer: Any) -> dict[str, Any]:
    return {"batch_shape": [None, *layer.output_shape[1:]], "dtype": layer.array_dtype.name, "sparse": False,
            "ragged": False, "name": layer.name, "optional": False}


def _described(module: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": value["class_name"], "config": value.get("config") or {},
            "registered_name": None}


def _is_lost(class_name: str, config: dict[str, Any]) -> bool:
    """Return whether Keras passes over a layer's axis in an ``.h5`` file: it reads one number, or a list of one."""
    axis = config.get("axis", 0)
    return (isinstance(axis, list) and len(axis) != 1) or (axis is None and class_name == "Normalization")


def _are_last(axes: Any, rank: int) -> bool:
    """Return whether axes are the last of an array's, in any order."""
    found = sorted(one % rank for one in (axes if isinstance(axes, (list, tuple)) else [axes]))
    return found == list(range(rank - len(found), rank))


def _listed(shape: Any) -> Any:
    return [_listed(one) if isinstance(one, (tuple, list)) else one for one in shape]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
