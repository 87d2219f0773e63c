"""The structure of a model: symbolic inputs and outputs, the calls of layers between them, and how users gave both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.graph import trace
from fastcnn.symbolic import Tensor


@dataclass(frozen=True, eq=False)
class Structure:
    """What lies between inputs and outputs; a model whose structure changes gets another one.

    Attributes
    ----------
    given_inputs, given_outputs : Tensor, or list or dict of them
        As users gave them: so are data given, and outputs returned.
    traced : Traced
    is_plain : bool
        Whether there are one input and one output, as arrays.
    """

    given_inputs: Any
    given_outputs: Any
    traced: trace.Traced
    is_plain: bool = field(init=False)

    def __post_init__(self) -> None:
        is_one = len(self.traced.inputs) == len(self.traced.outputs) == 1
        object.__setattr__(self, "is_plain", is_one and not isinstance(self.given_outputs, dict))

    @classmethod
    def between(cls, inputs: Any, outputs: Any, who: Any, added: Sequence[Tensor] = ()) -> "Structure":
        """Find the calls between tensors, and those that lead to losses that `add_loss` added; `who` is for errors."""
        return cls(inputs, outputs, trace.trace(tensors_of(who, "inputs", inputs), tensors_of(who, "outputs", outputs),
                                                str(who), added))

    def moved(self, shapes: Sequence[Any]) -> "Structure":
        """Return the structure for inputs of other shapes, of twins of its layers."""
        traced, there = trace.moved(self.traced, shapes)
        return Structure(_replaced(self.given_inputs, there), _replaced(self.given_outputs, there), traced)

    @property
    def input_shapes(self) -> list[Any]:
        return [tensor.shape for tensor in self.traced.inputs]

    @property
    def output_shapes(self) -> list[Any]:
        return [tensor.shape for tensor in self.traced.outputs]

    @property
    def input_names(self) -> list[str]:
        if isinstance(self.given_inputs, dict):
            return list(self.given_inputs)
        return [tensor.name for tensor in self.traced.inputs]

    @property
    def output_names(self) -> list[str]:
        """As `fastcnn.Model.output_names`."""
        if isinstance(self.given_outputs, dict):
            return list(self.given_outputs)
        names: list[str] = []
        for tensor in self.traced.outputs:
            name, count = tensor.name, 0
            while name in names:
                count += 1
                name = f"{tensor.name}_{count}"
            names.append(name)
        return names

    def as_given(self, outputs: Sequence[Any]) -> Any:
        """Return outputs as the model was told them: one, a list or a dict."""
        if isinstance(self.given_outputs, dict):
            return dict(zip(self.given_outputs, outputs, strict=True))
        return outputs[0] if len(outputs) == 1 else list(outputs)


def tensors_of(who: Any, what: str, given: Any) -> list[Tensor]:
    """Return inputs or outputs, however they are given, as a list; raise ArgumentError for what is no tensor."""
    found = list(given.values()) if isinstance(given, dict) else list(given) if isinstance(given, (list, tuple)) else [
        given]
    if not found or not all(isinstance(one, Tensor) for one in found):
        got = next((type(one).__name__ for one in found if not isinstance(one, Tensor)), "none")
        raise ArgumentError(f"{who}: expected {what} that fc.Input or a layer returned, got {got}")
    if what == "inputs" and len({id(one) for one in found}) < len(found):
        raise ArgumentError(f"{who}: expected different inputs, got one twice")
    return found


def _replaced(given: Any, there: dict[int, Tensor]) -> Any:
    """Return inputs or outputs in the form in which they are given, with other tensors in their places."""
    if isinstance(given, dict):
        return {name: there[id(one)] for name, one in given.items()}
    return [there[id(one)] for one in given] if isinstance(given, (list, tuple)) else there[id(given)]
