"""What a model hands over, to a file or to a copy of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.layers import held_layers
from fastcnn.models.files import compile_arguments
from fastcnn.models.serialization import with_layers, without_layers


def of_model(model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return structure, as JSON can hold it, and parameters by path, as `fastcnn.formats.safetensors` takes them."""
    return structure_of(model), {name: p.value for name, p in model.named_weights().items()}


def structure_of(model: Any) -> dict[str, Any]:
    """Return structure, as JSON can hold it, with what `compile` was given."""
    if not model.built:
        raise ArgumentError(f"{model}: save expected a built model; begin with fc.Input(shape), or call "
                            f"build((None, *shape))")
    config = model.get_config()
    structure = {"class_name": type(model).__name__, "config": without_layers(config) if model.has_call else config}
    if (told := compile_arguments.described(model)) is not None:
        structure["compile"] = told
    if model.has_call:
        structure |= {"input_shape": model.input_shape, "frozen": held_layers.frozen(model)}
    return structure


def copied(kind: Any, config: dict[str, Any], weights: list[Any], custom_objects: dict[str, type],
           told: dict[str, Any] | None = None, built: tuple[Any, list[int]] | None = None) -> Any:
    """Return a model of a structure and weights: what copy.deepcopy and pickle make of a model."""
    model = made(kind, config, custom_objects, *built or (None, ()))
    model.set_weights(weights)
    if told is not None:
        compile_arguments.compile_as(model, told, str(model))
    return model


def made(kind: Any, config: dict[str, Any], custom_objects: dict[str, type], input_shape: Any = None,
         frozen: Sequence[int] = ()) -> Any:
    """Return a model of a structure.

    Parameters
    ----------
    kind : type
    config : dict
    custom_objects : dict
    input_shape : tuple, optional
        What a model with `call` was built for.
    frozen : list of int
        Which of the layers within a model with `call` are not trainable (`held_layers.frozen`).
    """
    if not kind.has_call:
        return kind.from_config(config, custom_objects=custom_objects)
    model = kind.from_config(with_layers(config, custom_objects))
    if input_shape is not None:
        shapes = [tuple(one) if isinstance(one, list) else one for one in input_shape]
        model.build(tuple(shapes))
    held_layers.freeze(model, frozen)
    return model
