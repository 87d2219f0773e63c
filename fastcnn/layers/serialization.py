"""Layers, and models as layers, as JSON can hold them, and back."""

from typing import Any

from fastcnn import _hooks
from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Layer


def serialize(layer: Layer) -> dict[str, Any]:
    """Return a configuration of a layer, without its weights, which `deserialize` understands and JSON can hold.

    Parameters
    ----------
    layer : Layer

    Examples
    --------
    >>> layers.serialize(layers.Dense(10))["config"]["units"]
    10
    """
    if not isinstance(layer, Layer):
        raise ArgumentError(f"serialize: expected a layer, got {layer!r}")
    found: dict[str, Any] = _hooks.hooks["layer_entry"](layer)
    return found


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """Return the layer that `serialize` wrote down.

    Parameters
    ----------
    config : dict
    custom_objects : dict, optional
        Your own classes by name.

    Raises
    ------
    ArgumentError
        If the class is not known.

    Examples
    --------
    >>> layers.deserialize(layers.serialize(layers.Dense(10))).units
    10
    """
    if not isinstance(config, dict) or not {"class_name", "config"} <= set(config):
        raise ArgumentError(f"deserialize: expected a dict with class_name and config, as serialize returns it, got "
                            f"{config!r}")
    found: Layer = _hooks.hooks["layer_of_entry"](config, custom_objects or {})
    return found
