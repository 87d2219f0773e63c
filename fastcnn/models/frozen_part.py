"""A network in two parts: what is frozen at its beginning, and the rest, which learns."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.graph import trace
from fastcnn.models.model import Model
from fastcnn.symbolic import LayerCall, Tensor


class FrozenPart(NamedTuple):
    """A model in two parts, which share its layers: ``rest(frozen(x))`` is ``model(x)``.

    Attributes
    ----------
    frozen : Model
        From the model's input to the last numbers that training does not change.
    rest : Model
        From there to the model's output.
    """

    frozen: Model
    rest: Model


def split_frozen(model: Model) -> FrozenPart:
    """Cut a model behind the frozen layers at its beginning, as far as no weight is trained and nothing is random.

    What the frozen part gives for an image is the same in each epoch: it can be computed once
    (`cached_features`), and the rest trained on it. Training the rest trains the model, whose layers it shares: in the
    same order, with the same random numbers, and so, but for rounding, to the same weights.

    Parameters
    ----------
    model : Model
        With one input; ``layer.trainable = False`` says what is frozen.

    Raises
    ------
    ArgumentError
        If its first layer learns, all of it is frozen, or several layers at the cut hand on numbers.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((4,)), layers.Dense(8, name="features"), layers.Dense(2, name="head")])
    >>> model.get_layer("features").trainable = False
    >>> frozen, rest = fc.models.split_frozen(model)
    >>> frozen.output_shape, [layer.name for layer in rest.layers[1:]]
    ((None, 8), ['head'])
    """
    if not isinstance(model, Model) or model.has_call or len(model.inputs) != 1:
        raise ArgumentError(f"split_frozen: expected a model with one input and without a call of its own, got "
                            f"{model!r}")
    structure = model._built_structure("split_frozen")
    fixed, later = {id(tensor) for tensor in structure.traced.inputs}, list[LayerCall]()
    for call in structure.traced.nodes:
        if all(id(tensor) in fixed for tensor in call.inputs) and _is_fixed(call):
            fixed.update(map(id, call.outputs))
        else:
            later.append(call)
    outputs = structure.traced.outputs
    read = [*(tensor for call in later for tensor in call.inputs), *outputs]
    cut = list({id(tensor): tensor for tensor in read if id(tensor) in fixed}.values())
    if any(tensor is outputs[0] for tensor in cut):
        raise ArgumentError(f"split_frozen: expected something in {model} that is left to be trained, got all of it "
                            f"frozen; leave its last layer trainable")
    if cut[0] is structure.traced.inputs[0]:
        raise ArgumentError(f"split_frozen: expected {model} to begin with frozen layers, got {later[0].layer}, which "
                            f"is trained or draws random numbers; freeze the first layers, too")
    if len(cut) > 1:
        raise ArgumentError(f"split_frozen: expected one layer at the end of what is frozen in {model}, got "
                            f"{', '.join(tensor.name for tensor in cut)}; freeze up to where branches are joined")
    return FrozenPart(Model(model.inputs[0], cut[0], name=f"{model.name}_frozen"), _from(cut[0], later, outputs, model))


def _is_fixed(call: LayerCall) -> bool:
    """Return whether a call gives the same for the same input, in every epoch."""
    if call.layer.trainable_weights:
        return False
    return call.training is False or not any(map(_differs_in_training, trace.leaves([call.layer])))


def _differs_in_training(layer: Any) -> bool:
    normalizes = isinstance(layer, layers.BatchNormalization) and layer.trainable  # one without gamma and beta
    return normalizes or isinstance(vars(layer).get("seed"), (int, np.integer))


def _from(cut: Tensor, later: list[LayerCall], outputs: list[Tensor], model: Model) -> Model:
    """Return the calls behind a tensor as a model that takes it."""
    begin = layers.Input(cut.shape[1:], dtype=model.dtype_policy, name=f"{model.name}_features")
    there = {id(cut): begin}
    for call in later:
        inputs = [there[id(tensor)] for tensor in call.inputs]
        call.layer(inputs if call.layer.many_inputs else inputs[0], training=call.training)
        there |= {id(tensor): other for tensor, other in zip(call.outputs, call.layer.nodes[-1].outputs, strict=True)}
    given: Any = [there[id(tensor)] for tensor in outputs]
    rest = Model(begin, given[0] if len(given) == 1 else given, name=f"{model.name}_rest")
    rest.seed, rest.orders = model.seed, model.orders
    return rest
