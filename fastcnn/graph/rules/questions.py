"""Questions that patterns ask about a node, answered by the traits it declares.

Parameters
----------
node : object
    A layer, or what runs in the place of several.
"""

from collections.abc import Callable
from typing import Any

from fastcnn.activations import get
from fastcnn.kernels import codes
from fastcnn.operations.activation import clamp_of
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
    """Return whether a node is ReLU or leaky ReLU: y = x where x > 0, else `slope_of` times x."""
    return is_relu(node) or (is_activation(node) and Trait.BY_CODE in of(node.function)
                             and node.function.code == codes.LEAKY_RELU and node.function.beta == 0)


def slope_of(node: Any) -> float:
    """Return what a rectifier multiplies by below 0."""
    slope: float = 0.0 if is_relu(node) else node.function.alpha
    return slope


def is_idle(node: Any) -> bool:
    """Return whether a node returns its input in prediction."""
    return Trait.IDLE in of(node) or (Trait.POINTWISE in of(node) and node.function is None)


def ends_in_clamp(node: Any) -> bool:
    """Return whether a node is a product without an activation, or with one that is a clamp."""
    return is_product(node) and clamp_of(node.activation) is not None


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
