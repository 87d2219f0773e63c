"""Rules for training: the chains of a model's graph, rewritten into nodes that do several layers' work in one pass.

==================================================  ====================================================================
what is found                                       what runs in its place
==================================================  ====================================================================
convolutions with few channels, with activations    `BatchInterleaved`: images in the lanes of vectors, the run
and poolings without overlap                        within L2, where a batch fills the lanes
a linear convolution or dense layer, then a layer   the same layer with the activation as its own
of an activation
a convolution, with ReLU or without, then max       `ConvMaxPool`: what no window sees is not computed
pooling without overlap
a linear layer, then batch normalization, with or    `ConvBatchNorm`: one pass fewer
without ReLU after it
a softmax at the end of the model, when it is       its logits, for the loss that takes both together
trained with cross-entropy
==================================================  ====================================================================

The model's own layers, their parameters and what a user sees of them do not change: nodes refer to the layers. A node
never covers a tensor that somebody else reads: a chain is a run of steps each of which the next alone reads. The
result is the same to rounding with ``fastcnn.config.set_fusion(False)``.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastcnn import config, device, geometry
from fastcnn.graph.nodes.batch_interleaved import BatchInterleaved, stages_of
from fastcnn.graph.nodes.conv_batch_norm import ConvBatchNorm
from fastcnn.graph.nodes.conv_max_pool import ConvMaxPool
from fastcnn.graph.nodes.twins import with_activation
from fastcnn.graph.steps import Graph, Step
from fastcnn.layers import (
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Dense,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Layer,
    SeparableConv1D,
    SeparableConv2D,
)
from fastcnn.layers.activation import SoftmaxFunction, function, is_activation

#: A run is narrow while what a block of images saves, and the sums of its gradients, are about L2's size (vectors of 64
#: bytes), and no convolution has more channels in times channels out; wider layers fill vectors with channels. Where
#: Winograd's algorithm may run, it is faster from half of that on (32 to 64 channels: 14.6 ms a step against 18.2).
_LARGEST = 24576
_WIDEST, _WIDEST_BESIDE_WINOGRAD = 2048, 1024

#: The layers that take an activation or a folded normalization; not what a user derives from them.
PRODUCTS = {Dense, Conv1D, Conv2D, Conv3D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D,
             Conv1DTranspose, Conv2DTranspose, Conv3DTranspose}


def fused(graph: Graph, narrow: bool = True) -> Graph:
    """Return a graph with the nodes that run in place of its chains; `narrow` allows those that want a large batch."""
    steps: list[Step] = []
    for chain in chains(graph):
        if len(chain) == 1 and not chain[0].is_link:
            steps += chain
            continue
        begin = 0
        for node, end in pieces([step.node for step in chain], narrow):
            first, last, begin = chain[begin], chain[end - 1], end
            steps.append(Step(node, first.inputs, last.outputs, first.training, last.regularizer, first.use))
    return Graph(graph.inputs, graph.outputs, steps, graph.slots)


def chains(graph: Graph) -> list[list[Step]]:
    """Cut the steps into runs in which each step's output is read by the next step alone; other steps stand alone."""
    readers = graph.readers()
    found: list[list[Step]] = []
    ends: dict[int, list[Step]] = {}  # chains by the slot they end in
    for step in graph.steps:
        before = ends.pop(step.inputs[0], None) if step.is_link and readers[step.inputs[0]] == 1 else None
        if before is not None and before[-1].regularizer is None and before[-1].training == step.training:
            before.append(step)
        else:
            before = [step]
            found.append(before)
        if step.is_link:
            ends[step.outputs[0]] = before
    # A chain runs where its last step was: until then nobody reads it, and what it reads is there.
    position = {id(step): at for at, step in enumerate(graph.steps)}
    return sorted(found, key=lambda chain: position[id(chain[-1])])


def pieces(layers: Sequence[Layer], narrow: bool) -> Iterator[tuple[Any, int]]:
    """Yield the nodes that run in place of a chain of built layers, each with the index after the last it stands for.

    `narrow` allows those that want a large batch.
    """
    at = 0
    while at < len(layers):
        end = narrow_end(layers, at) if narrow else at
        if end > at:
            yield BatchInterleaved(layers[at:end]), end
            at = end
            continue
        node: Any = layers[at]
        at += 1
        if _is_normalized(layers, at - 1):
            relu = at + 1 < len(layers) and _is_relu(layers[at + 1])
            node = ConvBatchNorm(node, layers[at], relu)  # type: ignore[arg-type]
            at += 2 if relu else 1
            yield node, at
            continue
        if at < len(layers) and _takes_activation(node, layers[at]):
            node = with_activation(node, layers[at].function)  # type: ignore[attr-defined]
            at += 1
        if at < len(layers) and ConvMaxPool.suits(node, layers[at]):
            node = ConvMaxPool(node, layers[at])  # type: ignore[arg-type]
            at += 1
        yield node, at


def without_softmax(graph: Graph, which: Sequence[int]) -> Graph | None:
    """Return the graph without the softmax that some of its outputs come from; None if one of them has none.

    Parameters
    ----------
    graph : Graph
    which : sequence of int
        Outputs of shape (N, ..., classes) that nobody else reads.
    """
    readers, steps, outputs = graph.readers(), list(graph.steps), list(graph.outputs)
    for k in which:
        at = next((at for at, step in enumerate(steps) if outputs[k] in step.outputs), None)
        if at is None or readers[outputs[k]] != 1 or not steps[at].is_link or steps[at].regularizer is not None:
            return None
        step, layer = steps[at], steps[at].node
        if type(layer) in PRODUCTS and _is_softmax(layer.activation, layer):
            steps[at] = Step(with_activation(layer, None), step.inputs, step.outputs, step.training)
        elif is_activation(layer) and _is_softmax(layer.function, layer) and len(steps) > 1:
            del steps[at]
            outputs[k] = step.inputs[0]
        else:
            return None
    return Graph(graph.inputs, outputs, steps, graph.slots)


def _is_softmax(function: Any, layer: Layer) -> bool:
    """Whether a function is the softmax over the last axis."""
    if type(function) is not SoftmaxFunction or function.log:
        return False
    rank = len(layer.output_shape)
    return function.axes(rank, layer) == [rank - 1]


def _takes_activation(layer: Layer, after: Any) -> bool:
    return _is_linear(layer) and is_activation(after) and after.function is not None


def _is_relu(layer: Any) -> bool:
    return is_activation(layer) and layer.function is function("relu")


def _is_linear(layer: Any) -> bool:
    return type(layer) in PRODUCTS and layer.activation is None


def _is_normalized(layers: Sequence[Layer], at: int) -> bool:
    """Whether a linear layer stands at `at`, and batch normalization after it."""
    return at + 1 < len(layers) and _is_linear(layers[at]) and type(layers[at + 1]) is BatchNormalization


def narrow_end(layers: Sequence[Layer], begin: int) -> int:
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
    return batch >= _lanes(dtype)


@functools.cache
def _lanes(dtype: Any) -> int:
    """Ask the kernels once: every step of a training asks."""
    return device.cpu.kernels.lanes_of_block(dtype)
