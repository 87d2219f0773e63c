"""What runs a network: one executable, or, where its sizes are left open, one for each size that comes.

::

    Input((28, 28, 1))        one, made when first wanted
    Input((None, None, 3))    (224, 224, 3) -> an executable      of twins of the layers, with the same parameters;
                              (224, 320, 3) -> another            the last eight sizes are kept

An executable owns what follows from a size: geometries, fused nodes and what they folded, captured predictions. What a
network has once is shared: parameters with their packed weights and versions, statistics, what is frozen, and the
trainer with optimizer, loss and metrics.
"""

from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.graph import trace
from fastcnn.graph.executable import Executable
from fastcnn.layers import open_sizes
from fastcnn.layers.twins import SIZES, shape_text
from fastcnn.models.structure import Structure
from fastcnn.recent import Recent
from fastcnn.symbolic import as_shapes


class Executables:
    """The executables of a network with one structure.

    Parameters
    ----------
    network : Network
    structure : Structure

    Attributes
    ----------
    vary : bool
        Whether there may be several: sizes are left open, or a `call` says what becomes of any.
    """

    def __init__(self, network: Any, structure: Structure) -> None:
        self._network, self._structure = network, structure
        self._shapes = tuple(structure.input_shapes)
        self.vary: bool = network.has_call or open_sizes.is_open(self._shapes)
        self._one: Executable | None = None
        self._by_size = Recent(SIZES)

    @property
    def one(self) -> Executable:
        """What runs the shapes of the structure.

        Raises
        ------
        ArgumentError
            If these leave sizes open.
        """
        if self._one is None:
            if open_sizes.is_open(self._shapes):
                raise ArgumentError(f"{self._network}: expected known sizes, got input {shape_text(self._shapes)}; "
                                    f"model.for_shape({_example(self._shapes)}), say, is the model for one")
            self._one = Executable(self._structure.traced, self._network.layers, self._network.array_dtype)
        return self._one

    def get(self, xs: Sequence[Any]) -> Executable:
        """Return what runs arrays.

        Raises
        ------
        ArgumentError
            If sizes may be any, and these are no inputs of the network all the same.
        """
        if not self.vary:
            return self.one
        shapes = tuple([(None, *x.shape[1:]) for x in xs])
        if shapes == self._shapes:
            return self.one
        found: Executable = self._by_size.get(shapes, lambda: self._made_for(shapes))
        return found

    def ready(self, x: Any) -> Executable | None:
        """Return what runs an array, the only input; None if it is not made yet, or nothing runs it."""
        if x.shape[1:] == self._shapes[0][1:]:
            return self._one
        found: Executable | None = self._by_size.known(((None, *x.shape[1:]),)) if self.vary else None
        return found

    def _made_for(self, shapes: Sequence[Any]) -> Executable:
        network = self._network
        if len(shapes) != len(self._shapes) or not all(map(open_sizes.fits, shapes, network.taken_shapes)):
            raise ArgumentError(f"{network}: expected input {shape_text(self._shapes)}, "
                                f"got {shape_text(tuple(shapes))}")
        if network.has_call:
            return Executable(network.structure_on(shapes).traced, network.layers, network.array_dtype, share=SIZES)
        traced = self._structure.traced
        return Executable(traced, network.layers, network.array_dtype, trace.opened(traced, input_shapes=shapes),
                          SIZES)

    def made(self) -> list[Executable]:
        """Return those that are there, for all sizes that are kept."""
        return [one for one in (self._one, *self._by_size.values()) if one is not None]

    def end_steps(self) -> None:
        """Free what the steps of a training were replayed in, since the next one may be another network's."""
        for one in self.made():
            one.end_steps()

    def forget(self) -> None:
        """Let all be made again: something has changed that twins of layers have copies of."""
        self._one = None
        self._by_size.clear()


def _example(shapes: Any) -> Any:
    """Return shapes as `for_shape` takes them, with a size in the place of each open one."""
    found = tuple(open_sizes.filled(shape, 224) for shape in as_shapes(shapes))
    return found if len(found) > 1 else found[0]
