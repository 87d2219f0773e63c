"""Values whose first dimension in the file is not the batch: what stands between a turn and the turn back.

PyTorch's exporters pick by index along the first dimension, between two transposes; files made for a batch of one mix
that one with what comes after it::

    Transpose (2, 3, 0, 1)     (N, C, H, W) is (H, W, N, C)         the batch at 2, the sample's dimensions (H, W, C)
    Reshape (24, 2, 1936)      (1, 48, 44, 44) is (24, 2, 1936)     no batch: all dimensions are the sample's
    Reshape (-1,)              (N, C, 1, 1) is (N C,)               the batch in front of C, in one dimension with it

The sample's dimensions are a `View`, as ever. Who needs the batch first says the cause of its absence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._layout import Arranging, NotOfferedError
from fastcnn.onnx._layout_view import View


@dataclass(frozen=True)
class Turned:
    """A value of the file whose batch is not its first dimension.

    Attributes
    ----------
    view : View
        The sample's dimensions, in the file's order.
    at : int or None
        The batch's place among the file's dimensions; None where it is none of them.
    cause : str
        What turned it, for the message.
    node : OnnxNode
        Who turned it.
    is_merged : bool
        Whether the batch and the sample's dimension at its place are one of the file's.
    """

    view: View
    at: int | None
    cause: str
    node: OnnxNode
    is_merged: bool = False

    def shape(self, batch: int) -> tuple[int, ...]:
        """Return the file's dimensions."""
        sizes = self.view.shape
        if self.at is None:
            return sizes
        if self.is_merged:
            return *sizes[:self.at], batch * sizes[self.at], *sizes[self.at + 1:]
        return *sizes[:self.at], batch, *sizes[self.at:]

    def axis_of_view(self, axis: int) -> int:
        """Return one of the file's axes among the sample's.

        Raises
        ------
        NotOfferedError
            If it is the batch's.
        """
        axis = axis + len(self.view.dims) + (self.at is not None and not self.is_merged) if axis < 0 else axis
        if axis == self.at:
            raise NotOfferedError("samples picked by index")
        return axis - (self.at is not None and not self.is_merged and axis > self.at)


def straight(value: Any) -> Any:
    """Return a value as most nodes need it: the batch first.

    Raises
    ------
    NotOfferedError
        With the cause, if it is not.
    """
    if not isinstance(value, Turned):
        return value
    if value.at is None and value.view.dims and value.view.shape[0] == 1:
        return replace(value.view, dims=value.view.dims[1:])
    raise NotOfferedError(value.cause, value.node)


def placed(view: View, at: int | None, cause: str, node: OnnxNode) -> View | Turned:
    """Return a value whose batch is at a place of the file's dimensions."""
    return view if at == 0 else Turned(view, at, cause, node)


def regrouped(im: Arranging, batch: int, view: View, at: int | None, sizes: Sequence[int], cause: str,
              node: OnnxNode) -> View | Turned:
    """Return a value with other dimensions of the file.

    Parameters
    ----------
    im : Arranging
    batch : int
        The file's.
    view, at : View, int or None
        As `Turned` has them.
    sizes : sequence of int
        The file's new dimensions.
    cause, node : str, OnnxNode
        Of a batch that is not the first of them.

    Raises
    ------
    NotOfferedError
        With the cause, if the samples of a batch are mixed.
    """
    if at is None:
        return Turned(im.regrouped(view, sizes), None, cause, node)
    before = math.prod(view.shape[:at])
    places = [p for p in range(len(sizes)) if math.prod(sizes[:p]) == before and sizes[p] > 0]
    for p in places:
        if sizes[p] == batch:
            return placed(im.regrouped(view, (*sizes[:p], *sizes[p + 1:])), p, cause, node)
    if batch == 1:
        return Turned(im.regrouped(view, sizes), None, cause, node)
    for p in places:
        if sizes[p] % batch == 0:
            parts = *sizes[:p], sizes[p] // batch, *sizes[p + 1:]
            return Turned(im.regrouped(view, parts), p, cause, node, True)
    raise NotOfferedError(cause)
