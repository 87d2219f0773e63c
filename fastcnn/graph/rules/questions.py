"""Questions that patterns ask about a node, answered by the traits it declares.

Parameters
----------
node : object
    A layer, or what runs in the place of several.
"""

from collections.abc import Callable
from typing import Any

from fastcnn.activations import get
from fastcnn.graph.rules.rule import Match
from fastcnn.kernels import codes
from fastcnn.operations.activation import clamp_of
from fastcnn.operations.batch_normalization import RELU, Rectifier
from fastcnn.traits import NONE, Trait, of


def has(traits: Trait) -> Callable[[Any], bool]:
    """Return a question: whether a node has all of these traits.

    Parameters
    ----------
    traits : Trait
    """
    return lambda node: traits in of(node)


def is_product(node: Any) -> bool:
    """Return whether a node is a convolution or a dense layer."""
    return Trait.PRODUCT in of(node)


def is_batch_norm(node: Any) -> bool:
    """Return whether a node is a batch normalization."""
    return Trait.BATCH_NORM in of(node)


def is_channel_affine(node: Any) -> bool:
    """Return whether a node multiplies each channel by a number and adds another, in prediction."""
    return Trait.CHANNEL_AFFINE in of(node) and getattr(node, "is_by_channel", True)


def is_sum(node: Any) -> bool:
    """Return whether a node adds its inputs."""
    return Trait.SUM in of(node)


def is_linear(node: Any) -> bool:
    """Return whether a node is a product to which no activation has been applied yet."""
    return is_product(node) and node.activation is None


def is_affine(node: Any) -> bool:
    """Return whether a node is an affine map of its one input."""
    return is_linear(node) and not node.many_inputs


def is_activation(node: Any) -> bool:
    """Return whether a node only applies its `function`, and that is one of fastcnn's."""
    return Trait.POINTWISE in of(node) and node.function is not None and of(node.function) is not NONE


def is_relu(node: Any) -> bool:
    """Return whether a node is ReLU."""
    return is_activation(node) and node.function is get("relu")


def is_rectifier(node: Any) -> bool:
    """Return whether a node is ReLU, one with a ceiling, or a leaky one: `rectifier_of` tells which."""
    if not is_activation(node) or Trait.BY_CODE not in of(node.function):
        return False
    function = node.function
    return function.code == codes.RELU or (function.code in (codes.CLIP, codes.LEAKY_RELU) and function.beta == 0)


def is_bounded_rectifier(node: Any) -> bool:
    """Return whether a node is ReLU, or one with a ceiling."""
    return is_rectifier(node) and rectifier_of(node).slope == 0


def rectifier_of(node: Any) -> Rectifier:
    """Return what a rectifier does."""
    function = node.function
    if function.code == codes.RELU:
        return RELU
    return Rectifier(0.0, function.alpha) if function.code == codes.CLIP else Rectifier(function.alpha)


def is_idle(node: Any) -> bool:
    """Return whether a node returns its input in prediction."""
    return Trait.IDLE in of(node) or (Trait.POINTWISE in of(node) and node.function is None)


def ends_in_clamp(node: Any) -> bool:
    """Return whether a node is a product without an activation, or with one that is a clamp."""
    return is_product(node) and clamp_of(node.activation) is not None


def ends_in_epilogue(node: Any) -> bool:
    """Return whether a node is a product without an activation, or with one that kernels may apply before they end."""
    if ends_in_clamp(node):
        return True
    return (is_product(node) and Trait.BY_CODE in of(node.activation)
            and node.activation.code in codes.EPILOGUES)


def is_not_negative(node: Any) -> bool:
    """Return whether a node promises that no result is below 0."""
    if Trait.NOT_NEGATIVE in of(node):
        return True
    clamp = clamp_of(node.activation) if is_product(node) else None
    return clamp is not None and clamp[0] >= 0


def is_softmax(function: Any, node: Any) -> bool:
    """Return whether a function is the softmax over the last axis of a node's output.

    Parameters
    ----------
    function : Function or None
    node : object
    """
    rank = len(node.output_shape)
    return Trait.SOFTMAX in of(function) and not function.log and function.axes(rank, node) == [rank - 1]


def why_not_added(match: Match) -> str | None:
    """Return why a product before a sum cannot add the other summand at the place where it stores a result.

    Parameters
    ----------
    match : Match
        The product, the sum, and what may follow.
    """
    shapes = match.nodes[1].input_shape
    if len(shapes) != 2:
        return f"the sum has {len(shapes)} inputs, and takes two"
    return None if shapes[0] == shapes[1] else "the residual is broadcast"
