"""Expanding functions: those of the model itself, and ONNX's own that have a body and no entry in the table."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import onnx
import onnx.inliner

from fastcnn.onnx.operators import find

_MOST_NODES = 1_000_000
_DEEPEST = 100  # functions within functions

Fault = Callable[[str], NoReturn]


def every_node(nodes: Any) -> Iterator[onnx.NodeProto]:
    """Yield the nodes, and those of the graphs inside them."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from every_node(attribute.g.node)
            for graph in attribute.graphs:
                yield from every_node(graph.node)


def inlined(model: onnx.ModelProto, fault: Fault) -> onnx.ModelProto:
    """Return the model with every function call replaced by the nodes of its body; itself if there are none."""
    _check_growth(model, fault)
    for _ in range(_DEEPEST):
        own = {(f.domain, f.name) for f in model.functions}
        called = {(node.domain, node.op_type) for node in every_node(model.graph.node)}
        wanted = [name for name in sorted(called) if name in own or (find(*_plain(*name)) is None and _has_body(*name))]
        if not wanted:
            return model
        model = _with_defaults(model, {name for name in wanted if name not in own})
        try:
            model = onnx.inliner.inline_selected_functions(model, wanted, inline_schema_functions=True)
        except Exception as error:  # the inliner raises what its C++ part throws
            fault(f"functions that cannot be expanded ({str(error).splitlines()[0] if str(error) else error})")
        if sum(1 for _ in every_node(model.graph.node)) > _MOST_NODES:
            fault(f"functions that expand to more than {_MOST_NODES:,} nodes")
    fault(f"functions within functions, more than {_DEEPEST} deep")


def _with_defaults(model: onnx.ModelProto, names: set[tuple[str, str]]) -> onnx.ModelProto:
    """Return the model with the defaults of the named operators' attributes written out: the inliner forgets them."""
    if not names:
        return model
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    for node in every_node(whole.graph.node):
        if (node.domain, node.op_type) in names:
            given = {attribute.name for attribute in node.attribute}
            for name, attribute in onnx.defs.get_schema(node.op_type, node.domain).attributes.items():
                if name not in given and attribute.default_value.name:
                    node.attribute.append(attribute.default_value)
    return whole


def _plain(domain: str, name: str) -> tuple[str, str]:
    return "" if domain == "ai.onnx" else domain, name


def _has_body(domain: str, name: str) -> bool:
    try:
        schema = onnx.defs.get_schema(name, domain)
    except onnx.defs.SchemaError:
        return False
    known: Any = schema  # what the stubs leave out
    return known.has_function or known.has_context_dependent_function


def _check_growth(model: onnx.ModelProto, fault: Fault) -> None:
    """Refuse functions that call themselves, and a few bytes that expand to a million nodes."""
    bodies = {(f.domain, f.name): f for f in model.functions}
    if len(bodies) != len(model.functions):
        fault("two functions of the same name")
    sizes: dict[tuple[str, str], int] = {}
    open_: list[tuple[str, str]] = []

    def size(key: tuple[str, str]) -> int:
        if key in open_:
            fault(f"a function that calls itself, {key[1]!r}")
        if key not in sizes:
            if len(open_) > _DEEPEST:
                fault(f"functions within functions, more than {_DEEPEST} deep")
            open_.append(key)
            sizes[key] = sum(size(_key(node)) if _key(node) in bodies else 1 for node in every_node(bodies[key].node))
            open_.pop()
        return sizes[key]

    def _key(node: onnx.NodeProto) -> tuple[str, str]:
        return node.domain, node.op_type

    total = sum(size(_key(node)) if _key(node) in bodies else 1 for node in every_node(model.graph.node))
    for key in bodies:
        size(key)
    if total > _MOST_NODES:
        fault(f"functions that expand to {total:,} nodes")
