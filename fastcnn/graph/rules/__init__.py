"""Rules of fusion: what runs in the place of what, for training and for prediction.

A rule is a pattern, a guard and a replacement (`fastcnn.graph.rules.rule`); one engine runs all of them, in the order
of `RULES`. The model's layers, their parameters and all that a user sees of them stay as they are: nodes refer to the
layers. A node never hides a tensor that something else reads. Without fusion, ``fastcnn.config.set_fusion(False)``,
results are the same up to rounding. ``model.fusions()`` tells what was replaced by what.

Your own rules join them inside a `with` block::

    with fastcnn.graph.rules.added(Rule("a sum, tanh", (is_sum, is_tanh), replacement, prediction=True)):
        model.predict(x)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastcnn.graph.rules.batch_interleaved import BATCH_INTERLEAVED
from fastcnn.graph.rules.engine import rewritten
from fastcnn.graph.rules.logits import LOGITS
from fastcnn.graph.rules.prediction import FOLDED, IDLE, JOINED
from fastcnn.graph.rules.rule import Context, Fusion, Match, Rule
from fastcnn.graph.rules.training import ACTIVATED, BORDERED, NORMALIZED
from fastcnn.graph.steps import Graph
from fastcnn.switches import switch

#: In the order in which they run. Normalizations come before batch-interleaved runs, which leave them alone.
RULES: tuple[Rule, ...] = (*LOGITS, *IDLE, *BORDERED, *NORMALIZED, *FOLDED, *BATCH_INTERLEAVED, *ACTIVATED, *JOINED)


_added: tuple[Rule, ...] = ()


def active() -> tuple[Rule, ...]:
    """Return the rules by which models are rewritten now: `RULES`, and those that were added."""
    return (*RULES, *_added)


@contextmanager
def added(*rules: Rule) -> Iterator[None]:
    """Rewrite all models by further rules, too, inside a `with` block. They run after the others.

    Parameters
    ----------
    *rules : Rule
    """
    global _added
    before = _added
    _added = (*before, *rules)
    switch("rules", _added)
    try:
        yield
    finally:
        _added = before
        switch("rules", _added)


def for_training(graph: Graph, fills_lanes: bool, to_logits: Sequence[int] = ()) -> Graph | None:
    """Return the graph of a training step, or None if an output whose logits are wanted has no softmax.

    Parameters
    ----------
    graph : Graph
        The layers as they are.
    fills_lanes : bool
        Whether the batch has an image for each lane of a vector.
    to_logits : sequence of int
        Outputs, of shape (N, ..., classes), of which the logits are wanted.
    """
    logits = frozenset(graph.outputs[k] for k in to_logits)
    found, fusions = rewritten(graph, active(), Context(True, fills_lanes, logits))
    names = {rule.name for rule in LOGITS}
    return found if sum(fusion.rule in names for fusion in fusions) == len(to_logits) else None


def for_prediction(graph: Graph, fills_lanes: bool) -> Graph:
    """Return the graph that a prediction runs.

    Parameters
    ----------
    graph : Graph
        The layers as they are.
    fills_lanes : bool
        As `for_training`.
    """
    return rewritten(graph, active(), Context(False, fills_lanes))[0]


__all__ = ["RULES", "Context", "Fusion", "Match", "Rule", "active", "added", "for_prediction", "for_training",
           "rewritten"]
