"""A layer with another activation or border, its parameters and all."""

from typing import Any

from fastcnn.layers.base import Layer


def with_activation(layer: Layer, activation: Any) -> Any:
    """Return the layer, its parameters and all, with another activation."""
    twin = object.__new__(type(layer))
    twin.__dict__.update(layer.__dict__, activation=activation)
    return twin


def with_border(layer: Layer, border: Any, input_shape: Any) -> Any:
    """Return the layer with zeros around its input, its window elsewhere the same."""
    twin = object.__new__(type(layer))
    twin.__dict__.update(layer.__dict__, padding=border, input_shape=input_shape)
    return twin
