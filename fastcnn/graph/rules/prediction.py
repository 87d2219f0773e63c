"""Rules for prediction alone, where no backward pass follows.

==================================================  ====================================================================
what is found                                       what runs in its place
==================================================  ====================================================================
dropout, noise, linear activations                  nothing
a convolution or dense layer, then batch             `FusedConv`: one kernel call; normalizations and scales are part
normalizations and scales, the sum with something    of its weights, sum and bounds happen in registers, zeros are a
else, an activation; zeros around the image before   padding
zeros around an image without negative numbers,     the pooling with that padding
then max pooling
a 1x1 convolution, a depthwise one and a 1x1 one,   `InvertedResidual`: one kernel call, in which what lies between
or two of them, with activations as silu or clamps  stays in the cache of the core that makes it
batch normalization or a sum, then ReLU             `WithReLU`: one pass
batch normalization with ReLU, or a gate of the     `ScaledConv`: one kernel call, which scales the channels where it
channels, then a 1x1 convolution                    reads them
==================================================  ====================================================================

A convolution that absorbs a sum moves to the place of the sum, where both inputs are there::

    a: Conv2D (0) -> 1        (a runs here)             FusedConv(b, a's sum) : y = relu(b(x) + a(x))
    b: Conv2D (0) -> 2   -->
    Add   (1, 2) -> 3         FusedConv (0, 1) -> 4
    ReLU     (3) -> 4
"""

from typing import Any

from fastcnn.graph.nodes.fused_conv import FusedConv
from fastcnn.graph.nodes.inverted_residual import InvertedResidual
from fastcnn.graph.nodes.scaled_conv import ScaledConv
from fastcnn.graph.nodes.with_relu import WithReLU
from fastcnn.graph.rules.borders import bordered_pool, why_not_bordered_pool
from fastcnn.graph.rules.questions import (
    ends_in_epilogue,
    has,
    is_activation,
    is_affine,
    is_channel_affine,
    is_idle,
    is_linear,
    is_product,
    is_relu,
    is_sum,
    why_not_added,
)
from fastcnn.graph.rules.rule import Match, Rule
from fastcnn.traits import Trait, of

_COLOURS = 4  # channels of an image at most; with more, a convolution of large windows is better off alone


# --- what joins a convolution or dense layer --------------------------------------------------------------------------


def _scaled(match: Match) -> Any:
    return FusedConv.of(match.nodes[0]).with_affine(match.nodes[1])


def _bordered(match: Match) -> Any:
    return FusedConv.of(match.nodes[1]).with_border(match.nodes[0])


def _takes_residual(node: Any) -> bool:
    return is_affine(node) and Trait.TAKES_RESIDUAL in of(node)


def _activated(match: Match) -> Any:
    return FusedConv.of(match.nodes[0]).with_activation(match.nodes[1].function)


# --- inverted residuals -----------------------------------------------------------------------------------


def _ended(node: Any, trait: Trait) -> Any:
    """Return the layer of a product, if it has a trait and kernels can apply its activation, else None."""
    layer = FusedConv.of(node).product if ends_in_epilogue(node) else None
    return layer if trait in of(layer) else None


def _is_pointwise(node: Any) -> bool:
    """Return whether a node is a 1x1 convolution that can end a block, or begin one."""
    layer = _ended(node, Trait.CONV2D)
    return (layer is not None and FusedConv.of(node).border is None and layer.groups == 1
            and layer.kernel_size == layer.strides == (1, 1) and layer.input_shape[1:3] == layer.output_shape[1:3])


def _is_expansion(node: Any) -> bool:
    """Return whether a node is a 1x1 convolution that can begin a block, or an image's first one, of any window."""
    layer = _ended(node, Trait.CONV2D)
    if layer is None or node.many_inputs:
        return False
    return _is_pointwise(node) or (layer.groups == 1 and layer.input_shape[-1] <= _COLOURS)


def _is_window(node: Any) -> bool:
    """Return whether a node is a depthwise convolution that can stand in a block, one filter a channel."""
    layer = _ended(node, Trait.DEPTHWISE2D)
    return (layer is not None and not node.many_inputs and layer.depth_multiplier == 1
            and layer.dilation_rate == (1, 1))


def _inverted(match: Match) -> Any:
    *expand, window, project = map(FusedConv.of, match.nodes)
    return InvertedResidual(expand[0] if expand else None, window, project)


# --- 1x1 convolutions of scaled channels ------------------------------------------------------------------------------


def _is_scale(node: Any) -> bool:
    """Return whether a node is a normalization with ReLU, or a product of its inputs."""
    return bool((Trait.AFFINE_RELU | Trait.MULTIPLICATION) & of(node))


def _is_any_pointwise(node: Any) -> bool:
    """Return whether a node is a 1x1 convolution with stride 1, whatever it ends in."""
    if not is_product(node):
        return False
    fused = FusedConv.of(node)
    layer = fused.product
    return (Trait.CONV2D in of(layer) and fused.border is None and layer.groups == 1
            and layer.kernel_size == layer.strides == (1, 1) and layer.input_shape[1:3] == layer.output_shape[1:3])


def _why_not_scaled(match: Match) -> str | None:
    """Return why a convolution cannot scale what it reads."""
    scale = match.nodes[0]
    if match.steps[0].rounds:
        return "they compute in bfloat16"
    if not scale.many_inputs:
        return None
    shapes = scale.input_shape
    if len(shapes) != 2:
        return f"the product has {len(shapes)} inputs, and takes two"
    (_, *pixels, c), gate = shapes[0], shapes[1]
    suits = gate in {(None, *[1] * len(pixels), c), (None, c)}
    return None if suits else "the product has no number for each channel second"


IDLE = (Rule("dropout, noise, linear activations", (is_idle,), None, prediction=True),)
FOLDED = (Rule("a convolution or dense layer, batch normalization or a scale", (is_affine, is_channel_affine),
               _scaled, prediction=True),)
JOINED = (
    Rule("zeros, a convolution", (has(Trait.ZERO_BORDER2D), has(Trait.PRODUCT | Trait.TAKES_BORDER)), _bordered,
         prediction=True),
    Rule("a convolution or dense layer, a sum", (_takes_residual, is_sum),
         lambda match: FusedConv.of(match.nodes[0]).with_residual(), why_not_added, prediction=True),
    Rule("a convolution or dense layer, an activation", (is_linear, is_activation), _activated, prediction=True),
    Rule("batch normalization or a sum, ReLU", (has(Trait.TAKES_RELU), is_relu),
         lambda match: WithReLU(match.nodes[0]), prediction=True),
    Rule("zeros, max pooling", (has(Trait.ZERO_BORDER2D), has(Trait.MAX_POOL2D | Trait.TAKES_BORDER)), bordered_pool,
         why_not_bordered_pool, prediction=True),
    Rule("an inverted residual", (_is_expansion, _is_window, _is_pointwise), _inverted, prediction=True,
         or_pattern=(_is_window, _is_pointwise)),
    Rule("an expansion and a depthwise convolution", (_is_expansion, _is_window),
         lambda match: InvertedResidual(FusedConv.of(match.nodes[0]), FusedConv.of(match.nodes[1]), None),
         prediction=True),
    Rule("batch normalization with ReLU or a gate, a 1x1 convolution", (_is_scale, _is_any_pointwise),
         lambda match: ScaledConv(match.nodes[0], FusedConv.of(match.nodes[1])), _why_not_scaled, prediction=True),
)
