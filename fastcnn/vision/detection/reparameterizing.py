"""Parallel convolutions and their normalizations become one convolution, for predictions."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import padding_of
from fastcnn.graph.nodes.fused_conv import folded_bias, folded_kernel
from fastcnn.models import Model
from fastcnn.symbolic import LayerCall, Tensor


class _Branch(NamedTuple):
    """A way from a tensor to a sum: a convolution, batch normalization, or both."""

    source: Tensor
    convolution: Any
    normalization: Any
    calls: list[LayerCall]


def reparameterized(model: Model) -> Model:
    """Return a network for predictions whose parallel branches are one convolution each: RepVGG's re-parameterization.

    Where branches from one tensor end in one sum, all of them linear convolutions, batch normalizations or the one
    after the other, the sum is one convolution: a normalization is an affine map with the moving statistics, a 1 x 1
    filter is a 3 x 3 one with zeros around, and the tensor itself a filter bank with ones. So is a convolution with the
    normalization after it. The weights are those of now; training goes on with `model`.

    Parameters
    ----------
    model : Model
        Such as `yolo` makes it, with ``block="repvgg"`` or another.

    Returns
    -------
    Model
        With layers of its own. Predictions are equal but for rounding.

    Raises
    ------
    ArgumentError
        If it is no model, or is not built.

    References
    ----------
    Ding, Zhang, Ma, Han, Ding, Sun: RepVGG: making VGG-style ConvNets great again, CVPR 2021, section 3.3.

    Examples
    --------
    >>> cells = fc.vision.detection.YoloCells((32, 32), [[16, 16]])
    >>> model = fc.vision.detection.yolo(cells, classes=2, filters=4, block="repvgg")
    >>> small = fc.vision.detection.reparameterized(model)
    >>> sum(isinstance(layer, layers.BatchNormalization) for layer in small.layers)
    0
    """
    if not isinstance(model, Model) or model.traced is None:
        raise ArgumentError(f"reparameterized: expected a built model, got {model!r}")
    known = _Branches(model.traced)
    places: dict[int, list[_Branch]] = {}
    gone = set[int]()
    for call in reversed(model.traced.nodes):  # of a sum first: its branches are no places of their own then
        if id(call) not in gone and (found := known.ending_in(call)):
            places[id(call)] = found
            gone |= {id(one) for branch in found for one in branch.calls} - {id(call)}
    there: dict[int, Any] = {id(one): layers.Input(one.shape[1:], dtype=one.node.layer.dtype_policy, name=one.name)
                             for one in model.traced.inputs}
    again: dict[int, Any] = {}
    for call in model.traced.nodes:
        if id(call) in gone:
            continue
        if id(call) in places:
            outputs = [_convolution(places[id(call)], there)]
        else:
            outputs = _called_again(call, [there[id(one)] for one in call.inputs], again)
        there |= {id(old): new for old, new in zip(call.outputs, outputs, strict=True)}
    begin, end = ([there[id(one)] for one in some] for some in (model.traced.inputs, model.traced.outputs))
    return Model(begin[0] if len(begin) == 1 else begin, end[0] if len(end) == 1 else end, name=model.name)


def _called_again(call: LayerCall, inputs: list[Any], again: dict[int, Any]) -> Any:
    """Return the outputs of a layer's copy, which has its weights and is made once."""
    layer, known = call.layer, again.get(id(call.layer))
    if known is None:
        known = reparameterized(layer) if isinstance(layer, Model) else type(layer).from_config(layer.get_config())
        again[id(layer)] = known
    known(inputs if layer.many_inputs else inputs[0], call.training)
    if not isinstance(layer, Model):
        known.set_weights(layer.get_weights())
    return known.nodes[-1].outputs


class _Branches:
    """The calls of a model, and who reads what."""

    def __init__(self, traced: Any) -> None:
        self.makers = {id(tensor): call for call in traced.nodes for tensor in call.outputs}
        self.readers: dict[int, int] = {}
        for tensor in (*traced.outputs, *(one for call in traced.nodes for one in call.inputs)):
            self.readers[id(tensor)] = self.readers.get(id(tensor), 0) + 1

    def ending_in(self, call: LayerCall) -> list[_Branch]:
        """Return the branches of which a call is the sum or the end; none where they are no single convolution."""
        is_sum = type(call.layer) is layers.Add
        found = [self._branch(one) for one in call.inputs] if is_sum else [self._ending(call)]
        some = [one for one in found if one is not None]
        banks = [one.convolution for one in some if one.convolution is not None]
        whole = len(some) == len(found) and len({id(one.source) for one in some}) == 1 and bool(banks)
        if not whole or (not is_sum and some[0].normalization is None):
            return []
        strides = {one.strides for one in banks} | {(1, 1) for one in some if one.convolution is None}
        return some if len(strides) == 1 and len({one.output_shape for one in banks}) == 1 else []

    def _branch(self, tensor: Tensor) -> _Branch | None:
        call = self.makers.get(id(tensor))
        return None if call is None or self.readers[id(tensor)] > 1 else self._ending(call)

    def _ending(self, call: LayerCall) -> _Branch | None:
        """Return the branch that ends with a call."""
        if call.training:  # its normalization takes the statistics of the batch
            return None
        if _is_convolution(call.layer):
            return _Branch(call.inputs[0], call.layer, None, [call])
        if type(call.layer) is not layers.BatchNormalization:
            return None
        (source,) = call.inputs
        before = self.makers.get(id(source))
        if before is not None and _is_convolution(before.layer) and self.readers[id(source)] == 1:
            return _Branch(before.inputs[0], before.layer, call.layer, [call, before])
        return _Branch(source, None, call.layer, [call])


def _is_convolution(layer: Any) -> bool:
    return (type(layer) is layers.Conv2D and layer.activation is None and layer.groups == 1
            and layer.dilation_rate == (1, 1) and (layer.padding == "same" or layer.kernel_size == (1, 1))
            and None not in layer.input_shape[1:])


def _convolution(branches: list[_Branch], there: dict[int, Any]) -> Any:
    """Return the output of one convolution in the place of branches."""
    banks = [one.convolution for one in branches if one.convolution is not None]
    first = banks[0]
    h, w = (max(sides) for sides in zip(*(bank.kernel_size for bank in banks), strict=True))
    kernel, bias = np.zeros((h, w, first.input_shape[-1], first.output_shape[-1])), np.zeros(first.output_shape[-1])
    (top, _), (left, _) = _border(first, (h, w))
    for bank, normalization in ((one.convolution, one.normalization) for one in branches):
        if bank is None:
            scale, offset = normalization.channel_affine()
            kernel[top, left] += np.diag(np.broadcast_to(scale, bias.shape))
            bias += offset
            continue
        affines = [] if normalization is None else [normalization]
        (above, _), (before, _) = _border(first, bank.kernel_size)
        row, column = top - above, left - before
        kernel[row : row + bank.kernel_size[0], column : column + bank.kernel_size[1]] += folded_kernel(
            bank, affines, np.float64)
        bias += folded_bias(bank, affines)
    layer = layers.Conv2D(len(bias), (h, w), strides=first.strides, padding="same", name=first.name,
                          dtype=first.dtype_policy)
    y = layer(there[id(branches[0].source)])
    layer.set_weights([one.astype(first.variable_dtype) for one in (kernel, bias)])
    return y


def _border(layer: Any, window: tuple[int, int]) -> Any:
    """Return the zeros around an image for windows of a size, with strides of a layer."""
    return padding_of("same", layer.input_shape[1:3], window, layer.strides, (1, 1), str(layer))
