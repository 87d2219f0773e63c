"""Products and sums with constants by channel, which the importer folds into the layer before them."""

from typing import Any

import numpy as np

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._layout import Later
from fastcnn.onnx.operators import find


class Folding:
    """The part of `Importer` that looks at what comes after a node.

    Attributes
    ----------
    values : dict
        What each name of the file is: a view, or an array.
    readers : dict
        The nodes that read a name.
    makers : dict
        The node that a name comes from.
    results : list of str
        Names that are outputs.
    absorbed : set of int
        Nodes that need no layer any more, by identity.
    """

    values: dict[str, Any]
    readers: dict[str, list[OnnxNode]]
    makers: dict[str, OnnxNode]
    results: list[str]
    absorbed: set[int]

    def _convert(self, node: OnnxNode) -> None:
        raise NotImplementedError

    def is_for_any_batch(self, name: str) -> bool:
        raise NotImplementedError

    def following(self, name: str) -> OnnxNode | None:
        """Return the only node that reads a value, or None if there is another number of them."""
        nodes = self.readers[name]
        return nodes[0] if len(nodes) == 1 and name not in self.results else None

    def affine_after(self, node: OnnxNode, rank: int, channels: int, axis: int = 1
                     ) -> tuple[np.ndarray, np.ndarray, Later]:
        """Take the products and sums with constants by channel that follow a node and that nobody else reads.

        Transposes and casts on the way are passed by.

        Parameters
        ----------
        node : OnnxNode
        rank, axis : int
            Dimensions of its output, and which of them is the channels'.
        channels : int

        Returns
        -------
        array, array
            Scale and offset, (channels,) each.
        Later
            What the last output is, for `also`.
        """
        scale, offset, name = np.ones(channels), np.zeros(channels), node.outputs[0]
        taken: Later = (name, ())
        passed: list[OnnxNode] = []
        turns: list[tuple[int, ...]] = []
        while (after := self.following(name)) is not None and not after.domain:
            numbers = self._by_channel(after, name, rank, channels, axis)
            passed.append(after)
            if numbers is not None:
                scale, offset = composed(after, name, scale, offset, numbers)
                self.absorbed.update(map(id, passed))
                passed, taken = [], (after.outputs[0], tuple(turns))
            elif after.operator == "Transpose" and after.attributes.get("perm", [1])[0] == 0:
                turns.append(tuple(after.attributes["perm"]))
                axis = turns[-1].index(axis)
            elif after.operator != "Identity" and (after.operator, after.attributes.get("to")) != ("Cast", 1):
                break
            name = after.outputs[0]
        return scale, offset, taken

    def _by_channel(self, node: OnnxNode, name: str, rank: int, channels: int, axis: int) -> np.ndarray | None:
        """Return the constant that a node adds, subtracts or multiplies, a number a channel; None if it is none."""
        if node.operator not in ("Add", "Sub", "Mul", "Div") or len(node.inputs) != 2 or "axis" in node.attributes:
            return None
        other = node.inputs[0] if node.inputs[1] == name else node.inputs[1]
        value = self.known(other)
        if value is None or other == name or value.dtype.kind != "f" or value.ndim > rank:
            return None
        if not self.is_for_any_batch(other) or (node.operator == "Div" and node.inputs[1] == name):
            return None
        shape = (1,) * (rank - value.ndim) + value.shape
        if any(n != 1 for at, n in enumerate(shape) if at != axis) or shape[axis] not in (1, channels):
            return None
        return np.broadcast_to(value.reshape(-1), (channels,)).astype(np.float64)

    def known(self, name: str) -> np.ndarray | None:
        """Return the value of a name if it is a constant: computed already, or now, by the pure nodes behind it."""
        left = [name]
        while left:
            value, node = self.values.get(left[-1]), self.makers.get(left[-1])
            if value is not None:
                if not isinstance(value, np.ndarray):
                    return None
                left.pop()
                continue
            operator = None if node is None else find(node.domain, node.operator)
            if node is None or operator is None or not operator.pure or node.graphs():
                return None
            missing = [one for one in node.inputs if one and one not in self.values]
            if missing:
                left += missing
            elif all(isinstance(self.values[one], np.ndarray) for one in node.inputs if one):
                self._convert(node)
                self.absorbed.add(id(node))
            else:
                return None
        return self.values[name]


def composed(node: OnnxNode, name: str, scale: np.ndarray, offset: np.ndarray,
              numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and offset with one more product or sum behind them."""
    if node.operator == "Mul":
        return scale * numbers, offset * numbers
    if node.operator == "Div":
        return scale / numbers, offset / numbers
    if node.operator == "Add":
        return scale, offset + numbers
    if node.inputs[0] == name:
        return scale, offset - numbers
    return -scale, numbers - offset
