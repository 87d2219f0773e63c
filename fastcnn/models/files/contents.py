"""What a model hands over, to a file or to a copy of it."""

from typing import Any

import numpy as np

from fastcnn.models.files import compile_arguments


def of_model(model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return structure, as JSON can hold it, and parameters by path, as `fastcnn.formats.safetensors` takes them."""
    structure = {"class_name": type(model).__name__, "config": model.get_config()}
    if (told := compile_arguments.described(model)) is not None:
        structure["compile"] = told
    return structure, {name: p.value for name, p in model.named_weights().items()}


def copied(kind: Any, config: dict[str, Any], weights: list[Any], custom_objects: dict[str, type],
           told: dict[str, Any] | None = None) -> Any:
    """Return a model of a structure and weights: what copy.deepcopy and pickle make of a model."""
    model = kind.from_config(config, custom_objects=custom_objects)
    model.set_weights(weights)
    if told is not None:
        compile_arguments.compile_as(model, told, str(model))
    return model
