"""A model there and back, with every layer's output and gradient at hand: closures, no hooks.

Models inside are opened, and a layer that is used twice is two steps, so shared layers are no obstacle. Nothing is
kept in layers: their parameters get no gradients.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, DataError
from fastcnn.graph import execute
from fastcnn.graph.steps import GraphStep
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.models.network import Network
from fastcnn.vision.seen_by_units import opened, slot_of

_LAST = ("softmax", "log_softmax", "sigmoid")  # activations that make logits probabilities


class Passes:
    """The graph of a model that has learned.

    Parameters
    ----------
    model : Model
        With one input of pictures (H, W, C); the first output is explained.
    who : str
        For errors.
    x : array, optional
        The pictures, whose size a model takes that leaves it open.

    Attributes
    ----------
    model : Model
    graph : Graph
        Its layers; the last softmax or sigmoid is left out, so that it ends in logits.
    output : int
        The slot of the logits.
    """

    def __init__(self, model: Network, who: str, x: Any = None) -> None:
        if not model.built or len(model.input_shapes) != 1 or len(model.input_shape) != 4:
            raise ArgumentError(f"{who}: expected a built model with one input of pictures (H, W, C), got {model}")
        size = np.shape(x)[-3:]
        if None in model.input_shape[1:] and len(size) == 3:
            model = model.for_shape((None, *size))
        self.model, self.who = model, who
        self.graph, self._paths = opened(model)
        for step in self.graph.steps:
            if isinstance(step.node, Layer) and step.node.trainable:
                step.node = step.node.replaced(_original=None, _trainable=False)
        self.output = self.before(self.graph.outputs[0], _LAST)

    def before(self, slot: int, activations: Collection[str]) -> int:
        """Return where that lies which one of some activations makes a slot's values of, and leave it out from now on.

        It is the slot itself where a layer ends in the activation, or has none of them.
        """
        step = next(step for step in self.graph.steps if slot in step.outputs)
        if _name_of(step.node) not in activations:
            return slot
        if hasattr(step.node, "function"):  # a layer that is nothing else
            return step.inputs[0]
        step.node = step.node.replaced(activation=None)
        return slot

    def pictures(self, x: Any) -> np.ndarray:
        """Return pictures as the model takes them, (N, H, W, C); one picture becomes a batch.

        Raises
        ------
        DataError
            If they have another shape.
        """
        found = np.asarray(x)
        found = found[None] if found.ndim == 3 else found
        wanted = self.model.input_shape
        if found.ndim != 4 or found.dtype.kind not in "buif" or any(
                a != b for a, b in zip(found.shape[1:], wanted[1:], strict=True) if b is not None):
            raise DataError(f"{self.who}: expected pictures {('N', *wanted[1:])} for {self.model}, got "
                            f"{found.dtype} of shape {found.shape}")
        return np.ascontiguousarray(found, self.model.array_dtype)

    def slot(self, layer: str | None) -> int:
        """Return where the output of a layer lies; without a name that of the last feature maps.

        Raises
        ------
        ArgumentError
            If there is no such layer, or no feature map.
        """
        if layer is None:
            maps = [step.outputs[0] for step in self.graph.steps if _is_map(step.node.output_shape)]
            if not maps:
                raise ArgumentError(f"{self.who}: expected a model with feature maps (H, W, K), got {self.model}; name "
                                    f"a layer")
            return maps[-1]
        return slot_of(self._paths, layer, f"{self.who}: layer of {self.model}")

    def forward(self, x: np.ndarray, until: int | None = None) -> "Record":
        """Return what the layers answer to pictures, up to a slot."""
        values: list[Any] = [None] * self.graph.slots
        values[self.graph.inputs[0]] = x
        ways: list[tuple[GraphStep, Backward]] = []
        until = self.output if until is None else until
        call = Call(training=False)
        for step in self.graph.steps:
            if values[until] is not None:
                break
            y, way = step.node.forward(execute.arguments(step, values), call)
            for slot, one in zip(step.outputs, y if len(step.outputs) > 1 else (y,), strict=True):
                values[slot] = one
            ways.append((step, way))
        return Record(values, ways)

    def targets(self, logits: Any, target: Any) -> np.ndarray:
        """Return the index of the output that each picture is explained for: the largest, unless one is wanted.

        Raises
        ------
        ArgumentError
            If there is no such output.
        """
        scores = device.get(logits)
        flat = scores.reshape(len(scores), -1)
        if target is None:
            return flat.argmax(1)
        found = np.broadcast_to(np.asarray(target), len(flat))
        if found.dtype.kind not in "iu" or (found.size and not 0 <= found.min() <= found.max() < flat.shape[1]):
            raise ArgumentError(f"{self.who}: expected target to be an output from 0 to {flat.shape[1] - 1}, got "
                                f"{target!r}")
        return found


class Record:
    """The outputs of all steps for some pictures, and the ways back.

    Attributes
    ----------
    values : list of arrays
        By slot.
    """

    def __init__(self, values: list[Any], ways: list[tuple[GraphStep, Backward]]) -> None:
        self.values, self._ways = values, ways

    def backward(self, slot: int, dy: np.ndarray, to: int, guided: bool = False) -> np.ndarray:
        """Return the gradient at the slot `to`, given that at a later one; it may be asked once.

        Parameters
        ----------
        slot, to : int
        dy : array
        guided : bool
            Whether a ReLU also keeps back what is negative on its way back (Springenberg et al.).
        """
        gradients: list[Any] = [None] * len(self.values)
        gradients[slot] = np.ascontiguousarray(dy, self.values[slot].dtype)
        for step, way in reversed(self._ways):
            if to in step.outputs:
                break
            dys = tuple(gradients[one] for one in step.outputs)
            if all(one is None for one in dys):
                continue
            given = tuple(np.zeros_like(self.values[at]) if one is None else one
                          for at, one in zip(step.outputs, dys, strict=True))
            if guided and (_name_of(step.node) or "").startswith("relu"):
                given = tuple(np.maximum(device.get(one), 0) for one in given)
            dx = way(given if len(given) > 1 else given[0])
            for at, one in zip(step.inputs, dx if isinstance(dx, tuple) else (dx,), strict=True):
                if one is not None:
                    gradients[at] = one.copy() if gradients[at] is None else gradients[at] + one
        found = gradients[to]
        return np.zeros_like(device.get(self.values[to])) if found is None else device.get(found)


def _name_of(node: Any) -> str | None:
    """Return the name of the activation that a layer ends in, or is."""
    return getattr(getattr(node, "function", None) or getattr(node, "activation", None), "name", None)


def _is_map(shape: Any) -> bool:
    return isinstance(shape, tuple) and len(shape) == 4 and shape[1:3] != (1, 1)


def one_hot(shape: tuple[int, ...], targets: np.ndarray) -> np.ndarray:
    """Return zeros of the shape of outputs, with a one at each picture's target."""
    dy = np.zeros((shape[0], int(np.prod(shape[1:]))))
    dy[np.arange(shape[0]), targets] = 1
    return dy.reshape(shape)
