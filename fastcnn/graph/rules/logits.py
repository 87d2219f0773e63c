"""A softmax at the end of a model that trains with cross-entropy is left out: the loss computes both from logits."""

from typing import Any

from fastcnn.graph.rules.questions import is_activation, is_product, is_softmax
from fastcnn.graph.rules.rule import Match, Rule


def _product_with_softmax(node: Any) -> bool:
    return is_product(node) and is_softmax(node.activation, node)


def _softmax(node: Any) -> bool:
    return is_activation(node) and is_softmax(node.function, node)


def _why_not(match: Match) -> str | None:
    step = match.steps[-1]
    if match.readers != 1:
        return "others read its output, too"
    if step.regularizer is not None:
        return "it has an activity_regularizer"
    return None if step.outputs[0] in match.context.logits else "no cross-entropy takes its logits"


def _why_no_layer(match: Match) -> str | None:
    return "it is the model's only layer" if match.length == 1 else _why_not(match)


def _linear(match: Match) -> Any:
    return match.nodes[0].replaced(activation=None)


LOGITS = (
    Rule("a softmax layer before cross-entropy", (_softmax,), None, _why_no_layer, training=True),
    Rule("a softmax before cross-entropy", (_product_with_softmax,), _linear, _why_not, training=True),
)
