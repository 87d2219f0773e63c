"""One set of parameters and several shapes: a layer as it is for another shape is its twin.

So it is where tensors of several sizes share a layer, where it is called with arrays of several sizes, and where sizes
are left open.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from fastcnn import initializers, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.layers import held_layers, open_sizes
from fastcnn.layers.weights import Weights
from fastcnn.recent import Recent

#: Of int, None for the batch and for sizes left open; of shapes where a layer has several inputs or outputs.
Shape = tuple[Any, ...]

SIZES = 8  # how many sizes of arrays a layer or a model is kept ready for


class Twins(Weights):
    """The part of a layer that is it for other shapes.

    Attributes
    ----------
    input_shape, output_shape : tuple
        With None for the batch, and for sizes that are left open; known once built.
    """

    #: Whether it is called with a list of tensors.
    many_inputs = False
    #: Whether it has a `call` of its own, which puts other layers together (`fastcnn.layers.composite`).
    has_call = False
    #: Whether its `compute_output_shape` takes sizes left open as they come, None.
    takes_open_sizes: ClassVar[bool] = False

    input_shape: Any
    output_shape: Any
    nodes: list[symbolic.LayerCall]
    #: Whether `build` for another shape makes it a twin of what it was: so are layers held by what becomes a twin.
    _may_move = False
    _twins: Recent | None = None  # for the sizes of arrays that it was called with

    compute_output_shape: Callable[..., Any]
    create_weights: Callable[..., None]
    arranged: Callable[[Any], tuple[Any, ...]]
    _whole: Callable[[Any], Any]
    _build_first: Callable[[Any], None]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "compute_output_shape" in vars(cls) and not cls.takes_open_sizes:
            cls.compute_output_shape = open_sizes.taken(cls.compute_output_shape)

    def for_shape(self, input_shape: Shape) -> Any:
        """Return the layer, built, as it is for an input shape: itself, or a twin with the same parameters.

        So a layer that is shared by tensors of several sizes has one set of parameters and several shapes.

        Raises
        ------
        ArgumentError
            If its parameters, made for another shape, would have other shapes.
        """
        shape = self._whole(input_shape)
        self._build_first(shape)
        return self if shape == self.input_shape else self.twin(shape)

    def twin(self, shape: Shape) -> Any:
        """Return another layer with the same parameters, for a shape as `build` keeps it; this one is built.

        Raises
        ------
        ArgumentError
            As `for_shape`.
        """
        output_shape, held = self.output_shape, dict[str, Any]()
        if shape != self.input_shape:
            for one in open_sizes.of_parameters(shape):
                probe = self._probe()
                output_shape = probe.compute_output_shape(shape)
                # Only the shapes of the twin's weights matter: nothing is drawn for them.
                with initializers.nothing_drawn():
                    probe.create_weights(one)
                if [p.shape for p in probe.parameters] != [p.shape for p in self.parameters]:
                    raise ArgumentError(f"{self}: expected input {shape_text(self.input_shape)}, for which its "
                                        f"parameters are, got {shape_text(shape)}; make a new layer for another shape")
            held = self._holding_twins(probe.held_layers())
        return self.replaced(input_shape=shape, output_shape=output_shape, nodes=[], _original=self.original, **held)

    def _probe(self) -> Any:
        """Return a copy without parameters, which may be asked for the shapes of those that it makes."""
        return self.replaced(parameters=[], **self._holding(
            {id(one): one.replaced(_may_move=True) for one in self.held_layers().values()}))

    def sized(self, x: Any) -> Any:
        """Return the layer, built, as it is for the sizes of arrays: itself, or a twin, which is kept.

        The last eight sizes are kept, so that a layer may be called with images of sizes that come again.

        Parameters
        ----------
        x : array, or tuple or list of arrays where the layer has several inputs
        """
        arrays = self.arranged(x)
        shapes = tuple([(None, *one.shape[1:]) for one in arrays])
        shape = shapes if self.many_inputs else shapes[0]
        if self.input_shape in (None, shape) or (self.many_inputs and len(shape) != len(self.input_shape)):
            return self
        layer = self.original
        if layer._twins is None:
            layer._twins = Recent(SIZES)
        return layer._twins.get(shape, lambda: layer.for_shape(shape))

    def _means(self, shape: Any) -> bool:
        """Return whether it was built for sizes left open, and a shape is one with such sizes."""
        if not self.many_inputs:
            return open_sizes.fits(shape, self.input_shape)
        return len(shape) == len(self.input_shape) and all(map(open_sizes.fits, shape, self.input_shape))

    @property
    def is_open(self) -> bool:
        """Whether it was built for sizes left open: then twins for the sizes of arrays run in its place."""
        return open_sizes.is_open(self.input_shape)

    @contextmanager
    def calls_forgotten(self) -> Iterator[None]:
        """Let calls on symbolic tensors within leave no trace in the layer and in those that it holds.

        Twins and graphs for sizes of arrays are made of such calls, again and again.
        """
        before = [(one, len(one.nodes)) for _, one in held_layers.all_within(self)]
        try:
            yield
        finally:
            for one, count in before:
                del one.nodes[count:]

    def _holding_twins(self, there: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes with layers, each a twin for the shape that the layer at its path is built for.

        One without parameters that `create_weights` did not build is left to be built by what it sees.
        """
        twins = {}
        for path, one in self.held_layers().items():
            other = there.get(path)
            if other is not None and other.built and not other._may_move:
                twins[id(one)] = one.for_shape(other.input_shape)
            elif not one.weights:
                twins[id(one)] = one.replaced(input_shape=None, output_shape=None, nodes=[], _original=one.original)
        return self._holding(twins)

    def _holding(self, others: dict[int, Any]) -> dict[str, Any]:
        """Return the attributes that hold layers, with others in the places of those, by identity."""
        names = {path.partition("/")[0] for path in self.held_layers()}
        return {name: held_layers.swapped(vars(self)[name], others) for name in names}

    def replaced(self, **attributes: Any) -> Any:
        """Return a copy that shares the parameters, with other values of attributes; nothing is checked or built."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **attributes)
        return copy

    @property
    def original(self) -> Any:
        """The layer that this is a twin of, or itself."""
        return self if self._original is None else self._original


def shape_text(shape: Shape) -> str:
    """Return a shape, or several, as messages tell it: (N, 28, 28, 1), and None for a size that is left open."""
    if symbolic.several(shape):
        return ", ".join(map(shape_text, shape))
    first = ["N" if n is None else str(n) for n in shape[:1]]
    return "(" + ", ".join([*first, *map(str, shape[1:])]) + ")"
