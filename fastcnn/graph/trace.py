"""From symbolic tensors to a graph that runs: which layers a model has, in which order, and what runs when.

`trace` finds the calls between a model's inputs and outputs::

    inputs --> calls (nodes) --> outputs        layers: ordered as Keras orders them, so that its weights fit

`opened` makes the `Graph` of them (`fastcnn.graph.steps`), in which models inside the model are opened.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.graph.steps import Graph, GraphStep
from fastcnn.layers.input import InputLayer
from fastcnn.symbolic import LayerCall, Tensor, as_shapes


@dataclass
class Traced:
    """What lies between inputs and outputs.

    Attributes
    ----------
    inputs, outputs : list of Tensor
    nodes : list of LayerCall
        Every call after those it depends on.
    layers : list of Layer
        Each once, the furthest from the outputs first; among equals in the order of a depth-first search.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    nodes: list[LayerCall]
    layers: list[Any]


def trace(inputs: Sequence[Tensor], outputs: Sequence[Tensor], who: str = "Model", added: Sequence[Tensor] = ()
          ) -> Traced:
    """Find the calls between tensors, and order their layers as Keras does.

    The depth of a call is its largest distance from an output. The depth of a layer is the largest of its calls.

    Parameters
    ----------
    inputs, outputs : sequence of Tensor
    who : str
        For errors.
    added : sequence of Tensor
        Losses that `add_loss` added: the calls that lead to them are found, too.

    Raises
    ------
    ArgumentError
        If an output depends on an input that is not among `inputs`.
    """
    given = {id(t) for t in inputs}
    begun = {id(t.node) for t in inputs if isinstance(t.node.layer, InputLayer)}
    found: dict[Any, int] = {}  # layers in the order in which they are first met
    nodes: list[LayerCall] = []
    state: dict[int, bool] = {}  # by node: False while it waits for its inputs, True when it is done
    for output in (*outputs, *added):
        stack: list[tuple[Tensor, bool]] = [(output, False)]
        while stack:
            tensor, returned = stack.pop()
            node = tensor.node
            if returned:
                if not state[id(node)]:
                    state[id(node)] = True
                    nodes.append(node)
                continue
            if id(node) in state or (id(tensor) in given and id(node) not in begun):
                continue
            state[id(node)] = False
            found.setdefault(node.layer, len(found))
            stack.append((tensor, True))
            if id(node) in begun:
                continue
            if not node.inputs and not node.layer.is_source:
                raise ArgumentError(f"{who}: expected outputs that depend on its inputs alone, but they depend on "
                                    f"{node.layer}, which is not among them; add its tensor to inputs")
            # Reversed, since the search must visit the first input first, and a stack gives the last one first.
            stack.extend((one, False) for one in reversed(node.inputs) if id(one.node) not in state)
    within = {id(node) for node in nodes}
    depths: dict[int, int] = {}
    layer_depths: dict[Any, int] = {}
    for node in reversed(nodes):
        depth = max(depths.get(id(node), 0), layer_depths.get(node.layer, 0))
        depths[id(node)] = layer_depths[node.layer] = depth
        for one in node.inputs:
            if id(one.node) in within and (id(one) not in given or id(one.node) in begun):
                depths[id(one.node)] = max(depths.get(id(one.node), 0), depth + 1)
    for tensor in inputs:
        if id(tensor.node) in begun and tensor.node.layer not in layer_depths:  # an input that nothing reads
            found[tensor.node.layer], layer_depths[tensor.node.layer] = -1, 0  # where Keras puts it
    order = sorted(layer_depths, key=lambda layer: (-layer_depths[layer], found[layer]))
    return Traced(list(inputs), list(outputs), [node for node in nodes if id(node) not in begun], order)


def opened(traced: Traced, training: bool = True, input_shapes: Sequence[Any] | None = None,
           paths: dict[str, int] | None = None) -> Graph:
    """Return the steps of a model. Models inside it are opened: their layers become steps of the same graph.

    Parameters
    ----------
    traced : Traced
    training : bool
        Whether steps train of which nobody has said whether they do.
    input_shapes : sequence of tuple, optional
        In the place of those that the inputs have, where these leave sizes open: the steps are twins for them.
    paths : dict, optional
        Gets the slot of each layer's output, the first of its last call, by its path: ``conv``, or ``inner/conv`` in a
        model or layer that holds others, and ``inner`` for what comes out of it.
    """
    slots: list[Any] = []  # their shapes
    steps: list[GraphStep] = []
    uses: Counter[int] = Counter()
    twins: dict[Any, Any] = {}  # by layer and shape, so that a layer which is used twice has one for both

    def place(traced: Traced, there: dict[int, int], training: bool, within: str = "") -> None:
        for node in traced.nodes:
            layer, inputs = node.layer, tuple(there[id(one)] for one in node.inputs)
            learning = training if node.training is None else node.training
            if layer.is_composite:
                if layer.has_call:  # its graph may differ from shape to shape
                    shapes = tuple(slots[slot] for slot in inputs)
                    layer = layer.for_shape(shapes if layer.many_inputs else shapes[0])
                inner, path = layer.traced, f"{within}{layer.name}"
                inside = {id(one): slot for one, slot in zip(inner.inputs, inputs, strict=True)}
                place(inner, inside, learning, f"{path}/")
                for one, other in zip(node.outputs, inner.outputs, strict=True):
                    there.setdefault(id(one), inside[id(other)])  # an output that is an input keeps its place
                if paths is not None:
                    paths[path] = there[id(node.outputs[0])]
                continue
            shapes = tuple(slots[slot] for slot in inputs)
            use = uses[id(layer.original)]
            uses[id(layer.original)] += 1
            key = id(layer), shapes
            if key not in twins:
                twins[key] = layer.for_shape(shapes if layer.many_inputs else shapes[0])
            layer = twins[key]
            outputs = tuple(range(len(slots), len(slots) + len(node.outputs)))
            if paths is not None:
                paths[f"{within}{layer.name}"] = outputs[0]
            slots.extend(layer.output_shape if len(outputs) > 1 else [layer.output_shape])
            for one, slot in zip(node.outputs, outputs, strict=True):
                there.setdefault(id(one), slot)
            steps.append(GraphStep(layer, inputs, outputs, learning, layer.activity_regularizer, use,
                                   layer.rounds))

    there = {id(tensor): slot for slot, tensor in enumerate(traced.inputs)}
    slots.extend((tensor.shape for tensor in traced.inputs) if input_shapes is None else input_shapes)
    place(traced, there, training)
    return Graph(list(range(len(traced.inputs))), [there[id(one)] for one in traced.outputs], steps, len(slots))


def moved(traced: Traced, input_shapes: Sequence[Any]) -> tuple[Traced, dict[int, Tensor]]:
    """Return a model's calls on inputs of other shapes, and the new tensors by the `id` of those they replace.

    Twins of the layers are called; the layers themselves do not change.

    Parameters
    ----------
    traced : Traced
    input_shapes : sequence of tuple

    Raises
    ------
    ArgumentError
        If a shape does not suit a layer, or its weights depend on it.
    """
    there: dict[int, Tensor] = {}
    twins: dict[Any, Any] = {}  # by layer and shape
    first: dict[int, Any] = {}  # of each layer, by identity
    for tensor, shape in zip(traced.inputs, input_shapes, strict=True):
        layer = tensor.node.layer
        if isinstance(layer, InputLayer):
            there[id(tensor)] = InputLayer(shape[1:], name=layer.name, dtype=layer.dtype_policy).tensor()
            first[id(layer)] = there[id(tensor)].node.layer
        else:
            there[id(tensor)] = Tensor(shape, tensor.dtype, tensor.node, tensor.index)
    nodes = []
    for node in traced.nodes:
        inputs, layer = [there[id(one)] for one in node.inputs], node.layer
        shapes = tuple(one.shape for one in inputs)
        shape = shapes if layer.many_inputs else shapes[0]
        if (id(layer), shape) not in twins:
            twins[id(layer), shape] = layer.twin(shape)
        twin = twins[id(layer), shape]
        first.setdefault(id(layer), twin)
        new = LayerCall(twin, inputs, as_shapes(twin.output_shape), node.training)
        twin.nodes.append(new)
        nodes.append(new)
        for one, other in zip(node.outputs, new.outputs, strict=True):
            there.setdefault(id(one), other)  # an output that is an input keeps its place
    layers = [first.get(id(layer), layer) for layer in traced.layers]
    return Traced([there[id(one)] for one in traced.inputs], [there[id(one)] for one in traced.outputs], nodes,
                  layers), there


def leaves(layers: Iterable[Any]) -> list[Any]:
    """Return the layers that really run, each once: also those inside models and those that layers hold, no model."""
    found: dict[int, Any] = {}
    for layer in layers:
        own = [] if layer.is_composite and not layer.parameters else [layer]
        for leaf in [*own, *leaves(layer.held_layers().values())]:
            if not isinstance(leaf, InputLayer):
                found[id(leaf)] = leaf
    return list(found.values())
