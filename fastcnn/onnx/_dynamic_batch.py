"""What a file computes from its batch, which is free in the model.

Shapes that the file computes are computed here, with the number that the file has for its batch. Where it has none,
all is computed for two batches: what comes out alike is a constant. What differs depends on the batch, and no layer
does: it may only be the batch itself, as the first entry of a shape.
"""

from collections import ChainMap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx._executor import OperatorCall, execute
from fastcnn.onnx._graph import OnnxNode, ValueInfo
from fastcnn.onnx._layout import NotOfferedError

_FREE, _OTHER = 7919, 2  # a prime that no dimension has, and a batch of another order of magnitude

#: Operators that are told a shape, whose first entry is the batch's.
_SHAPED = {"Expand", "Reshape", "Resize"}


class DynamicBatch:
    """The part of `Importer` that knows the batch.

    Parameters
    ----------
    inputs : sequence of ValueInfo
        The graph's.

    Attributes
    ----------
    batch : int
        The file's, or a number that stands for a free one.
    other : dict
        The constants that depend on a free batch, as they are for another one.
    """

    who: str
    values: dict[str, Any]

    def __init__(self, inputs: Sequence[ValueInfo]) -> None:
        found = {value.shape[0] for value in inputs if value.shape}
        fixed = {n for n in found if isinstance(n, int) and n > 0}
        if len(fixed) > 1:
            raise ModelFileError(f"{self.who}: expected inputs of one batch, got {sorted(fixed)}; "
                                 "fastcnn.onnx.backend runs such files")
        self.batch = fixed.pop() if fixed else _FREE
        self.other: dict[str, np.ndarray] = {}

    def of_batch(self, node: OnnxNode, function: Callable[[int], np.ndarray]) -> np.ndarray:
        """Return what a node makes of the batch."""
        other = _OTHER if self.batch == _FREE else self.batch
        return self._noted(node.outputs[0], function(self.batch), function(other))

    def for_any_batch(self, step: OperatorCall) -> dict[str, Any]:
        """Return the outputs of a step whose inputs are constants."""
        found = execute(step, self.values, self.who)
        if any(name in self.other for name in step.node.inputs):
            values: Any = ChainMap(self.other, self.values)
            for name, other in execute(step, values, self.who).items():
                self._noted(name, found[name], other)
        return found

    def _noted(self, name: str, one: Any, other: Any) -> Any:
        if not np.array_equal(one, other):
            self.other[name] = other
        return one

    def is_for_any_batch(self, name: str, but_first: bool = False) -> bool:
        """Return whether a constant is the same for any batch; with `but_first`, but for a first entry that is it."""
        if name not in self.other:
            return True
        one, other = self.values[name].reshape(-1), self.other[name].reshape(-1)
        return but_first and (one[0], other[0]) == (_FREE, _OTHER) and np.array_equal(one[1:], other[1:])

    def require_any_batch(self, node: OnnxNode) -> None:
        """Raise where a layer or a branch would depend on the batch."""
        if not all(self.is_for_any_batch(name, node.operator in _SHAPED) for name in node.inputs):
            raise NotOfferedError(f"{node.operator} with a number that is computed from the batch")
