"""How a layer comes to its shapes: built for one, once, and inputs that are what it was built for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastcnn import device, initializers, symbolic
from fastcnn.bfloat16 import is_bfloat16
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.layers import held_layers, open_sizes
from fastcnn.layers.twins import Shape, Twins, shape_text
from fastcnn.layers.weights import Weights


class Built(Twins):
    """The part of a layer that knows its shapes: it is built for one, once, and makes its parameters then.

    Attributes
    ----------
    input_shape, output_shape : tuple
        With None for the batch, and for sizes that are left open; known once built.
    """

    #: Whether it makes its output of nothing that comes in: of parameters and constants.
    is_source = False
    #: Whether its `forward`, and its `predict_with`, take and give arrays of bfloat16, too, under a policy that rounds.
    trains_short = predicts_short = False
    #: Whether an input of one sample goes with others of several.
    repeats_batch = False

    #: Whether a `build` of its own is making what it needs (`fastcnn.layers.own_build`).
    _building = False

    _frozen_within: Sequence[int] = ()  # what `held_layers.freeze` told before it was built

    call: Any
    _built_by_call: Any

    def build(self, input_shape: Shape) -> None:
        """Fix the shapes and make the parameters.

        Parameters
        ----------
        input_shape : tuple
            (None, H, W, C); the first entry is the batch and may be any. Sizes that are left open are None.

        Raises
        ------
        ArgumentError
            If the shape does not suit the layer, or it was built for another.
        """
        if self._building:  # from a build of its own
            return
        shape = self._whole(input_shape)
        if self.input_shape is not None:
            if shape != self.input_shape and self._may_move:
                self.__dict__.update(self.twin(shape).__dict__, _may_move=False)
            elif shape != self.input_shape and not self._means(shape):
                raise ArgumentError(f"{self}: expected input {shape_text(self.input_shape)}, for which it was built, "
                                    f"got {shape_text(shape)}; make a new layer for another shape")
            return
        held_layers.check(self, Weights)
        output_shape = None if self.has_call else self.compute_output_shape(shape)
        # If building fails, the layer is as it was, and can be built again.
        with self.restored(if_stopped=True):
            self._create_weights(shape)
            held_layers.check(self, Weights)
            if self.has_call:
                output_shape = self._built_by_call(shape)
            held_layers.check_built(self)
            self.input_shape, self.output_shape = shape, output_shape
        if not self._trainable:  # told before it held layers
            self.trainable = False
        held_layers.freeze(self, self._frozen_within)

    @contextmanager
    def restored(self, if_stopped: bool = False) -> Iterator[None]:
        """Let what is built within be as it was before: who builds again makes parameters again.

        Parameters
        ----------
        if_stopped : bool
            Only where an exception ends it.
        """
        held = {id(one): one for _, one in held_layers.all_within(self)}
        before = [(one, dict(vars(one)), len(one.parameters), len(one.nodes)) for one in (self, *held.values())]
        done = False
        try:
            yield
            done = if_stopped
        finally:
            for one, attributes, parameters, nodes in () if done else before:
                del one.parameters[parameters:], one.nodes[nodes:]
                vars(one).clear()
                vars(one).update(attributes)

    def _create_weights(self, shape: Shape) -> None:
        """Make the parameters; raise ArgumentError if they are others for another one of the sizes left open."""
        first, *others = [shape] if self.has_call else open_sizes.of_parameters(shape)
        shapes = []
        for one in others:
            with self.restored(), initializers.nothing_drawn():
                self.create_weights(one)
                shapes = [p.shape for p in self.parameters]
        self.create_weights(first)
        if others and shapes != [p.shape for p in self.parameters]:
            raise ArgumentError(f"{self}: expected known sizes, which its parameters depend on, got "
                                f"{shape_text(shape)}; begin with fc.Input of known sizes, or pool the images before "
                                f"it, with layers.GlobalAveragePooling2D for example")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output for that of the input."""
        raise NotImplementedError

    def create_weights(self, input_shape: Shape) -> None:
        """Make the parameters with `add_weight`; called once, by `build`."""

    @property
    def built(self) -> bool:
        """Whether its shapes are known and its parameters made."""
        return self.input_shape is not None

    @built.setter
    def built(self, value: bool) -> None:
        if not value:
            raise AttributeError(f"{self}: expected built to be set to True, in a build of one's own, got {value!r}; "
                                 f"make a new layer to build it again")

    def checked(self, x: Any) -> Any:
        """Return `x` as kernels need it (C-contiguous, writable), building the layer on its first sight.

        Raises
        ------
        ArgumentError
            If the type or the shape is not what the layer was built for.
        """
        shape = self.input_shape
        if type(x) is np.ndarray and shape is not None and not self.many_inputs:  # as nearly always: in one call
            flags = x.flags
            if x.dtype == self.array_dtype and x.shape[1:] == shape[1:] and flags.c_contiguous and flags.writeable:
                return x
        # The first input tells a layer with `call` whether it has several.
        if self.has_call and self.input_shape is None:
            self.arranged(x)
        if self.many_inputs:
            arrays = self.arranged(x)
            if self.input_shape is None:
                self._build_first(tuple((None, *np.shape(one)[1:]) for one in arrays))
            if len(arrays) != len(self.input_shape):
                raise ArgumentError(f"{self}: expected {len(self.input_shape)} inputs, got {len(arrays)}")
            checked = tuple(self._checked_one(one, shape) for one, shape in zip(arrays, self.input_shape, strict=True))
            samples = [len(one) for one in checked]
            if len(set(samples) - ({1} if self.repeats_batch else set())) > 1:
                raise ArgumentError(f"{self}: expected inputs of as many samples, "
                                    f"got {' and '.join(map(str, samples))}")
            return checked
        return self._checked_one(x, self.input_shape)

    def _checked_one(self, x: Any, shape: Any) -> np.ndarray:
        if not device.is_array(x):
            raise ArgumentError(f"{self}: expected an array of {self.array_dtype.name}, got {type(x).__name__}; "
                                f"convert it with numpy.array(x, {self.array_dtype.name!r})")
        if x.dtype != self.array_dtype and not (self.trains_short and self.rounds and is_bfloat16(x.dtype)):
            other = f", or make the layer with dtype={x.dtype.name!r}" if x.dtype.kind == "f" else ""
            raise ArgumentError(f"{self}: expected an array of {self.array_dtype.name}, got {x.dtype}; "
                                f"convert it with x.astype({self.array_dtype.name!r}){other}")
        if shape is None:
            self._build_first((None, *x.shape[1:]))
        elif x.shape[1:] != shape[1:]:
            more = "; layer.for_shape(x.shape) is the layer for it" if open_sizes.fits(x.shape, shape) else ""
            raise ArgumentError(f"{self}: expected input {shape_text(shape)}, got {x.shape}{more}")
        return device.of(x).ready(x)

    def _build_first(self, shape: Any) -> None:
        """Build the layer unless it is built."""
        if self.input_shape is not None:
            return
        self.build(shape)
        if self.input_shape is None:
            raise ArgumentError(f"{self}: expected its own build to call super().build(input_shape), which it does "
                                f"not; a layer of your own makes its parameters in create_weights(input_shape)")
        held_layers.check(self, Weights)  # what a build of its own made after that
        held_layers.check_built(self)

    def arranged(self, x: Any) -> tuple[Any, ...]:
        """Return what the layer is called with, one or several, as a tuple."""
        if self.has_call and self.input_shape is None:  # what it is called with first tells
            self.many_inputs = isinstance(x, (list, tuple))
        if not self.many_inputs:
            return tuple(x) if isinstance(x, (list, tuple)) else (x,)
        if not isinstance(x, (list, tuple)) or not x:
            raise ArgumentError(f"{self}: expected a list of inputs, got {type(x).__name__}; "
                                f"call it as {self.name}([a, b])")
        return tuple(x)

    def rearranged(self, outputs: Any) -> Any:
        """Return a sequence of outputs as the layer's caller gets them: one as it is, several as a tuple."""
        return tuple(outputs) if symbolic.several(self.output_shape) else outputs[0]

    def _whole(self, shape: Any) -> Any:
        """Return an input shape with None for the batch, and after it integers and None for sizes left open."""
        if self.has_call and self.input_shape is None:
            self.many_inputs = symbolic.several(shape)
        if self.many_inputs:
            if not symbolic.several(shape):
                raise ArgumentError(f"{self}: expected a list of inputs' shapes, got {shape}")
            return tuple(map(self._whole_one, shape))
        return self._whole_one(shape)

    def _whole_one(self, shape: Any) -> Any:
        if not isinstance(shape, (tuple, list)) or len(shape) == 0 or not all(
                n is None or is_integer(n) for n in shape[1:]):
            raise ArgumentError(f"{self}: expected an input shape such as (None, 28, 28, 1), got {shape!r}")
        if any(n is not None and n < 1 for n in shape[1:]):
            raise ArgumentError(f"{self}: expected an input with something in every dimension, got {tuple(shape)}")
        return None, *(None if n is None else int(n) for n in shape[1:])
