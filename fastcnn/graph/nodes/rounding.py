"""A node whose layers compute in bfloat16: what comes in, goes out and comes back is rounded."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.graph.node import is_replayable
from fastcnn.layers.base import Backward, Call
from fastcnn.operations.bfloat16 import round_in_place, rounded
from fastcnn.parameters import Parameter


class Rounding:
    """A node between arrays of numbers of bfloat16.

    Inside it the arithmetic is float32: only what layers hand on, forward or backward, loses its last bits. A gradient
    is rounded once, where it enters, after those of all readers of an output were added.

    Parameters
    ----------
    node : Layer or node
    enters : tuple of bool
        For each input, whether it may have numbers of float32, which are rounded on a copy.
    leaves : tuple of bool
        For each output, whether it is rounded. One that the model returns, and nobody else reads, is not.
    """

    def __init__(self, node: Any, enters: Sequence[bool], leaves: Sequence[bool]) -> None:
        self.node, self.enters, self.leaves = node, tuple(enters), tuple(leaves)
        self.name = getattr(node, "name", type(node).__name__)
        self.traits, self.many_inputs, self.replayable = node.traits, node.many_inputs, is_replayable(node)
        self.input_shape, self.output_shape = node.input_shape, node.output_shape
        self.holds_layers = getattr(node, "holds_layers", False)
        # A product writes memory of its own, which may be written once more.
        self._in_place = len(self.leaves) == 1 and bool(getattr(node, "multiply_adds", int)() or _has_product(node))

    @property
    def parameters(self) -> Sequence[Parameter]:
        found: Sequence[Parameter] = self.node.parameters
        return found

    @property
    def trainable_weights(self) -> Sequence[Parameter]:
        found: Sequence[Parameter] = self.node.trainable_weights
        return found

    def held_layers(self) -> dict[str, Any]:
        """As `Layer.held_layers`."""
        found: dict[str, Any] = self.node.held_layers() if self.holds_layers else {}
        return found

    def forward(self, x: Any, call: Call = Call()) -> tuple[Any, Backward]:
        """As `Layer.forward`."""
        y, back = self.node.forward(self._entered(x), call)

        def backward(dy: Any) -> Any:
            return back(tuple(map(rounded, dy)) if isinstance(dy, tuple) else rounded(dy))

        return self._left(y), backward

    def predict(self, x: Any) -> Any:
        """As `Layer.predict`."""
        return self._left(self.node.predict(self._entered(x)))

    def _entered(self, x: Any) -> Any:
        if not any(self.enters):
            return x
        if not self.many_inputs:
            return rounded(x)
        return tuple(rounded(one) if enters else one for one, enters in zip(x, self.enters, strict=True))

    def _left(self, y: Any) -> Any:
        if not any(self.leaves):
            return y
        if not isinstance(y, tuple):
            return self._stored(y)
        return tuple(self._stored(one) if leaves else one for one, leaves in zip(y, self.leaves, strict=True))

    def _stored(self, y: np.ndarray) -> np.ndarray:
        if not self._in_place:
            return rounded(y)
        round_in_place(y)
        return y


def _has_product(node: Any) -> bool:
    return getattr(node, "product", None) is not None or getattr(node, "convolution", None) is not None
