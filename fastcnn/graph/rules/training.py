"""Rules for training alone: a node does the work of several layers in fewer passes over memory.

==================================================  ====================================================================
what is found                                       what runs in its place
==================================================  ====================================================================
zeros around the image before a convolution, or     the layer with that padding
before max pooling of numbers that are not negative
a linear layer, then batch normalization, with or   `ConvBatchNorm`: normalization, sum and rectifier in one pass
without ReLU, ReLU6 or a leaky one after it, or the
sum with something else, with or without the former
the former without a sum, then max pooling without  `ConvBatchNormMaxPool`: what lies between is never stored
overlap
batch normalization or a sum, then ReLU             `WithReLU`: one pass
a linear layer, then a layer of an activation       the same layer with the activation as its own
a convolution, with ReLU or without, then max       `ConvMaxPool`: what no window sees is not computed
pooling without overlap
the channels of two images, a convolution           `JoinedConv`: both are read and written where they lie
==================================================  ====================================================================
"""

from collections.abc import Sequence
from typing import Any

from fastcnn.activations import get
from fastcnn.graph.nodes.batch_interleaved import is_plain
from fastcnn.graph.nodes.conv_batch_norm import ConvBatchNorm
from fastcnn.graph.nodes.conv_max_pool import ConvMaxPool
from fastcnn.graph.nodes.joined_conv import JoinedConv
from fastcnn.graph.nodes.with_relu import WithReLU
from fastcnn.graph.rules.borders import bordered_pool, why_not_bordered_pool, with_border
from fastcnn.graph.rules.questions import (
    has,
    is_activation,
    is_batch_norm,
    is_bounded_rectifier,
    is_linear,
    is_rectifier,
    is_relu,
    is_sum,
    rectifier_of,
    why_not_added,
)
from fastcnn.graph.rules.rule import Match, Rule
from fastcnn.operations.activation import clamp_of
from fastcnn.operations.batch_normalization import NO_RECTIFIER, Rectifier
from fastcnn.traits import Trait, of


def _normalized(match: Match) -> Any:
    product, normalization, *rectifier = match.nodes
    return ConvBatchNorm(product, normalization, _after(rectifier))


def _after(rectifiers: Sequence[Any]) -> Rectifier:
    return rectifier_of(rectifiers[0]) if rectifiers else NO_RECTIFIER


def _activated(match: Match) -> Any:
    product, activation = match.nodes
    # A copy of the layer with the same parameters: the user's own keeps its activation.
    return product.replaced(activation=activation.function)


def _why_not_pooled(match: Match) -> str | None:
    convolution, pooling = match.nodes
    if not is_plain(convolution):
        return f"{convolution.name} has strides, dilation or groups"
    if convolution.activation not in (None, get("relu")):
        return f"{convolution.name} has another activation than ReLU"
    return None if pooling.whole else f"{pooling.name} has windows that overlap, or a border"


def _takes_addend(node: Any) -> bool:
    return Trait.NORMALIZED_PRODUCT in of(node) and node.rectifier == NO_RECTIFIER


def _why_not_pooled_inside(match: Match) -> str | None:
    pooling = match.nodes[1]
    return None if pooling.whole else f"{pooling.name} has windows that overlap, or a border"


def _why_not_joined(match: Match) -> str | None:
    concatenation, convolution = match.nodes
    rank = len(concatenation.output_shape)
    if len(concatenation.input_shape) != 2 or concatenation.axis % rank != rank - 1:
        return f"{concatenation.name} joins something else than the channels of two images"
    if not is_plain(convolution) or convolution.kernel_size != (3, 3):
        return f"{convolution.name} has other windows than 3 x 3, strides, dilation or groups"
    return None if clamp_of(convolution.activation) else f"{convolution.name} has another activation than a clamp"


def _summed(match: Match) -> Any:
    return match.nodes[0].with_sum(_after(match.nodes[2:]))


BORDERED = (
    Rule("zeros, a convolution, in training", (has(Trait.ZERO_BORDER2D), has(Trait.PRODUCT | Trait.TAKES_BORDER)),
         with_border, training=True),
)
NORMALIZED = (
    # With the rectifier first: the shorter pattern would leave it over.
    Rule("a linear layer, batch normalization, a rectifier", (is_linear, is_batch_norm, is_rectifier),
         _normalized, training=True),
    Rule("a linear layer, batch normalization", (is_linear, is_batch_norm), _normalized, training=True),
    Rule("batch normalization, a sum, a rectifier", (_takes_addend, is_sum, is_bounded_rectifier), _summed,
         why_not_added, training=True),
    Rule("batch normalization, a sum", (_takes_addend, is_sum), _summed, why_not_added, training=True),
    Rule("batch normalization, max pooling", (has(Trait.NORMALIZED_PRODUCT), has(Trait.MAX_POOL2D)),
         lambda match: match.nodes[0].with_pooling(match.nodes[1]), _why_not_pooled_inside, training=True),
    Rule("zeros, max pooling, in training", (has(Trait.ZERO_BORDER2D), has(Trait.MAX_POOL2D | Trait.TAKES_BORDER)),
         bordered_pool, why_not_bordered_pool, training=True),
)
ACTIVATED = (
    Rule("a linear layer, an activation", (is_linear, is_activation), _activated, training=True),
    Rule("batch normalization or a sum, ReLU, in training", (has(Trait.TAKES_RELU), is_relu),
         lambda match: WithReLU(match.nodes[0]), training=True),
    Rule("a convolution, max pooling", (has(Trait.CONV2D), has(Trait.MAX_POOL2D)),
         lambda match: ConvMaxPool(*match.nodes), _why_not_pooled, training=True),
    Rule("two images, a convolution", (has(Trait.CONCATENATION), has(Trait.CONV2D)),
         lambda match: JoinedConv(*match.nodes), _why_not_joined, training=True),
)
