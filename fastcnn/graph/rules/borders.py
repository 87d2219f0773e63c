"""Zeros around an image that become the padding of the layer after them."""

from typing import Any

from fastcnn.geometry import dimensions
from fastcnn.graph.rules.questions import is_not_negative
from fastcnn.graph.rules.rule import Match


def with_border(match: Match) -> Any:
    """Return a convolution with the zeros before it in its padding, as a copy that shares the parameters.

    Parameters
    ----------
    match : Match
        Zeros, and the convolution.
    """
    zeros, layer = match.nodes
    sides = dimensions.padding_of(layer.padding, zeros.output_shape[1:3], layer.kernel_size, layer.strides,
                                  layer.dilation_rate, str(layer))
    border = tuple((a + c, b + d) for (a, b), (c, d) in zip(sides, zeros.border, strict=True))
    return layer.replaced(padding=border, input_shape=zeros.input_shape)


def bordered_pool(match: Match) -> Any:
    """Return a max pooling with the zeros before it as its padding, as a copy.

    Parameters
    ----------
    match : Match
        Zeros, and the pooling.
    """
    zeros, pooling = match.nodes
    return pooling.replaced(padding=zeros.border, input_shape=zeros.input_shape)


def why_not_bordered_pool(match: Match) -> str | None:
    """Return why `bordered_pool` would pool something else; None if it would not.

    Parameters
    ----------
    match : Match
    """
    zeros, pooling = match.nodes
    if pooling.padding != "valid" or pooling.ceil_mode or pooling.dilation_rate != (1, 1):
        return f"{pooling.name} has a padding, a dilation or ceil_mode"
    if any(a >= size or b >= size for (a, b), size in zip(zeros.border, pooling.pool_size, strict=True)):
        return f"windows of {pooling.name} may lie within the zeros alone"
    return None if match.source is not None and is_not_negative(match.source.node) else "the image may be negative"
