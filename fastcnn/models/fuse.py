"""Fusion: a model's chain of layers, rewritten into nodes that do several layers' work in one pass.

==================================================  ====================================================================
what is found                                       what runs in its place
==================================================  ====================================================================
convolutions with few channels, with activations    `layers.fused.Narrow`: images in the lanes of vectors, the run
and poolings without overlap                        within L2, where a batch fills the lanes
a linear convolution or dense layer, then a layer   the same layer with the activation as its own
of an activation
a convolution, with ReLU or without, then max       `layers.fused.Pooled`: what no window sees is not computed
pooling without overlap
a linear layer, then batch normalization, with or    `layers.fused.Normalized`: one pass fewer in training, none in
without ReLU after it                               prediction
a softmax at the end of the model, when it is       its logits, for the loss that takes both together
trained with cross-entropy
==================================================  ====================================================================

The model's own layers, their parameters and what a user sees of them do not change: nodes refer to the layers. A node
never covers a tensor that somebody else reads; in a chain only the next layer does. The result is the same to
rounding with ``fastcnn.config.set_fusion(False)``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import config, device, geometry
from fastcnn.layers import BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Layer
from fastcnn.layers.activation import SoftmaxFunction, function
from fastcnn.layers.fused import Narrow, Normalized, Pooled, stages_of, with_activation

#: A run is narrow while what a block of images saves, and the sums of its gradients, are about L2's size (vectors of 64
#: bytes), and no convolution has more channels in times channels out; wider layers fill vectors with channels. Where
#: Winograd's algorithm may run, it is faster from half of that on (32 to 64 channels: 14.6 ms a step against 18.2).
_LARGEST = 24576
_WIDEST, _WIDEST_BESIDE_WINOGRAD = 2048, 1024


def fuse(layers: Sequence[Layer], narrow: bool = True) -> list[Any]:
    """Return the nodes that run in place of a chain of built layers; `narrow` allows those that want a large batch."""
    nodes: list[Any] = []
    at = 0
    while at < len(layers):
        end = _narrow_end(layers, at) if narrow else at
        if end > at:
            nodes.append(Narrow(layers[at:end]))
            at = end
            continue
        node: Any = layers[at]
        at += 1
        if _is_normalized(layers, at - 1):
            relu = at + 1 < len(layers) and getattr(layers[at + 1], "function", None) is function("relu")
            nodes.append(Normalized(node, layers[at], relu))  # type: ignore[arg-type]
            at += 2 if relu else 1
            continue
        if at < len(layers) and _takes_activation(node, layers[at]):
            node = with_activation(node, layers[at].function)  # type: ignore[attr-defined]
            at += 1
        if at < len(layers) and Pooled.suits(node, layers[at]):
            node = Pooled(node, layers[at])  # type: ignore[arg-type]
            at += 1
        nodes.append(node)
    return nodes


def logits(layers: Sequence[Layer]) -> list[Layer] | None:
    """Return the chain without the softmax at its end, or None if it ends otherwise."""
    last = layers[-1]
    if isinstance(last, (Dense, Conv2D)) and _is_softmax(last.activation) and len(last.output_shape) == 2:
        return [*layers[:-1], with_activation(last, None)]
    if _is_softmax(getattr(last, "function", None)) and len(layers) > 1 and len(last.output_shape) == 2:
        return list(layers[:-1])
    return None


def _is_softmax(function: Any) -> bool:
    return isinstance(function, SoftmaxFunction) and not function.log


def _takes_activation(layer: Layer, after: Layer) -> bool:
    return _is_linear(layer) and getattr(after, "function", None) is not None


def _is_linear(layer: Any) -> bool:
    return type(layer) in (Conv2D, DepthwiseConv2D, Dense) and layer.activation is None


def _is_normalized(layers: Sequence[Layer], at: int) -> bool:
    """Whether a linear layer stands at `at`, and batch normalization after it."""
    return at + 1 < len(layers) and _is_linear(layers[at]) and isinstance(layers[at + 1], BatchNormalization)


def _narrow_end(layers: Sequence[Layer], begin: int) -> int:
    """Return where the longest run of narrow stages that begins here ends; `begin` if there is none."""
    end = begin
    for to in range(begin + 1, len(layers) + 1):
        try:
            stages = stages_of(layers[begin:to])
        except ValueError:
            break
        if not _is_narrow(layers[begin:to], stages):
            break
        if not _is_normalized(layers, to - 1):
            end = to
    return end


def _is_narrow(layers: Sequence[Layer], stages: tuple[geometry.LaneStage, ...]) -> bool:
    if not all(layer.trainable for layer in layers):
        return False
    g = geometry.lanes((1, *layers[0].input_shape[1:]), stages)
    wide = any(_is_wide(layer) for layer in layers if isinstance(layer, Conv2D))
    return not wide and max(g[0]["saved"], g[0]["weights"], (g["oh"] * g["ow"] * g["k"]).max()) <= _LARGEST


def _is_wide(layer: Conv2D) -> bool:
    _, h, w, c = layer.input_shape
    if c * layer.filters > _WIDEST:
        return True
    some = geometry.conv2d((64, h, w, c), layer.filters, layer.kernel_size, layer.strides, layer.padding)
    winograd = (config.winograd() and layer.dtype == np.float32
                and device.cpu.kernels.winograd_forward_suits(some, False))
    return winograd and c * layer.filters > _WIDEST_BESIDE_WINOGRAD


def fills_lanes(batch: int, dtype: Any) -> bool:
    """Return whether a batch is large enough for nodes whose lanes are images."""
    return batch >= device.cpu.kernels.lanes_of_block(dtype)
