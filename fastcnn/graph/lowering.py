"""The prediction of a model with quantized layers, on bytes.

`QuantizeDequantize` says which tensors bytes stand for. As far as both ends of a layer are such tensors it runs on
bytes, and what lies between it and the next `QuantizeDequantize` with it::

    layers    QuantizeDequantize -> QuantizedConv2D -> ReLU -> QuantizeDequantize -> MaxPooling2D -> Softmax
    lowered   Quantize              ByteProduct: clamps, rounds                      ByteMaxPool     Dequantize, Softmax

A layer that has no counterpart runs on numbers as before, between a `Dequantize` and the next `Quantize`, which are
put where somebody needs the other kind, once. The rules of fusion (`fastcnn.graph.rules`) run afterwards.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastcnn.graph.nodes import on_bytes
from fastcnn.graph.steps import Graph, GraphStep
from fastcnn.layers.activation import is_activation
from fastcnn.operations.activation import LINEAR, Clamp
from fastcnn.operations.quantized import Quantization
from fastcnn.traits import Trait, of


def lowered(graph: Graph) -> Graph:
    """Return the graph of a prediction in which quantized layers run on bytes; itself if there is none.

    Parameters
    ----------
    graph : Graph
        The layers as they are.
    """
    if not any(_quantizes(step) for step in graph.steps):
        return graph
    return _Lowering(graph).run()


class _Lowering:
    """The steps as lowered so far.

    Attributes
    ----------
    bytes_of : dict
        For each slot that is there as bytes: their slot, and what they stand for.
    numbers : set of int
        The slots that are there as numbers.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.slots, self.steps = graph, graph.slots, list[GraphStep]()
        self.readers, self.numbers = graph.readers(), set(graph.inputs)
        self.only_reader = {slot: step for step in graph.steps for slot in step.inputs if self.readers[slot] == 1}
        self.bytes_of: dict[int, tuple[int, Quantization]] = {}
        self.makers: dict[int, Any] = {}
        self.absorbed: set[int] = set()

    def run(self) -> Graph:
        """Return the graph."""
        for step in self.graph.steps:
            if id(step) in self.absorbed:
                continue
            self.makers.update(dict.fromkeys(step.outputs, step.node))
            lower = _lowering_of(step.node)
            if lower is None or step.regularizer is not None or not lower(self, step):
                self._as_it_is(step)
        for slot in self.graph.outputs:
            self._need_numbers(slot)
        return Graph(self.graph.inputs, self.graph.outputs, self.steps, self.slots)

    # --- layers -------------------------------------------------------------------------------------------------------

    def quantized(self, step: GraphStep) -> bool:
        """Lower a `QuantizeDequantize`."""
        (slot,), (out,), wanted = step.inputs, step.outputs, step.node.quantization
        if slot not in self.bytes_of:
            self._put(on_bytes.Quantize(step.node, wanted), step.inputs, out, wanted)
            return True
        bytes_, known = self.bytes_of[slot]
        if known == wanted:
            self.bytes_of[out] = bytes_, known
        else:
            self._put(on_bytes.ByteTable(step.node, lambda x: x, known, wanted), (bytes_,), out, wanted)
        return True

    def product(self, step: GraphStep) -> bool:
        """Lower a convolution or a dense layer."""
        (slot,) = step.inputs
        if slot not in self.bytes_of:
            return False
        bytes_, source = self.bytes_of[slot]
        activation = step.node.activation
        clamp = LINEAR if activation is None else activation.clamp
        last, clamp, target = self._what_follows(step, clamp) if clamp is not None else (step, LINEAR, None)
        node = on_bytes.ByteProduct(step.node, source, target, clamp)
        if target is None:
            self._put_numbers(node, (bytes_,), last)
        else:
            self._put(node, (bytes_,), last.outputs[0], target)
        return True

    def sum_of_two(self, step: GraphStep) -> bool:
        """Lower a sum whose result is quantized."""
        if len(step.inputs) != 2 or len(set(step.node.input_shape)) > 1:
            return False
        found = [self.bytes_of.get(slot) for slot in step.inputs]
        last, clamp, target = self._what_follows(step, LINEAR, commit=False)
        if target is None or None in found:
            return False
        self._what_follows(step, LINEAR)
        slots, sources = zip(*found, strict=True)
        self._put(on_bytes.ByteSum(step.node, sources, target, clamp), slots, last.outputs[0], target)
        return True

    def max_pool(self, step: GraphStep) -> bool:
        """Lower max pooling, which keeps the quantization."""
        return self._kept(step, on_bytes.ByteMaxPool)

    def border(self, step: GraphStep) -> bool:
        """Lower a border of zeros."""
        return self._kept(step, on_bytes.ByteBorder)

    def reshaped(self, step: GraphStep) -> bool:
        """Lower a reshaping."""
        return self._kept(step, lambda node, _: on_bytes.BytesReshaped(node))

    def average(self, step: GraphStep) -> bool:
        """Lower average pooling."""
        (slot,) = step.inputs
        if slot not in self.bytes_of:
            return False
        bytes_, source = self.bytes_of[slot]
        last, clamp, target = self._what_follows(step, LINEAR, commit=False)
        if target is None or clamp != LINEAR:
            self._put_numbers(on_bytes.ByteAverage(step.node, source, None), (bytes_,), step)
        else:
            self._what_follows(step, LINEAR)
            self._put(on_bytes.ByteAverage(step.node, source, target), (bytes_,), last.outputs[0], target)
        return True

    def joined(self, step: GraphStep) -> bool:
        """Lower a concatenation; parts of another quantization than the result's become of that."""
        found = [self.bytes_of.get(slot) for slot in step.inputs]
        if None in found:
            return False
        known = {quantization for _, quantization in found}  # type: ignore[misc]
        following = self._next(step)
        if len(known) > 1 and not _quantizes(following):
            return False
        target = following.node.quantization if len(known) > 1 else known.pop()  # type: ignore[union-attr]
        parts = []
        for slot, (bytes_, source) in zip(step.inputs, found, strict=True):  # type: ignore[misc]
            if source != target:
                node = on_bytes.ByteTable(self.makers[slot], lambda x: x, source, target)
                bytes_ = self._new_slot()
                self.steps.append(GraphStep(node, (self.bytes_of[slot][0],), (bytes_,)))
            parts.append(bytes_)
        self._put(on_bytes.BytesJoined(step.node), tuple(parts), step.outputs[0], target)
        return True

    def function(self, step: GraphStep) -> bool:
        """Lower an activation whose input and output are quantized: a table."""
        (slot,), following = step.inputs, self._next(step)
        function = step.node.function
        if slot not in self.bytes_of or following is None or not _quantizes(following):
            return False
        if function is not None and Trait.BY_CODE not in of(function):
            return False
        (bytes_, source), target = self.bytes_of[slot], following.node.quantization
        apply = (lambda x: x) if function is None else function.predict
        self._absorb(following)
        self._put(on_bytes.ByteTable(step.node, apply, source, target), (bytes_,), following.outputs[0], target)
        return True

    # --- steps --------------------------------------------------------------------------------------------------------

    def _kept(self, step: GraphStep, node: Callable[[Any, Quantization], Any]) -> bool:
        """Lower what keeps the quantization of its input."""
        (slot,) = step.inputs
        if slot not in self.bytes_of:
            return False
        bytes_, known = self.bytes_of[slot]
        self._put(node(step.node, known), (bytes_,), step.outputs[0], known)
        return True

    def _as_it_is(self, step: GraphStep) -> None:
        for slot in step.inputs:
            self._need_numbers(slot)
        self.steps.append(replace(step))
        self.numbers.update(step.outputs)

    def _need_numbers(self, slot: int) -> None:
        if slot in self.numbers:
            return
        bytes_, known = self.bytes_of[slot]
        self.steps.append(GraphStep(on_bytes.Dequantize(self.makers[slot], known), (bytes_,), (slot,)))
        self.numbers.add(slot)

    def _put(self, node: Any, inputs: tuple[int, ...], out: int, quantization: Quantization) -> None:
        """Add a step that makes the bytes of a slot."""
        bytes_ = self._new_slot()
        self.steps.append(GraphStep(node, inputs, (bytes_,)))
        self.bytes_of[out] = bytes_, quantization

    def _put_numbers(self, node: Any, inputs: tuple[int, ...], last: GraphStep) -> None:
        """Add a step that makes the numbers that another one does."""
        self.steps.append(GraphStep(node, inputs, last.outputs))
        self.numbers.update(last.outputs)

    def _new_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _next(self, step: GraphStep) -> GraphStep | None:
        """Return the step that alone reads a step's output."""
        slot = step.outputs[0]
        found = None if slot in self.graph.outputs else self.only_reader.get(slot)
        return found if found is not None and found.is_link and found.regularizer is None else None

    def _absorb(self, step: GraphStep) -> None:
        self.absorbed.add(id(step))
        self.makers.update(dict.fromkeys(step.outputs, step.node))

    def _what_follows(self, step: GraphStep, clamp: Clamp, commit: bool = True
                      ) -> tuple[GraphStep, Clamp, Quantization | None]:
        """Return the last step of a chain of clamps and a quantization behind a step, the clamp, and the quantization.

        With `commit` the steps behind it are absorbed.
        """
        last, target, chain = step, None, list[GraphStep]()
        while target is None and (following := self._next(last)) is not None:
            if _quantizes(following):
                target = following.node.quantization
            elif is_activation(following.node) and _clamp(following.node) is not None:
                low, high = _clamp(following.node)  # type: ignore[misc]
                clamp = min(max(clamp[0], low), high), max(min(clamp[1], high), low)
            else:
                break
            last = following
            chain.append(following)
        for one in chain if commit else ():
            self._absorb(one)
        return last, clamp, target


def _quantizes(step: GraphStep | None) -> bool:
    """Return whether there is a step, and bytes stand for its numbers."""
    return step is not None and Trait.QUANTIZATION in of(step.node)


def _clamp(layer: Any) -> Clamp | None:
    """Return the bounds of an activation that has nothing else."""
    if layer.function is None:
        return LINEAR
    found: Clamp | None = layer.function.clamp
    return found


def _lowering_of(node: Any) -> Callable[[_Lowering, GraphStep], bool] | None:
    """Return what lowers a layer, if anything does."""
    promised = of(node)
    if Trait.ZERO_BORDER2D in promised:
        return _Lowering.border if len(node.output_shape) == 4 else None
    if is_activation(node):
        return _Lowering.function
    return next((lower for trait, lower in _BY_TRAIT.items() if trait in promised), None)


_BY_TRAIT: dict[Trait, Callable[[_Lowering, GraphStep], bool]] = {
    Trait.QUANTIZATION: _Lowering.quantized, Trait.QUANTIZED_PRODUCT: _Lowering.product,
    Trait.SUM: _Lowering.sum_of_two,
    Trait.MAX_POOL2D: _Lowering.max_pool, Trait.GLOBAL_MAX_POOL2D: _Lowering.max_pool,
    Trait.AVERAGE_POOL2D: _Lowering.average, Trait.GLOBAL_AVERAGE_POOL2D: _Lowering.average,
    Trait.CONCATENATION: _Lowering.joined, Trait.RESHAPING: _Lowering.reshaped,
}
