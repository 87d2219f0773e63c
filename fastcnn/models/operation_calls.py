"""Calls of functions of `fastcnn.ops` in a structure that another program wrote: they make operations, as layers.

{"layer": "mean_3", "operation": "mean", "kind": "Mean", "args": [{"tensor": [3, 0]}], "named": {"axis": [1, 2]}}
"""

from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.symbolic import Tensor

#: The key of a tensor among arguments: the call that it comes from, and which of its outputs it is.
TENSOR = "tensor"


def function_of(name: str) -> Any:
    """Return the function of a name in `fastcnn.ops`, ``ops.nn`` or ``ops.image``; None if there is none.

    Parameters
    ----------
    name : str
        Keras's.
    """
    from fastcnn import ops

    for room in (ops, ops.nn, ops.image):
        if name in room.__all__ and callable(getattr(room, name)):
            return getattr(room, name)
    return None


def called(call: dict[str, Any], done: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Call a function of `fastcnn.ops` with tensors; return what it returns as a tuple.

    Parameters
    ----------
    call : dict
    done : list of tuple of Tensor
        What the calls before it returned.

    Raises
    ------
    ArgumentError
        If the function does not take them.
    """
    def given(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {TENSOR}:
            at, which = value[TENSOR]
            return done[at][which]
        if isinstance(value, dict):
            return {key: given(one) for key, one in value.items()}
        return type(value)(given(one) for one in value) if isinstance(value, (list, tuple)) else value

    before = {id(one) for outputs in done for one in outputs}
    who = f'the operation {call["kind"]} "{call["layer"]}"'
    try:
        found = function_of(call["operation"])(*given(call["args"]), **given(call["named"]))
    except (ArgumentError, TypeError, ValueError) as error:
        raise ArgumentError(f"{who}: {error}") from error
    outputs = tuple(found) if isinstance(found, (list, tuple)) else (found,)
    strange = next((one for one in outputs if not isinstance(one, Tensor)), None)
    if strange is not None:
        raise ArgumentError(f"{who}: expected a result that depends on the inputs, got {type(strange).__name__}")
    _name(outputs, call["layer"], before)
    return outputs


def _name(outputs: Sequence[Tensor], name: str, before: set[int]) -> None:
    """Give the layers that were made the name of the call: the last its own, others with their kind after it."""
    waiting, seen = [outputs[0]], set[int]()
    while waiting:
        tensor = waiting.pop(0)
        if id(tensor) in before or id(tensor.node) in seen:
            continue
        seen.add(id(tensor.node))
        layer = tensor.node.layer
        if len(layer.nodes) == 1:
            layer.name = f"{name}.{layer.name}" if len(seen) > 1 else name
        waiting.extend(tensor.node.inputs)
