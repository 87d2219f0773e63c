"""How a value of the file lies in a tensor of the model: reshapes and transposes without moving anything.

A file has an image as (N, C, H, W), the model as (N, H, W, C). Between the two stand *atoms*, the pieces that
dimensions are made of, in the order of memory; each of the file's dimensions is a list of them, the most significant
first. The batch comes first on both sides and stays outside; dimensions of 1 have no atoms::

    an image                          sizes (H, W, C)        dims [2] [0] [1]
    the file transposes it            sizes (H, W, C)        dims [0] [1] [2]         nothing moves
    the file flattens it              sizes (H, W, C)        dims [2 0 1]             nothing moves: a dense layer after
                                                                                     it takes its weights in that order
    the file splits its channels      sizes (H, W, G, C/G)   dims [2] [3] [0] [1]
    and shuffles them                 sizes (H, W, G, C/G)   dims [3 2] [0] [1]

Only a layer that needs another order of memory makes somebody move it (`fastcnn.onnx._importer`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastcnn.onnx.operators._memory import from_front
from fastcnn.symbolic import Tensor

Dim = tuple[int, ...]


@dataclass(frozen=True)
class View:
    """A value of the file.

    Attributes
    ----------
    tensor : Tensor
        Where it lies; its shape is any grouping of the atoms.
    sizes : tuple of int
        The atoms, in the order of memory.
    dims : tuple of tuple of int
        For each of the file's dimensions after the batch, which atoms.
    """

    tensor: Tensor
    sizes: tuple[int, ...]
    dims: tuple[Dim, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The file's dimensions after the batch."""
        return tuple(math.prod(self.sizes[atom] for atom in dim) for dim in self.dims)

    @property
    def order(self) -> Dim:
        """The atoms in the file's order."""
        return tuple(atom for dim in self.dims for atom in dim)

    @property
    def is_natural(self) -> bool:
        """Whether memory has the file's order."""
        return self.order == tuple(range(len(self.sizes)))

    @property
    def is_channels_last(self) -> bool:
        """Whether memory has the file's second dimension last."""
        last = (*self.dims[1:], *self.dims[:1])
        return [atom for dim in last for atom in dim] == list(range(len(self.sizes)))

    @property
    def elements(self) -> int:
        return math.prod(self.sizes)

    def axis(self, axis: int) -> int:
        """Return one of the file's axes counted from the front, where the batch is 0."""
        return from_front(axis, len(self.dims) + 1)

    def on(self, tensor: Tensor) -> "View":
        """Return the same order of another tensor: what a function of single numbers made of this one."""
        return replace(self, tensor=tensor)


@dataclass(frozen=True)
class Parts:
    """A sequence of parts of a value, from which some are taken.

    Attributes
    ----------
    view : View
    axis : int
        The dimension, without the batch.
    ends : tuple of int
        Where the first begins, and where each ends.
    keeps : bool
        Whether parts keep that dimension, which else is 1 and goes.
    """

    view: View
    axis: int
    ends: tuple[int, ...]
    keeps: bool


def laid_out(tensor: Tensor, axes: Sequence[int] | None = None) -> View:
    """Return the view of a tensor whose axis `axes[k]` (counted without the batch) is the file's dimension k."""
    shape = tensor.shape[1:]
    axes = range(len(shape)) if axes is None else axes
    atoms = [axis for axis, n in enumerate(shape) if n != 1]
    return View(tensor, tuple(shape[axis] for axis in atoms),
                tuple((atoms.index(axis),) if shape[axis] != 1 else () for axis in axes))


def channels_last(tensor: Tensor) -> View:
    """Return the view of (N, ..., C) as the file's (N, C, ...)."""
    rank = len(tensor.shape) - 1
    return laid_out(tensor, [rank - 1, *range(rank - 1)])


def reshaped(view: View, shape: Sequence[int]) -> View | None:
    """Return the view with other dimensions of the file, or None where they cut across the atoms."""
    if math.prod(shape) != view.elements:
        return None
    sizes, left = list(view.sizes), list(view.order)
    dims: list[list[int]] = []
    for wanted in shape:
        dim: list[int] = []
        while wanted > 1:
            atom = left.pop(0)
            size = sizes[atom]
            if wanted % size == 0:
                dim.append(atom)
                wanted //= size
            elif size % wanted == 0:  # the atom becomes two: its slow part belongs here, its fast part to what follows
                sizes[atom : atom + 1] = [wanted, size // wanted]
                shift = lambda a, at=atom: a + 1 if a > at else a
                left = [atom + 1, *map(shift, left)]
                dims = [[*map(shift, d)] for d in dims]
                dim = [*map(shift, dim), atom]
                wanted = 1
            else:
                return None
        dims.append(dim)
    return View(view.tensor, tuple(sizes), tuple(map(tuple, dims)))


def transposed(view: View, axes: Sequence[int]) -> View:
    """Return the view with the file's dimensions in another order; `axes` counts them without the batch."""
    return replace(view, dims=tuple(view.dims[axis] for axis in axes))


def run_of(view: View, axis: int) -> tuple[int, int | None]:
    """Return the first of the atoms of a dimension and how many they are, side by side in memory; None if they are not.

    Where a dimension of 1, which has none, would have its atom, depends on the order of the others.
    """
    dim = view.dims[axis]
    if dim:
        return dim[0], len(dim) if dim == tuple(range(dim[0], dim[0] + len(dim))) else None
    if view.is_natural:
        return sum(map(len, view.dims[:axis])), 0
    if view.is_channels_last:
        return sum(map(len, view.dims[1:axis] if axis else view.dims)), 0
    return 0, None


def with_size(view: View, tensor: Tensor, axis: int, first: int, count: int, n: int) -> View:
    """Return the view of a tensor in which a dimension, `count` atoms from `first` on, has another size, one atom."""
    new = () if n == 1 else (n,)
    shift = len(new) - count
    dims = [tuple(atom if atom < first else atom + shift for atom in dim) for dim in view.dims]
    dims[axis] = (first,) if new else ()
    return View(tensor, (*view.sizes[:first], *new, *view.sizes[first + count:]), tuple(dims))


def runs(view: View, groups: Sequence[Dim]) -> tuple[tuple[int, ...], Dim, list[Any]]:
    """Return how memory becomes the atoms of `groups` one after the other: the tensor's own axes, or parts of them.

    Returns
    -------
    tuple of int
        The sizes of the pieces in memory.
    tuple of int
        The pieces in their new order.
    list of int
        The sizes of the groups.
    """
    new = [atom for group in groups for atom in group]
    place = {atom: at for at, atom in enumerate(new)}
    pieces: list[list[int]] = []
    for axis in _axes(view) or [list(range(len(view.sizes)))]:  # the tensor's own axes stay apart: they may be free
        for at, atom in enumerate(axis):
            if at and place[atom] == place[pieces[-1][-1]] + 1:
                pieces[-1].append(atom)
            else:
                pieces.append([atom])
    order = sorted(range(len(pieces)), key=lambda at: place[pieces[at][0]])
    return (tuple(math.prod(view.sizes[a] for a in piece) for piece in pieces), tuple(order),
            [math.prod(view.sizes[a] for a in group) for group in groups])


def _axes(view: View) -> list[list[int]] | None:
    """Return the atoms of each axis of the tensor, or None where an axis has none, or cuts across one."""
    left, pieces = list(range(len(view.sizes))), []
    for n in view.tensor.shape[1:]:
        piece: list[int] = []
        while left and math.prod(view.sizes[a] for a in piece) < n:
            piece.append(left.pop(0))
        if not piece or math.prod(view.sizes[a] for a in piece) != n:
            return None
        pieces.append(piece)
    return pieces
