"""Rules for training alone: a node does the work of several layers in fewer passes over memory.

==================================================  ====================================================================
what is found                                       what runs in its place
==================================================  ====================================================================
a linear layer, then batch normalization, with      `ConvBatchNorm`: normalization and rectifier in one pass
ReLU or a leaky one after it or without
a linear layer, then a layer of an activation       the same layer with the activation as its own
a convolution, with ReLU or without, then max       `ConvMaxPool`: what no window sees is not computed
pooling without overlap
==================================================  ====================================================================
"""

from typing import Any

from fastcnn.activations import get
from fastcnn.graph.nodes.batch_interleaved import is_plain
from fastcnn.graph.nodes.conv_batch_norm import ConvBatchNorm
from fastcnn.graph.nodes.conv_max_pool import ConvMaxPool
from fastcnn.graph.rules.questions import has, is_activation, is_batch_norm, is_linear, is_rectifier, slope_of
from fastcnn.graph.rules.rule import Match, Rule
from fastcnn.traits import Trait


def _normalized(match: Match) -> Any:
    product, normalization, *rectifier = match.nodes
    return ConvBatchNorm(product, normalization, slope_of(rectifier[0]) if rectifier else 1.0)


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


NORMALIZED = (
    # With the rectifier first: the shorter pattern would leave it over.
    Rule("a linear layer, batch normalization, a rectifier", (is_linear, is_batch_norm, is_rectifier),
         _normalized, training=True),
    Rule("a linear layer, batch normalization", (is_linear, is_batch_norm), _normalized, training=True),
)
ACTIVATED = (
    Rule("a linear layer, an activation", (is_linear, is_activation), _activated, training=True),
    Rule("a convolution, max pooling", (has(Trait.CONV2D), has(Trait.MAX_POOL2D)),
         lambda match: ConvMaxPool(*match.nodes), _why_not_pooled, training=True),
)
