"""A model as plain records: nodes in an order in which they can be computed, constants as arrays."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from fastcnn.onnx._file import Source, opsets, tensor

_KIND = onnx.AttributeProto


@dataclass(frozen=True)
class ValueInfo:
    """An input or output of a graph.

    Attributes
    ----------
    name : str
    dtype : dtype or None
        None for what is no tensor.
    shape : tuple of int, str or None, or None
        A name or None where a dimension is free; None where nothing is known.
    """

    name: str
    dtype: np.dtype | None
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True)
class OnnxNode:
    """One call of an operator; an input or output without a name is absent."""

    domain: str
    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        name = self.name or next((output for output in self.outputs if output), "")
        return f'{self.operator} "{name}"'

    def graphs(self) -> list["OnnxGraph"]:
        """Return the graphs among the attributes."""
        return [value for value in self.attributes.values() if isinstance(value, OnnxGraph)]

    def reads(self) -> set[str]:
        """Return the names this node needs, with those its graphs take from outside."""
        names = {name for name in self.inputs if name}
        return names.union(*(graph.captured for graph in self.graphs()))


@dataclass(frozen=True)
class OnnxGraph:
    """Nodes, each after those it reads from.

    Attributes
    ----------
    name : str
    inputs, outputs : tuple of ValueInfo
    constants : dict
        Arrays by name.
    nodes : tuple of OnnxNode
    captured : frozenset of str
        The names that come from the graph around this one.
    opsets : dict
        The version of each operator set by its domain.
    """

    name: str
    inputs: tuple[ValueInfo, ...]
    outputs: tuple[ValueInfo, ...]
    constants: dict[str, np.ndarray]
    nodes: tuple[OnnxNode, ...]
    captured: frozenset[str]
    opsets: dict[str, int]


def graph_of(model: onnx.ModelProto, source: Source) -> OnnxGraph:
    """Return the graph of a parsed model.

    Raises
    ------
    ModelFileError
        A name that nothing makes or two things make, a cycle, or a tensor that is not what it says.
    """
    return _graph(model.graph, source, opsets(model), frozenset())


def _graph(proto: onnx.GraphProto, source: Source, versions: dict[str, int], around: frozenset[str]) -> OnnxGraph:
    if proto.sparse_initializer:
        source.fault("sparse weights, which are not offered", "save them dense")
    constants = {}
    for initializer in proto.initializer:
        if not initializer.name or initializer.name in constants:
            source.fault(f"two weights of the name {initializer.name!r}")
        constants[initializer.name] = tensor(initializer, source)
    inputs = [_value(info, source) for info in proto.input]
    counted = Counter(value.name for value in inputs)
    if twice := [name for name, count in counted.items() if count > 1 or not name]:
        source.fault(f"two inputs of the name {twice[0]!r}")
    free = tuple(value for value in inputs if value.name not in constants)  # older files list weights as inputs, too
    made = {*constants, *counted}
    visible = around | made | {name for node in proto.node for name in node.output if name}
    nodes = [_node(node, source, versions, visible) for node in proto.node]
    for node in nodes:
        outputs = [name for name in node.outputs if name]
        if not outputs:
            source.fault(f"the node {node} without an output")
        for name in outputs:
            if name in made:
                source.fault(f"two values of the name {name!r}")
            made.add(name)
    outputs_ = tuple(_value(info, source) for info in proto.output)
    needed: set[str] = {value.name for value in outputs_}.union(*(node.reads() for node in nodes))
    if missing := sorted(needed - made - around):
        reader = next((str(node) for node in nodes if missing[0] in node.reads()), "the outputs")
        source.fault(f"no value of the name {missing[0]!r}, which {reader} reads")
    ordered = _in_order(nodes, {*constants, *counted, *around}, source)
    return OnnxGraph(proto.name, free, outputs_, constants, ordered, frozenset(needed - made), versions)


def _in_order(nodes: list[OnnxNode], ready: set[str], source: Source) -> tuple[OnnxNode, ...]:
    """Return the nodes so that each comes after those it reads from; as they are, where that is so already."""
    reads = [node.reads() for node in nodes]
    seen = set(ready)
    for node, names in zip(nodes, reads):
        if not names <= seen:
            break
        seen.update(node.outputs)
    else:
        return tuple(nodes)
    readers: dict[str, list[int]] = defaultdict(list)
    for at, names in enumerate(reads):
        for name in names - ready:
            readers[name].append(at)
    lacks = [len(names - ready) for names in reads]
    ordered = [at for at, count in enumerate(lacks) if not count]
    for at in ordered:  # which grows meanwhile
        for name in nodes[at].outputs:
            for reader in readers.pop(name, []):
                lacks[reader] -= 1
                if not lacks[reader]:
                    ordered.append(reader)
    if len(ordered) < len(nodes):
        stuck = sorted(set(range(len(nodes))) - set(ordered))
        source.fault(f"a cycle of nodes through {', '.join(str(nodes[at]) for at in stuck[:4])}")
    return tuple(nodes[at] for at in ordered)


def _node(proto: onnx.NodeProto, source: Source, versions: dict[str, int], around: frozenset[str]) -> OnnxNode:
    attributes: dict[str, Any] = {}
    for attribute in proto.attribute:
        if attribute.name in attributes:
            source.fault(f"a {proto.op_type} node with two attributes {attribute.name!r}")
        attributes[attribute.name] = _attribute(attribute, proto, source, versions, around)
    domain = "" if proto.domain == "ai.onnx" else proto.domain
    return OnnxNode(domain, proto.op_type, proto.name, tuple(proto.input), tuple(proto.output), attributes)


def _attribute(proto: onnx.AttributeProto, node: onnx.NodeProto, source: Source, versions: dict[str, int],
               around: frozenset[str]) -> Any:
    kind = proto.type
    if kind == _KIND.TENSOR:
        return tensor(proto.t, source)
    if kind == _KIND.GRAPH:
        return _graph(proto.g, source, versions, around)
    if kind in (_KIND.STRING, _KIND.STRINGS):
        try:
            texts = [text.decode() for text in ([proto.s] if kind == _KIND.STRING else proto.strings)]
        except UnicodeDecodeError:
            source.fault(f"a {node.op_type} node with an attribute {proto.name!r} that is no text")
        return texts[0] if kind == _KIND.STRING else texts
    plain = {_KIND.FLOAT: "f", _KIND.INT: "i", _KIND.FLOATS: "floats", _KIND.INTS: "ints", _KIND.TYPE_PROTO: "tp"}
    if kind not in plain or proto.ref_attr_name:
        source.fault(f"a {node.op_type} node with an attribute {proto.name!r} of a kind that is not offered")
    value = getattr(proto, plain[kind])
    return list(value) if kind in (_KIND.FLOATS, _KIND.INTS) else value


def _value(info: onnx.ValueInfoProto, source: Source) -> ValueInfo:
    if not info.type.HasField("tensor_type"):
        return ValueInfo(info.name, None, None)
    kind = info.type.tensor_type
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)) if kind.elem_type else None
    except (KeyError, TypeError, ValueError):
        source.fault(f"the value {info.name!r} of the unknown type {kind.elem_type}")
    if not kind.HasField("shape"):
        return ValueInfo(info.name, dtype, None)
    shape = []
    for dim in kind.shape.dim:
        if dim.HasField("dim_value") and dim.dim_value < -1:
            source.fault(f"the value {info.name!r} with a dimension of {dim.dim_value}")
        is_free = not dim.HasField("dim_value") or dim.dim_value == -1  # Paddle's way to leave a dimension free
        shape.append(dim.dim_param or None if is_free else dim.dim_value)
    return ValueInfo(info.name, dtype, tuple(shape))
