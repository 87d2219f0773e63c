"""The last layer of a saved model, which it is trained without: all other layers are the same ones."""

from typing import Any


def with_end(model: Any, end: Any) -> Any:
    """Return a model with one more layer; all others are the same."""
    from fastcnn import layers
    from fastcnn.models import Model, Sequential

    if isinstance(model, Sequential):
        return Sequential([layers.Input(model.input_shape[1:]), *model.layers, end], name=model.name)
    return Model(model.inputs, end(model.outputs[0]), name=model.name)


def without_end(model: Any, name: str) -> Any:
    """Return a model without its last layer if that has a name; all others are the same."""
    from fastcnn import layers
    from fastcnn.models import Model, Sequential

    if model.layers[-1].name != name:
        return model
    if isinstance(model, Sequential):
        return Sequential([layers.Input(model.input_shape[1:]), *model.layers[:-1]], name=model.name)
    return Model(model.inputs, model.layers[-1].input, name=model.name)
