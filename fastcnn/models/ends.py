"""The inputs and outputs of a model: its symbolic tensors, their names and shapes, and the form in which they came."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.graph import trace
from fastcnn.symbolic import Tensor, as_shapes


class Ends:
    """The part of `fastcnn.Model` that knows its inputs and outputs."""

    _given_inputs: Any = None
    _given_outputs: Any = None

    # What the others have.
    built: bool
    traced: trace.Traced | None
    input_shape: Any
    output_shape: Any

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic inputs."""
        return self._between().inputs

    @property
    def outputs(self) -> list[Tensor]:
        """The symbolic outputs."""
        return self._between().outputs

    @property
    def input(self) -> Any:
        """The symbolic input, or the list of them."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The symbolic output, or the list of them."""
        return self.outputs[0] if len(self.outputs) == 1 else self.outputs

    @property
    def input_names(self) -> list[str]:
        if isinstance(self._given_inputs, dict):
            return list(self._given_inputs)
        return [t.name for t in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs: a dict's keys, else the names of the layers they come from, each with a number where
        several come from one: dense, dense_1.
        """
        if isinstance(self._given_outputs, dict):
            return list(self._given_outputs)
        names: list[str] = []
        for tensor in self.outputs:
            name, count = tensor.name, 0
            while name in names:
                count += 1
                name = f"{tensor.name}_{count}"
            names.append(name)
        return names

    @property
    def input_shapes(self) -> list[Any]:
        return list(as_shapes(self.input_shape))

    @property
    def output_shapes(self) -> list[Any]:
        return list(as_shapes(self.output_shape))

    def as_given(self, outputs: Sequence[Any]) -> Any:
        """Return outputs as the model was told them: one, a list or a dict."""
        if isinstance(self._given_outputs, dict):
            return dict(zip(self._given_outputs, outputs, strict=True))
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def _replace_given(self, there: dict[int, Tensor]) -> None:
        """Let other tensors be what the model was made of."""
        self._given_inputs, self._given_outputs = (
            {name: there[id(one)] for name, one in given.items()} if isinstance(given, dict)
            else [there[id(one)] for one in given] if isinstance(given, (list, tuple)) else there[id(given)]
            for given in (self._given_inputs, self._given_outputs))

    def _between(self) -> trace.Traced:
        if self.traced is None:
            raise ArgumentError(f"{self}: expected a built model; begin with "
                                f"fc.Input(shape), or call build((None, *shape))")
        return self.traced

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise ArgumentError(f"{self}: {what} expected a built model; begin with "
                                f"fc.Input(shape), or call build((None, *shape))")


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


def on_host(outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return outputs as NumPy arrays."""
    return [device.get(y) for y in outputs]
