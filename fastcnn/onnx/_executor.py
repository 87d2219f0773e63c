"""Running a graph by the table of operators: constants are computed ahead, values freed after their last use."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx._graph import OnnxGraph, OnnxNode
from fastcnn.onnx.operators import Operator, find

#: What an operator may raise on inputs that do not suit it.
FAULTS = (ValueError, IndexError, TypeError, KeyError, MemoryError, OverflowError, ZeroDivisionError, AttributeError,
          RuntimeError)


@dataclass(frozen=True)
class OperatorCall:
    """A node with its function, the keywords it is called with, and the names nobody reads after it."""

    node: OnnxNode
    operator: Operator
    keywords: dict[str, Any]
    programs: dict[str, "Program"]
    done: tuple[str, ...] = ()
    kept: dict[Any, Any] = field(default_factory=dict)


def unsupported(graph: OnnxGraph) -> dict[str, list[str]]:
    """Return what keeps the graph from being run: nodes by the reason."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for node in graph.nodes:
        where = f"{node.domain}." if node.domain else ""
        operator = find(node.domain, node.operator)
        if operator is None:
            reasons[f"operator {where}{node.operator}"].append(str(node))
        else:
            for attribute in sorted(set(node.attributes) - operator.attributes):
                reasons[f"attribute {attribute!r} of {node.operator}"].append(str(node))
            for attribute in sorted(operator.needed - set(node.attributes)):
                reasons[f"{node.operator} without its attribute {attribute!r}"].append(str(node))
            if not operator.fewest <= len(node.inputs) <= operator.most:
                reasons[f"{node.operator} with {len(node.inputs)} inputs"].append(str(node))
        for inner in node.graphs():
            for reason, nodes in unsupported(inner).items():
                reasons[reason].extend(nodes)
    return reasons


def refuse(who: str, reasons: dict[str, list[str]]) -> None:
    """Raise one ModelFileError for all that is not offered, if there is any."""
    if reasons:
        parts = [f"{reason} ({', '.join(nodes[:3])}{', ...' if len(nodes) > 3 else ''})"
                 for reason, nodes in sorted(reasons.items())]
        raise ModelFileError(f"{who}: expected what fastcnn offers, got {'; '.join(parts)}")


class Program:
    """A graph that can be run.

    Parameters
    ----------
    graph : OnnxGraph
    who : str
        What errors call it.

    Raises
    ------
    ModelFileError
        Operators or attributes that are not offered, all in one message; or constants that cannot be computed.
    """

    def __init__(self, graph: OnnxGraph, who: str = "model") -> None:
        refuse(who, unsupported(graph))
        self.graph, self.who = graph, who
        self.inputs = [value.name for value in graph.inputs]
        self.outputs = [value.name for value in graph.outputs]
        self.constants: dict[str, Any] = dict(graph.constants)
        steps = [step_of(node, graph.opsets, who) for node in alive(graph)]
        later = []
        with np.errstate(all="ignore"):
            for step in steps:
                ahead = step.operator.pure and not step.programs and all(
                    not name or name in self.constants for name in step.node.inputs)
                if ahead:
                    self.constants.update(execute(step, self.constants, who))
                else:
                    later.append(step)
        read = set(self.outputs).union(*(step.node.reads() for step in later))
        self.constants = {name: value for name, value in self.constants.items() if name in read}
        self.steps = self._with_ends(later)

    def _with_ends(self, steps: Sequence[OperatorCall]) -> list[OperatorCall]:
        """Note with each step what it is the last to read, or makes for nobody."""
        alive = {*self.outputs, *self.constants, *self.graph.captured}
        planned = []
        for step in reversed(steps):
            names = step.node.reads() | {name for name in step.node.outputs if name}
            done = tuple(sorted(names - alive))
            alive |= names
            planned.append(OperatorCall(step.node, step.operator, step.keywords, step.programs, done, step.kept))
        return planned[::-1]

    def run(self, inputs: Iterable[Any], outer: dict[str, Any] | None = None) -> list[Any]:
        """Return the outputs for the inputs, both in the graph's order.

        Parameters
        ----------
        inputs : iterable
        outer : dict, optional
            Values of the graph around this one.
        """
        values = {**self.constants, **(outer or {}), **dict(zip(self.inputs, inputs, strict=True))}
        with np.errstate(all="ignore"):
            for step in self.steps:
                values.update(execute(step, values, self.who))
                for name in step.done:
                    values.pop(name, None)
        return [values[name] for name in self.outputs]


def alive(graph: OnnxGraph) -> list[OnnxNode]:
    """Return the nodes that an output depends on."""
    wanted, kept = {value.name for value in graph.outputs}, []
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted |= node.reads()
    return kept[::-1]


def step_of(node: OnnxNode, opsets: dict[str, int], who: str) -> OperatorCall:
    """Return a node as it runs: with what its operator is told."""
    operator = find(node.domain, node.operator)
    assert operator is not None
    programs = {name: Program(value, who) for name, value in node.attributes.items() if isinstance(value, OnnxGraph)}
    keywords = {name: value for name, value in node.attributes.items() if name not in programs}
    kept: dict[Any, Any] = {}
    told = {"opset": opsets.get(node.domain, 1), "outputs": len(node.outputs), "kept": kept}
    keywords |= {name: told[name] for name in operator.told}
    return OperatorCall(node, operator, keywords, programs, (), kept)


def execute(step: OperatorCall, values: dict[str, Any], who: str) -> dict[str, Any]:
    """Return the outputs of one step by their names.

    Raises
    ------
    ModelFileError
        If the operator cannot do it.
    """
    inputs = [values[name] if name else None for name in step.node.inputs]
    graphs = {name: _body(program, values) for name, program in step.programs.items()}
    try:
        result = step.operator.function(*inputs, **step.keywords, **graphs)
    except ModelFileError as error:
        raise ModelFileError(f"{who}: {step.node}: {error}") from error
    except FAULTS as error:
        shapes = ", ".join(f"{v.dtype} {v.shape}" if isinstance(v, np.ndarray) else type(v).__name__ for v in inputs)
        raise ModelFileError(f"{who}: {step.node}: expected inputs that suit it, got {shapes} ({error})") from error
    results = result if isinstance(result, tuple) else (result,)
    return {name: value if isinstance(value, (np.ndarray, list)) or value is None else np.asarray(value)
            for name, value in zip(step.node.outputs, results) if name}


def _body(program: Program, values: dict[str, Any]) -> Any:
    outer = {name: values[name] for name in program.graph.captured}
    return lambda *inputs: program.run(inputs, outer)
