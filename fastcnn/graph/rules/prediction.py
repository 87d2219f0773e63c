"""Rules for prediction, where nothing has to find its way back: a model's graph, rewritten.

==================================================  ====================================================================
what is found                                       what runs in its place
==================================================  ====================================================================
dropout, noise, linear activations                  nothing
zeros around an image, then a convolution           the convolution with that padding
zeros around an image without negative numbers,     the pooling with that padding
then max pooling
a convolution or dense layer, then batch             `FusedConv`: one kernel call; normalizations are part of
normalizations, the sum with something else,         its weights, sum and bounds happen in registers
an activation: any of them, in this order
a 1x1 convolution, a depthwise one and a 1x1 one,   `InvertedResidual`: one kernel call, in which what
or the latter two, all ending in bounds             lies between stays in the cache of the core that makes it
batch normalization or a sum, then ReLU             `WithReLU`: one pass
==================================================  ====================================================================

As in training (`fastcnn.graph.rules.training`), of which the narrow runs stay, a node never covers a tensor that
somebody else reads. A convolution that takes a sum into itself runs where the sum did::

    a: Conv2D (0) -> 1        (a runs here)             FusedConv(b, a's sum) : y = relu(b(x) + a(x))
    b: Conv2D (0) -> 2   -->
    Add   (1, 2) -> 3         FusedConv (0, 1) -> 4
    ReLU     (3) -> 4
"""

import math
from typing import Any

from fastcnn.geometry import dimensions
from fastcnn.graph.nodes.batch_interleaved import BatchInterleaved
from fastcnn.graph.nodes.fused_conv import FusedConv, takes_addend
from fastcnn.graph.nodes.inverted_residual import InvertedResidual, is_expansion, is_pointwise, is_window
from fastcnn.graph.nodes.twins import with_border
from fastcnn.graph.nodes.with_relu import WithReLU
from fastcnn.graph.rules.training import PRODUCTS, chains, narrow_end
from fastcnn.graph.steps import Graph, Step
from fastcnn.layers import (
    Add,
    AlphaDropout,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    MaxPooling2D,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    ZeroPadding2D,
)
from fastcnn.layers.activation import function, is_activation

_NOTHING = {Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, AlphaDropout, GaussianNoise, GaussianDropout}


def for_prediction(graph: Graph, narrow: bool = True) -> Graph:
    """Return the graph that a prediction runs; `narrow` allows nodes that want a large batch."""
    graph = _without_nothing(graph)
    if narrow:
        graph = _with_narrow(graph)
    return _Rewriting(graph).result()


def _without_nothing(graph: Graph) -> Graph:
    """Leave out layers that do nothing in prediction: who read their output reads their input."""
    same = list(range(graph.slots))
    steps = []
    for step in graph.steps:
        inputs = tuple(same[slot] for slot in step.inputs)
        node = step.node
        if type(node) in _NOTHING or (is_activation(node) and node.function is None):
            same[step.outputs[0]] = inputs[0]
        else:
            steps.append(Step(node, inputs, step.outputs))
    return Graph(graph.inputs, [same[slot] for slot in graph.outputs], steps, graph.slots)


def _with_narrow(graph: Graph) -> Graph:
    """Put narrow runs in the place of chains, as training does."""
    steps: list[Step] = []
    for chain in chains(graph):
        nodes = [step.node for step in chain]
        at = 0
        while at < len(chain):
            end = narrow_end(nodes, at) if chain[at].is_link else at
            if end > at:
                steps.append(Step(BatchInterleaved(nodes[at:end]), chain[at].inputs, chain[end - 1].outputs))
            else:
                end = at + 1
                steps.append(chain[at])
            at = end
    return Graph(graph.inputs, graph.outputs, steps, graph.slots)


class _Rewriting:
    """The steps rewritten so far, and which of them made a slot."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.readers = graph, graph.readers()
        self.made: dict[int, Step] = {}  # steps by the slot they write, in the order in which they run

    def result(self) -> Graph:
        """Return the graph after all rules have been applied to each step in turn."""
        for step in self.graph.steps:
            self._take(step)
        for step in list(self.made.values()):
            self._join_blocks(step)
        seen: dict[int, Step] = {id(step): step for step in self.made.values()}
        for step in seen.values():
            if isinstance(step.node, FusedConv):
                step.node = step.node.plain()
        return Graph(self.graph.inputs, self.graph.outputs, list(seen.values()), self.graph.slots)

    def _join_blocks(self, step: Step) -> None:
        """Let a 1x1 convolution take the depthwise one before it into itself, and the 1x1 before that."""
        window = self._reads_alone(step) if is_pointwise(step.node) else None
        if window is None or not is_window(window.node):
            return
        expand = self._reads_alone(window)
        if expand is not None and not is_expansion(expand.node):
            expand = None
        before = window if expand is None else expand
        step.node = InvertedResidual(None if expand is None else expand.node, window.node, step.node)
        step.inputs = (before.inputs[0], *step.inputs[1:])
        for gone in (window, before):
            self.made.pop(gone.outputs[0], None)

    def _reads_alone(self, step: Step) -> Step | None:
        """Return the step that made the first input of a step which alone reads it."""
        return self.made.get(step.inputs[0]) if self.readers[step.inputs[0]] == 1 else None

    def _take(self, step: Step) -> None:
        node, before = step.node, self._only_reader(step)
        if type(node) in PRODUCTS:
            self._put(self._padded(step, FusedConv(node), before))
        elif type(node) is MaxPooling2D:
            self._put(self._pooled(step, before))
        elif type(node) is BatchNormalization and before is not None and _is_open(before.node):
            before.node.norms.append(node)
            self._move(before, step)
        else:
            sums = type(node) is Add and len(step.inputs) == 2
            if not ((sums and self._added(step)) or (is_activation(node) and self._activated(step, before))):
                self._put(Step(node, step.inputs, step.outputs))

    def _only_reader(self, step: Step) -> Step | None:
        """Return the step that made the input of a step which alone reads it; None if there is no such one."""
        if len(step.inputs) != 1 or self.readers[step.inputs[0]] != 1:
            return None
        return self.made.get(step.inputs[0])

    def _put(self, step: Step) -> None:
        for slot in step.outputs:
            self.made[slot] = step

    def _move(self, before: Step, step: Step) -> None:
        """Let an earlier step write what a step writes, whose work it does."""
        for slot in before.outputs:
            del self.made[slot]
        before.outputs = step.outputs
        self._put(before)

    def _padded(self, step: Step, node: FusedConv, before: Step | None) -> Step:
        """Return the step of a product, with the zeros of a layer before it as its own."""
        if before is None or type(before.node) is not ZeroPadding2D or type(node.product) not in (
                Conv2D, DepthwiseConv2D):
            return Step(node, step.inputs, step.outputs)
        layer, zeros = node.product, before.node
        sides = dimensions.padding_of(layer.padding, zeros.output_shape[1:3], layer.kernel_size, layer.strides,
                                      layer.dilation_rate, str(layer))
        node.border, node.input_shape = _sum(sides, zeros.border), zeros.input_shape
        del self.made[before.outputs[0]]
        return Step(node, before.inputs, step.outputs)

    def _pooled(self, step: Step, before: Step | None) -> Step:
        """Return the step of max pooling; zeros are no larger than anything that is not negative."""
        pooling = step.node
        if before is not None and type(before.node) is ZeroPadding2D and pooling.padding == "valid":
            source = self.made.get(before.inputs[0])
            whole = not pooling.ceil_mode and pooling.dilation_rate == (1, 1)
            small = all(a < size and b < size for (a, b), size in zip(before.node.border, pooling.pool_size,
                                                                      strict=True))
            if source is not None and _lowest(source.node) >= 0 and whole and small:
                del self.made[before.outputs[0]]
                twin = with_border(pooling, before.node.border, before.node.input_shape)
                return Step(twin, before.inputs, step.outputs)
        return Step(pooling, step.inputs, step.outputs)

    def _added(self, step: Step) -> bool:
        """Let the later of two products that are summed take the sum into itself; return whether one does."""
        order = list(self.made)
        for slot in sorted(step.inputs, key=lambda s: order.index(s) if s in self.made else -1, reverse=True):
            before = self.made.get(slot)
            other = step.inputs[1] if slot == step.inputs[0] else step.inputs[0]
            if before is None or other == slot or self.readers[slot] != 1 or not _is_open(before.node):
                continue
            if takes_addend(before.node.product) and len(set(step.node.input_shape)) == 1:
                before.node.adds = True
                before.inputs = (before.inputs[0], other)
                self._move(before, step)
                return True
        return False

    def _activated(self, step: Step, before: Any) -> bool:
        """Let the step before take an activation into itself; return whether it does."""
        node = None if before is None else before.node
        if isinstance(node, FusedConv) and node.activation is None and node.product.activation is None:
            node.activation = step.node.function
        elif type(node) in (BatchNormalization, Add) and step.node.function is function("relu"):
            before.node = WithReLU(node)
        else:
            return False
        self._move(before, step)
        return True


def _lowest(node: Any) -> float:
    """Return a bound that no number of a node's output is below."""
    return node.lowest if isinstance(node, (FusedConv, WithReLU)) else -math.inf


def _is_open(node: Any) -> bool:
    return isinstance(node, FusedConv) and node.is_open


def _sum(sides: Any, more: Any) -> Any:
    return tuple((a + c, b + d) for (a, b), (c, d) in zip(sides, more, strict=True))
