"""A rule of fusion: a pattern, a guard, and what runs in the place of what was found.

A sum and the ReLU after it in one pass, in predictions::

    relu_of_sum = Rule("a sum, then ReLU", pattern=(is_sum, is_relu),
                       replacement=lambda match: WithReLU(match.nodes[0]), prediction=True)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastcnn.errors import ArgumentError
from fastcnn.graph.steps import GraphStep

Question = Callable[[Any], bool]


class Context(NamedTuple):
    """What a graph is rewritten for.

    Attributes
    ----------
    training : bool
        For training, or for prediction.
    fills_lanes : bool
        Whether a batch has an image for each lane of a vector.
    logits : frozenset of int
        Slots of outputs whose loss takes a softmax and the cross-entropy together.
    """

    training: bool
    fills_lanes: bool = False
    logits: frozenset[int] = frozenset()


class Match(NamedTuple):
    """Steps that fit a pattern. The output of each but the last is read by the next step alone.

    Attributes
    ----------
    steps : list of GraphStep
    context : Context
    source : GraphStep, or None
        The step that made the first one's first input.
    readers : int
        How many read the last one's output, the model's outputs among them.
    length : int
        How many steps the graph has.
    """

    steps: Sequence[GraphStep]
    context: Context
    source: GraphStep | None
    readers: int
    length: int

    @property
    def nodes(self) -> list[Any]:
        """The nodes of the steps."""
        return [step.node for step in self.steps]


def _fits(match: Match) -> str | None:
    return None


@dataclass(frozen=True)
class Rule:
    """What is found, and what runs in its place.

    Attributes
    ----------
    name : str
        What is found, in words.
    pattern : sequence of functions
        node -> bool, one for each step, in the order in which they run. The next step reads the output of the one
        before (as its first input; a sum as any). Nothing else may read that output, no penalty may be on it, and
        either both steps train or neither does.
    replacement : function, or None
        Match -> node. Its inputs are those of the first step, then the further inputs of the others; its outputs are
        those of the last. None drops the step: what read its output then reads its input.
    guard : function
        Match -> None if the rule fits, else the reason why not, a short phrase.
    training, prediction : bool
        For which graphs the rule is.
    or_pattern : sequence of functions
        Another pattern, tried where the first does not fit.
    is_run : bool
        Whether the second of two questions may repeat any number of times. The guard is then asked for each length
        until it objects, and the longest run before that is taken.

    Raises
    ------
    ArgumentError
        If there is no pattern, or the rule is for no graph.
    """

    name: str
    pattern: Sequence[Question]
    replacement: Callable[[Match], Any] | None
    guard: Callable[[Match], str | None] = _fits
    training: bool = False
    prediction: bool = False
    or_pattern: Sequence[Question] = ()
    is_run: bool = False

    def __post_init__(self) -> None:
        if not self.pattern or not all(map(callable, (*self.pattern, *self.or_pattern))):
            raise ArgumentError(f'rule "{self.name}": expected a pattern of functions, node -> bool, '
                                f"got {self.pattern!r}")
        if not (self.training or self.prediction):
            raise ArgumentError(f'rule "{self.name}": expected training=True or prediction=True, got neither')
        if self.is_run and len(self.pattern) != 2:
            raise ArgumentError(f'rule "{self.name}": expected two questions of a run, for its first step and for all '
                                f"others, got {len(self.pattern)}")
        if self.replacement is None and (len(self.pattern) > 1 or self.or_pattern or self.is_run):
            raise ArgumentError(f'rule "{self.name}": expected a pattern of one step, which is left out, '
                                f"got {len(self.pattern)}; give a replacement")


class Fusion(NamedTuple):
    """What a rule did, or why it did not.

    Attributes
    ----------
    mode : str
        "training" or "prediction".
    rule : str
        The rule's name: what was found.
    layers : tuple of str
        The names of the layers.
    node : str
        The class of what runs in their place; "nothing" where a layer is left out, and "" where the rule did not fit.
    reason : str
        Why the rule did not fit; "" if it did.
    """

    mode: str
    rule: str
    layers: tuple[str, ...]
    node: str
    reason: str = ""
