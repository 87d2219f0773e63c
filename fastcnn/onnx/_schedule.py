"""What the backend does for inputs of one shape: models that layers were made of, and operators, in turn.

Values lie in one dict. A name stands for an array in the file's order of dimensions, a tensor for what a layer made, in
the order in which that lies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastcnn.models import Model
from fastcnn.onnx._executor import OperatorCall, execute
from fastcnn.onnx._layout_view import View
from fastcnn.onnx.operators._memory import channels_last, dense
from fastcnn.symbolic import Tensor

Values = dict[Any, Any]


class OtherShapesError(Exception):
    """An operator made an array of another shape than it made when the schedule was written."""


@dataclass(frozen=True)
class Operators:
    """One operator of the table.

    Attributes
    ----------
    step : OperatorCall
    shapes : tuple of (str, tuple of int)
        The shapes of its outputs that layers rely on.
    """

    step: OperatorCall
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def reads(self) -> set[Any]:
        return set(self.step.node.reads())

    @property
    def makes(self) -> set[Any]:
        return {name for name in self.step.node.outputs if name}

    def run(self, values: Values, who: str) -> None:
        """Add its outputs to the values."""
        values.update(execute(self.step, values, who))
        for name, shape in self.shapes:
            if values[name].shape != shape:
                raise OtherShapesError


class Start(NamedTuple):
    """An input of a model.

    Attributes
    ----------
    tensor : Tensor
    key : str or Tensor
        What it is given.
    moves : bool
        Whether that has its second dimension last in the model.
    """

    tensor: Tensor
    key: Any
    moves: bool

    def array(self, values: Values) -> np.ndarray:
        """Return what the model is given."""
        x = values[self.key]
        x = channels_last(x) if self.moves else dense(x)
        return x.reshape(len(x), *self.tensor.shape[1:])


@dataclass(frozen=True)
class Layers:
    """A model in the place of nodes.

    Attributes
    ----------
    model : Model or None
        None where nothing but the order of dimensions changes.
    starts : tuple of Start
        Those of the model, and then those of which only the order changes.
    outputs : tuple of Tensor
    named : tuple of (str, View)
        What somebody wants as the file has it.
    """

    model: Model | None
    starts: tuple[Start, ...]
    outputs: tuple[Tensor, ...]
    named: tuple[tuple[str, View], ...]

    @property
    def reads(self) -> set[Any]:
        return {start.key for start in self.starts}

    @property
    def makes(self) -> set[Any]:
        return {*(start.tensor for start in self.starts), *self.outputs, *(name for name, _ in self.named)}

    def run(self, values: Values, who: str) -> None:
        """Add what the model makes to the values."""
        xs = [start.array(values) for start in self.starts]
        if self.model is not None:
            ys = self.model.infer_all(xs[: len(self.model.inputs)])
            values.update(zip(self.outputs, ys, strict=True))
        values.update((start.tensor, x) for start, x in zip(self.starts, xs))
        for name, view in self.named:
            values[name] = in_file_order(values[view.tensor], view)


Part = Operators | Layers


def in_file_order(y: np.ndarray, view: View) -> np.ndarray:
    """Return what a layer made with the file's dimensions: a view of it where that can be."""
    atoms = y.reshape(len(y), *view.sizes).transpose(0, *(1 + atom for atom in view.order))
    return atoms.reshape(len(y), *view.shape)


class Schedule:
    """Parts of a graph, one after the other.

    Parameters
    ----------
    parts : sequence of Part
    constants : dict
        What they read and nobody makes.
    inputs, outputs : sequence of str
    who : str
    """

    def __init__(self, parts: Sequence[Part], constants: Values, inputs: Sequence[str], outputs: Sequence[str],
                 who: str) -> None:
        self.parts, self.constants, self.inputs, self.outputs, self.who = parts, constants, inputs, outputs, who
        kept, self._done = {*outputs, *constants}, list[tuple[Any, ...]]()
        for part in reversed(parts):
            names = part.reads | part.makes
            self._done.insert(0, tuple(names - kept))
            kept |= names

    def run(self, inputs: Iterable[Any]) -> list[Any]:
        """Return the outputs for the inputs, both in the graph's order.

        Raises
        ------
        OtherShapesError
            If what depends on data has another shape this time.
        """
        values = {**self.constants, **dict(zip(self.inputs, inputs, strict=True))}
        with np.errstate(all="ignore"):
            for part, done in zip(self.parts, self._done):
                part.run(values, self.who)
                for key in done:
                    values.pop(key, None)
        return [values[name] for name in self.outputs]
