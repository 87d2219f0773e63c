"""The engine that runs rules over a graph, for training and for prediction alike.

Rules run one after the other, each over all steps. A pattern is searched backwards from its last step::

    a: Conv2D (0) -> 1
    b: BatchNormalization (1) -> 2    (product, batch norm) ends in b; slot 1 was made by a, and b alone reads it
    c: ReLU (2) -> 3                  a node takes the places of both: FusedConv (0) -> 2, where b was
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.graph.rules.rule import Context, Fusion, Match, Question, Rule
from fastcnn.graph.steps import Graph, GraphStep
from fastcnn.traits import Trait, of

_COMMON = ("input_shape", "output_shape", "many_inputs", "traits", "parameters", "replayable")
_NEEDED = {True: (*_COMMON, "trainable_weights", "forward"), False: (*_COMMON, "predict")}


def rewritten(graph: Graph, rules: Sequence[Rule], context: Context, explain: bool = False
              ) -> tuple[Graph, list[Fusion]]:
    """Return a graph with the nodes that rules put in place, and what they did.

    Rules that drop steps run before all others.

    Parameters
    ----------
    graph : Graph
    rules : sequence of Rule
    context : Context
    explain : bool
        Also report rules that nearly fitted, and why they did not.
    """
    chosen = [rule for rule in rules if (rule.training if context.training else rule.prediction)]
    work = _Rewriting(graph, context, explain)
    for rule in chosen:
        if rule.replacement is None:
            work.apply(rule)
    if context.training or context.fills_lanes:
        work.put_chains_together()
    for rule in chosen:
        if rule.replacement is not None:
            work.apply(rule)
    return work.result(), work.fusions


class _Rewriting:
    """The steps as rewritten so far.

    Attributes
    ----------
    made : dict of GraphStep
        By the first slot that they write, in the order in which they run.
    maker : dict of int
        For each slot the first slot of the step that writes it.
    readers : list of int
        For each slot how many times it is read.
    names : dict of tuples
        The layers that a step stands for, by the first slot that it writes.
    """

    def __init__(self, graph: Graph, context: Context, explain: bool) -> None:
        self.graph, self.context, self.explain = graph, context, explain
        self.outputs, self.readers, self.fusions = list(graph.outputs), graph.readers(), list[Fusion]()
        steps = [replace(s) if context.training else GraphStep(s.node, s.inputs, s.outputs, rounds=s.rounds)
                 for s in graph.steps]
        self.made = {step.outputs[0]: step for step in steps}
        self.maker = {slot: step.outputs[0] for step in steps for slot in step.outputs}
        self.names: dict[int, tuple[str, ...]] = {step.outputs[0]: (step.node.name,) for step in steps}

    def result(self) -> Graph:
        """Return the graph."""
        return Graph(self.graph.inputs, self.outputs, list(self.made.values()), self.graph.slots)

    def put_chains_together(self) -> None:
        """Make the steps of a chain neighbours; in a chain each step's output is read by the next step alone.

        The whole chain moves to the place of its last step. That is safe: its inputs are there by then, and nothing
        reads its output before.
        """
        ends: dict[int, list[GraphStep]] = {}  # chains by their last step's slot
        for key, step in self.made.items():
            before = self.made.get(self.maker.get(step.inputs[0], -1)) if step.is_link else None
            joins = before is not None and before.is_link and self._why_apart(before, step) is None
            ends[key] = [*ends.pop(before.outputs[0]), step] if before is not None and joins else [step]
        self.made = {step.outputs[0]: step for key in self.made if key in ends for step in ends[key]}

    def apply(self, rule: Rule) -> None:
        """Run a rule over all steps."""
        # A copy, since a rule that fits removes steps from the dict.
        for step in list(self.made.values()):
            if self.made.get(step.outputs[0]) is not step:  # it is part of a node by now
                continue
            found = self._run(rule, step) if rule.is_run else self._chain(rule, step)
            if found is not None:
                self._put(rule, found)

    def _chain(self, rule: Rule, last: GraphStep) -> list[GraphStep] | None:
        """Return the steps of a pattern that ends in a step, if the rule fits."""
        for pattern in (rule.pattern, rule.or_pattern):
            found, reason = self._backwards(pattern, last) if pattern and pattern[-1](last.node) else (None, "")
            if found is not None:
                objection = reason or rule.guard(self._match(found))
                if objection is None:
                    return found
                self._note(rule, found, "", objection)
        return None

    def _backwards(self, pattern: Sequence[Question], last: GraphStep) -> tuple[list[GraphStep] | None, str]:
        """Return the steps of a pattern, and the reason if two of them may not be joined; None if it is not there."""
        found, reason = [last], ""
        for question in reversed(pattern[:-1]):
            before = self._before(found[0], question)
            if before is None:
                return None, ""
            reason = self._why_apart(before, found[0]) or reason
            found.insert(0, before)
        return found, reason

    def _before(self, step: GraphStep, question: Question) -> GraphStep | None:
        """Return the step before another in a pattern. A sum has several; of those that fit, the one that runs last."""
        slots = step.inputs if Trait.SUM in of(step.node) else step.inputs[:1]
        makers = [self.made[self.maker[slot]] for slot in slots if slot in self.maker]
        suited = [one for one in makers if len(one.outputs) == 1 and question(one.node)]
        if len(suited) < 2:
            return suited[0] if suited else None
        # The product that runs last absorbs the sum, since then the other one is there.
        order = list(self.made)
        suited.sort(key=lambda one: order.index(one.outputs[0]), reverse=True)
        return next((one for one in suited if self._why_apart(one, step) is None), suited[0])

    def _why_apart(self, before: GraphStep, step: GraphStep) -> str | None:
        """Return why two steps may not be joined; None if they may."""
        if self.readers[before.outputs[0]] > 1:
            return f"others read the output of {self._called(before)}, too"
        if before.regularizer is not None:
            return f"{self._called(before)} has an activity_regularizer"
        if before.training != step.training:
            return f"{self._called(before if not before.training else step)} runs as in inference"
        if before.rounds != step.rounds:
            return f"{self._called(before if before.rounds else step)} alone computes in bfloat16"
        return None

    def _run(self, rule: Rule, first: GraphStep) -> list[GraphStep] | None:
        """Return the longest run that begins with a step and to which the guard objects at no length."""
        if not rule.pattern[0](first.node):
            return None
        run, best = [first], 0
        while (objection := rule.guard(self._match(run))) is None:
            best = len(run)
            following = self._only_reader(run[-1])
            if following is None or not rule.pattern[-1](following.node):
                break
            run.append(following)
        if best == 0 and objection is not None:
            self._note(rule, run, "", objection)
        return run[:best] or None

    def _only_reader(self, step: GraphStep) -> GraphStep | None:
        slot = step.outputs[0]
        if self.readers[slot] != 1 or slot in self.outputs:
            return None
        following = next(one for one in self.made.values() if slot in one.inputs)
        return following if following.is_link and self._why_apart(step, following) is None else None

    def _match(self, steps: list[GraphStep]) -> Match:
        source = self.made.get(self.maker.get(steps[0].inputs[0], -1))
        return Match(steps, self.context, source, self.readers[steps[-1].outputs[0]], len(self.made))

    def _put(self, rule: Rule, found: list[GraphStep]) -> None:
        """Let a node take the places of steps, or leave one out."""
        first, last = found[0], found[-1]
        if rule.replacement is None:
            self._note(rule, found, "nothing")
            self._leave_out(last)
            return
        node = self._checked(rule, rule.replacement(self._match(found)))
        self._note(rule, found, type(node).__name__)
        key, names = last.outputs[0], self._layers(found)
        for step in found[:-1]:
            del self.made[step.outputs[0]]
        # The node takes the key of the last step, and so its place in the order.
        inputs = [*first.inputs, *self._further(found)]
        self.made[key] = GraphStep(node, tuple(inputs), last.outputs, first.training, last.regularizer, first.use,
                                   first.rounds)
        self.names[key] = names

    def _checked(self, rule: Rule, node: Any) -> Any:
        """Return a node that has what steps and rules ask for."""
        missing = [name for name in _NEEDED[self.context.training] if not hasattr(node, name)]
        if missing:
            raise ArgumentError(f'rule "{rule.name}": expected a replacement that returns a node '
                                f"(fastcnn.graph.node), got {type(node).__name__} without {', '.join(missing)}")
        return node

    @staticmethod
    def _further(found: list[GraphStep]) -> Iterator[int]:
        """Yield the slots that the later steps of a pattern read from outside it, such as a residual."""
        for before, step in pairwise(found):
            yield from (slot for slot in step.inputs if slot != before.outputs[0])

    def _leave_out(self, gone: GraphStep) -> None:
        """Let who reads a step's output read its input."""
        (slot,), (same,) = gone.outputs, gone.inputs
        del self.made[slot]
        for step in self.made.values():
            if slot in step.inputs:
                step.inputs = tuple(same if one == slot else one for one in step.inputs)
        self.outputs = [same if one == slot else one for one in self.outputs]
        # The step itself read `same` once; those that read `slot` do so now.
        self.readers[same] += self.readers[slot] - 1
        del self.maker[slot]

    def _layers(self, steps: list[GraphStep]) -> tuple[str, ...]:
        return tuple(name for step in steps for name in self.names[step.outputs[0]])

    def _called(self, step: GraphStep) -> str:
        return " + ".join(self.names[step.outputs[0]])

    def _note(self, rule: Rule, steps: list[GraphStep], node: str, reason: str = "") -> None:
        if node or self.explain:
            mode: Any = "training" if self.context.training else "prediction"
            self.fusions.append(Fusion(mode, rule.name, self._layers(steps), node, reason))
