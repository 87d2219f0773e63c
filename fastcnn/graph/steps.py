"""Steps over slots: what runs, in which order, and whose memory is free after it.

Tensors are numbered: a number is a slot. Each step knows which slots are read for the last time, so that their memory
can be used again::

    step   0: Conv2D  (0) -> 1
           1: ReLU    (1) -> 2     last uses: 1
           2: Add   (0,2) -> 3     last uses: 0, 2
"""

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass
class GraphStep:
    """One thing that runs: a layer, or a node in the place of several (`fastcnn.graph.nodes`).

    Attributes
    ----------
    node : Layer or node
        Has forward and trainable_weights in a graph that trains, predict in one that predicts.
    inputs, outputs : tuple of int
        Slots.
    training : bool
        False if it runs as in inference even while the model trains.
    regularizer : Regularizer, optional
        The penalty on its output.
    use : int
        How many steps before it run the same layer.
    rounds : bool
        Whether its layers compute in bfloat16.
    last_uses : tuple of int
        Slots whose last use this step is: their memory is free after it.
    """

    node: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    training: bool = True
    regularizer: Any = None
    use: int = 0
    rounds: bool = False
    last_uses: tuple[int, ...] = ()

    @property
    def is_link(self) -> bool:
        """Whether it has one input and one output, as a link of a chain."""
        return len(self.inputs) == len(self.outputs) == 1 and not self.node.many_inputs


@dataclass
class Graph:
    """Steps over slots.

    Attributes
    ----------
    inputs, outputs : list of int
    steps : list of GraphStep
    slots : int
        How many there are.
    replay : StepReplay, optional
        Of the steps of a training (`fastcnn.graph.step_replay`).
    """

    inputs: list[int]
    outputs: list[int]
    steps: list[GraphStep]
    slots: int
    _learns: dict[bool, list[tuple[bool, bool]]] = field(default_factory=dict)
    replay: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        last: dict[int, int] = {}
        for at, step in enumerate(self.steps):
            for slot in (*step.inputs, *step.outputs):
                last[slot] = at
        kept = set(self.outputs)
        for at, step in enumerate(self.steps):
            slots = dict.fromkeys((*step.inputs, *step.outputs))
            step.last_uses = tuple(slot for slot in slots if last[slot] == at and slot not in kept)

    def learns(self, wants_dx: bool) -> list[tuple[bool, bool]]:
        """Return for each step whether it must compute the gradient of its input, and whether it runs backward at all.

        Parameters
        ----------
        wants_dx : bool
            Whether the gradients of the graph's inputs are wanted.
        """
        if wants_dx not in self._learns:
            wanted = [False] * self.slots
            for slot in self.inputs:
                wanted[slot] = wants_dx
            found = []
            for step in self.steps:
                below = any(wanted[slot] for slot in step.inputs)
                back = below or bool(step.node.trainable_weights)
                for slot in step.outputs:
                    wanted[slot] = back
                found.append((below or _holds_layers(step.node), back))
            self._learns[wants_dx] = found
        return self._learns[wants_dx]

    def without_idle(self) -> "Graph":
        """Return the graph without steps that no output depends on: those of losses, where nobody trains."""
        wanted, kept = set(self.outputs), []
        for step in reversed(self.steps):
            if wanted.intersection(step.outputs):
                wanted.update(step.inputs)
                kept.append(step)
        return self if len(kept) == len(self.steps) else Graph(
            self.inputs, self.outputs, [replace(step) for step in reversed(kept)], self.slots)

    def readers(self) -> list[int]:
        """Return for each slot how many times it is read; being an output of the graph counts as once."""
        counts = [0] * self.slots
        for slot in (*self.outputs, *(slot for step in self.steps for slot in step.inputs)):
            counts[slot] += 1
        return counts


def _holds_layers(node: Any) -> bool:
    """Return whether a node runs layers inside it. They get the same `Call`, and all but the first must give dx."""
    return getattr(node, "holds_layers", False) and bool(node.held_layers())
