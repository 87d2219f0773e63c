"""What goes into a network and comes out of it: tensors, names and shapes, as users gave them."""

from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.graph.trace import Traced
from fastcnn.layers.base import Layer
from fastcnn.models.executables import Executables
from fastcnn.models.structure import Structure
from fastcnn.symbolic import Tensor, as_shapes


class InputsAndOutputs(Layer):
    """The part of a network that knows its structure, and so what it takes and returns."""

    _structure: Structure | None
    _executables: Executables | None

    def _built_structure(self, what: str = "") -> Structure:
        """Return the structure; raise ArgumentError if there is none yet."""
        if self._structure is None:
            raise ArgumentError(f"{self}: {what and f'{what} '}expected a built model; begin with fc.Input(shape), or "
                                f"call build((None, *shape))")
        return self._structure

    @property
    def executables(self) -> Executables:
        """What runs the network."""
        if self._executables is None:
            self._built_structure()  # which says what is missing
        assert self._executables is not None
        return self._executables

    @property
    def traced(self) -> Traced | None:
        """The calls between inputs and outputs; None before there are any."""
        return None if self._structure is None else self._structure.traced

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic inputs."""
        return self._built_structure().traced.inputs

    @property
    def outputs(self) -> list[Tensor]:
        """The symbolic outputs."""
        return self._built_structure().traced.outputs

    @property
    def input(self) -> Any:
        """The symbolic input, or the list of them."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The symbolic output, or the list or dict of them."""
        return self.as_given(self.outputs)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs: a dict's keys, else the names of the layers `Input`."""
        return self._built_structure().input_names

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs: a dict's keys, else the names of the layers they come from, each with a number where
        several come from one: dense, dense_1.
        """
        return self._built_structure().output_names

    @property
    def input_shapes(self) -> list[Any]:
        """The shape of each input, with None for the batch."""
        return list(as_shapes(self.input_shape))

    @property
    def output_shapes(self) -> list[Any]:
        """The shape of each output, with None for the batch."""
        return list(as_shapes(self.output_shape))

    @property
    def taken_shapes(self) -> list[Any]:
        """The shapes that arrays may have: `input_shapes`, with None for all sizes of a model with `call`."""
        shapes = self.input_shapes
        return [(None,) * len(shape) for shape in shapes] if self.has_call else shapes

    def output_shapes_of(self, xs: Sequence[Any]) -> list[Any]:
        """Return the shape of each output for inputs, which are arrays; sizes that were left open are known then."""
        if not self.executables.vary:
            return self.output_shapes
        return self.executables.get(xs).output_shapes([(None, *x.shape[1:]) for x in xs])

    def as_given(self, outputs: Sequence[Any]) -> Any:
        """Return outputs as the model was told them: one, a list or a dict."""
        return self._built_structure().as_given(outputs)
