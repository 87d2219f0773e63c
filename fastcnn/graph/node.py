"""What a node is: a layer, or what runs in the place of several.

A step of a graph (`fastcnn.graph.steps`) runs a node. Layers are nodes, and so are the classes of
`fastcnn.graph.nodes`. A rule of yours may use any object that has the attributes below. A node owns only what it
derived from its layers; the parameters stay theirs.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from fastcnn.layers.base import Backward, Call
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait


@runtime_checkable
class Node(Protocol):
    """What every node has.

    Attributes
    ----------
    input_shape, output_shape : tuple
        With None for the batch; tuples of shapes where there are several.
    many_inputs : bool
        Whether its verbs take a tuple of arrays.
    traits : Trait
        What it promises to rules; ``Trait(0)``: nothing beside the verbs.
    parameters : sequence of Parameter
        Of all layers that it stands for.
    replayable : bool
        Whether its `predict` does nothing but call kernels, on which the replay of predictions rests.
    """

    @property
    def input_shape(self) -> Any: ...

    @property
    def output_shape(self) -> Any: ...

    @property
    def many_inputs(self) -> bool: ...

    @property
    def traits(self) -> Trait: ...

    @property
    def parameters(self) -> Sequence[Parameter]: ...

    @property
    def replayable(self) -> bool: ...


def is_replayable(node: Any) -> bool:
    """Return whether a prediction by a node only calls kernels: its functions and the layers it holds, too.

    Parameters
    ----------
    node : object
        A layer, or what runs in the place of several.
    """
    if getattr(node, "is_composite", False):
        return False  # a model that a layer holds replays by itself
    held = node.held_layers().values() if getattr(node, "holds_layers", False) else ()
    parts = node, getattr(node, "activation", None), getattr(node, "function", None)
    return all(getattr(part, "replayable", False) for part in parts if part is not None) and all(
        map(is_replayable, held))


@runtime_checkable
class TrainingNode(Node, Protocol):
    """A node that trains.

    Attributes
    ----------
    trainable_weights : sequence of Parameter
        Those that its backward pass adds gradients of; without any, and without a gradient that is wanted before it,
        it has no way back.
    """

    @property
    def trainable_weights(self) -> Sequence[Parameter]: ...

    def forward(self, x: Any, call: Call = Call()) -> tuple[Any, Backward]:
        """As `fastcnn.layers.Layer.forward`."""
        ...


@runtime_checkable
class PredictionNode(Node, Protocol):
    """A node that predicts."""

    def predict(self, x: Any) -> Any:
        """As `fastcnn.layers.Layer.predict`."""
        ...
