"""Dropout and L2 penalties that flags ask of a network."""

from typing import Any

from fastcnn.errors import ArgumentError


def with_dropout(model: Any, rate: float) -> Any:
    """Return a model whose dropout layers have a rate; one that has none gets one before its last layer with weights.

    Parameters
    ----------
    model : Model
        Not compiled.
    rate : float
        The part of the values that is dropped in training.
    """
    from fastcnn import layers
    from fastcnn.models import Model

    found = [layer for layer in model.layers if isinstance(layer, layers.Dropout)]
    for layer in found:
        layer.rate = rate
    if found or rate == 0:
        return model
    if len(model.layers) < 2:
        raise ArgumentError(f"--dropout: expected a network with layers before its last one, got {model} without")
    call, after = model.outputs[0].node, list[Any]()
    while not call.layer.weights and len(call.inputs) == 1 and call.inputs[0].node.inputs:  # a softmax, a pooling
        after.append(call.layer)
        call = call.inputs[0].node
    last, *others = (call.layer, *after[::-1]) if len(call.inputs) == 1 else [model.layers[-1]]
    y = last(layers.Dropout(rate, name="dropout_of_the_top")(last.input))
    for layer in others:
        y = layer(y)
    return Model(model.inputs, y, name=model.name)


def with_l2(model: Any, factor: float) -> Any:
    """Return a model whose loss has `factor` times the sum of the squares of all kernels, of convolutions and products.

    Biases and what normalizations learn are spared; kernels that have a penalty keep it.
    """
    from fastcnn import regularizers

    penalty = regularizers.L2(factor)
    for parameter in model.weights:
        if parameter.name.endswith("kernel") and parameter.regularizer is None:
            parameter.regularizer = penalty
    return model
