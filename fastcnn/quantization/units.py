"""Which layers of a graph become one quantized layer, and which tensors bytes will stand for.

A *unit* is what one product of bytes does: a convolution, the normalizations that fold into it, and the clamp after it.
Other layers are a unit each. Bytes stand for a tensor if a quantized unit reads it.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from fastcnn.graph.steps import Graph, GraphStep
from fastcnn.layers import (
    Add,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
    Reshape,
)
from fastcnn.layers.activation import is_activation
from fastcnn.traits import Trait, of

PRODUCT, SUM, KEEPS, JOINS, MEAN, FUNCTION, IDLE, OTHER = (
    "product", "sum", "keeps", "joins", "mean", "function", "idle", "other")

_KINDS: dict[type, str] = {
    Conv2D: PRODUCT, DepthwiseConv2D: PRODUCT, Dense: PRODUCT, Add: SUM, Concatenate: JOINS, MaxPooling2D: KEEPS,
    GlobalMaxPooling2D: KEEPS, Flatten: KEEPS, Reshape: KEEPS, AveragePooling2D: MEAN, GlobalAveragePooling2D: MEAN}


@dataclass
class LayerUnit:
    """Layers that run as one.

    Attributes
    ----------
    kind : str
        PRODUCT, SUM: of two; KEEPS: the numbers that come in, in other places; JOINS: several arrays; MEAN: of windows;
        FUNCTION: of single numbers; IDLE: nothing in prediction; OTHER: anything else.
    layer : Layer
        The first, which names it.
    inputs, outputs : tuple of int
        Slots.
    affines : list of Layer
        Normalizations and scales that fold into a product.
    clamps : list of Layer
        Activations after it.
    """

    kind: str
    layer: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    affines: list[Any] = field(default_factory=list)
    clamps: list[Any] = field(default_factory=list)


def units_of(graph: Graph) -> list[LayerUnit]:
    """Return the units of a graph, in the order in which they run.

    Parameters
    ----------
    graph : Graph
        The layers as they are.
    """
    readers, found, absorbed = graph.readers(), list[LayerUnit](), set[int]()
    only = {slot: step for step in graph.steps for slot in step.inputs if readers[slot] == 1}
    calls: dict[int, int] = {}
    for step in graph.steps:
        calls[id(step.node)] = calls.get(id(step.node), 0) + 1

    def following(slot: int) -> GraphStep | None:
        step = None if slot in graph.outputs else only.get(slot)
        return step if step is not None and step.is_link and calls[id(step.node)] == 1 else None

    for step in graph.steps:
        if id(step) in absorbed:
            continue
        unit = LayerUnit(_kind(step, calls[id(step.node)] > 1), step.node, step.inputs, step.outputs)
        if unit.kind in (PRODUCT, SUM):
            absorbed.update(map(id, _behind(unit, following)))
        found.append(unit)
    return found


def _kind(step: GraphStep, is_shared: bool) -> str:
    node = step.node
    if step.regularizer is not None:
        return OTHER
    if is_activation(node):
        return IDLE if node.function is None else FUNCTION if Trait.BY_CODE in of(node.function) else OTHER
    if Trait.IDLE in of(node):
        return IDLE
    if Trait.ZERO_BORDER2D in of(node) and len(node.output_shape) == 4:
        return KEEPS
    kind = _KINDS.get(type(node), OTHER)
    if kind == PRODUCT and is_shared:  # one filter bank, of which each call would have another bias
        return OTHER
    if kind == SUM and (len(step.inputs) != 2 or len(set(node.input_shape)) > 1):
        return OTHER
    return kind


def _behind(unit: LayerUnit, following: Callable[[int], GraphStep | None]) -> list[GraphStep]:
    """Let a unit take in the affine maps, clamps and idle layers behind it, and return their steps."""
    steps: list[GraphStep] = []
    while (step := following(unit.outputs[0])) is not None and step.regularizer is None:
        node = step.node
        is_affine = Trait.CHANNEL_AFFINE in of(node) and getattr(node, "is_by_channel", True)
        bounded = unit.clamps or getattr(unit.layer, "activation", None) is not None
        if unit.kind == PRODUCT and is_affine and not bounded:
            unit.affines.append(node)
        elif is_activation(node) and node.function is not None and node.function.clamp is not None:
            if getattr(unit.layer, "activation", None) is not None and unit.layer.activation.clamp is None:
                break
            unit.clamps.append(node)
        elif Trait.IDLE not in of(node):
            break
        unit.outputs = step.outputs
        steps.append(step)
    return steps


def quantized_units(units: Iterable[LayerUnit], kept: Container[str]) -> list[LayerUnit]:
    """Return the units that are to run on bytes: products, and what reads bytes behind them.

    Parameters
    ----------
    units : iterable of LayerUnit
    kept : container of str
        Names of layers that stay in floating point.
    """
    there: set[int] = set()
    found = []
    for unit in units:
        if unit.kind == IDLE and unit.inputs[0] in there:
            there.update(unit.outputs)
        if unit.kind in (OTHER, IDLE) or unit.layer.name in kept:
            continue
        if unit.kind == PRODUCT or any(slot in there for slot in unit.inputs):
            found.append(unit)
            there.update(unit.outputs)
    return found


def slots_in_bytes(quantized: Iterable[LayerUnit]) -> set[int]:
    """Return the slots that bytes stand for: what quantized units read. What nobody reads so stays as exact as it is.

    Parameters
    ----------
    quantized : iterable of LayerUnit
    """
    return {slot for unit in quantized for slot in unit.inputs}
