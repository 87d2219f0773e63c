"""The table of operators: a function for each, found by its ONNX name.

A function takes the inputs as positional arguments (None for an optional one that is absent) and the attributes by
their ONNX names and defaults as keywords, and returns an array, or a tuple of them where there are several. Three
keywords are no attributes; a function that has them in its signature is told

    opset     the version of the operator set that the node belongs to
    outputs   how many outputs somebody may want
    kept      a dict of the node's own, alive as long as its program: for a layer with its packed weights

Inside is ONNX's order of dimensions, (N, C, ...). What a convolution returns is a view of channels-last memory in that
order, so that the next one finds it as it needs it and nothing is transposed between.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]

_TOLD = frozenset({"opset", "outputs", "kept"})

#: The training operators' domain.
TRAINING = "ai.onnx.preview.training"


@dataclass(frozen=True)
class Operator:
    """A function, and what its signature says.

    Attributes
    ----------
    function : callable
    attributes : frozenset of str
        The names of the attributes it knows.
    needed : frozenset of str
        Those without a default.
    told : frozenset of str
        Which of opset, outputs and kept it takes.
    fewest, most : int
        How many inputs it takes.
    pure : bool
        Whether the same inputs give the same outputs, so that it may be computed ahead.
    """

    function: Function
    attributes: frozenset[str]
    needed: frozenset[str]
    told: frozenset[str]
    fewest: int
    most: int
    pure: bool


_operators: dict[tuple[str, str], Operator] = {}


def operator(*names: str, domain: str = "", pure: bool = True) -> Callable[[Function], Function]:
    """Enter the function below into the table.

    Parameters
    ----------
    *names : str
        ONNX's names.
    domain : str
    pure : bool
        As `Operator.pure`.
    """

    def enter(function: Function) -> Function:
        parameters = inspect.signature(function).parameters.values()
        keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY and not p.name.startswith("_")]
        inputs = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        entry = Operator(
            function,
            frozenset(p.name for p in keywords) - _TOLD,
            frozenset(p.name for p in keywords if p.default is p.empty) - _TOLD,
            frozenset(p.name for p in keywords) & _TOLD,
            sum(p.default is p.empty for p in inputs),
            10_000_000 if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(inputs),
            pure,
        )
        for name in names:
            if (domain, name) in _operators:
                raise KeyError(f"operator {name} is in the table already")
            _operators[domain, name] = entry
        return function

    return enter


def find(domain: str, name: str) -> Operator | None:
    """Return an operator, or None if there is none of that name.

    Parameters
    ----------
    domain, name : str
        As a node of a file has them; the domain of ONNX's own operators is "".
    """
    return _operators.get((domain, name))


def known() -> list[tuple[str, str]]:
    """Return (domain, name) of every operator, sorted."""
    return sorted(_operators)
