"""What a layer is: two verbs, the parameters it owns, and the arguments it was made with."""

import itertools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcnn import absent, device, initializers, regularizers, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.layers import arguments, inner
from fastcnn.naming import Names
from fastcnn.parameters import Parameter, assign_all

Shape = tuple[Any, ...]  # of int, and None for the batch; of shapes where a layer has several inputs or outputs
Backward = Callable[[Any], Any]

#: Automatic names of layers and models.
names = Names()

VARYING = "; a size that varies is not offered: model.for_shape(shape) is a model for another one"
_ODD = 0x1E3779B97F4A7C15  # a multiple of it is no seed that anybody would give


class Call(NamedTuple):
    """What one forward pass is told; immutable, so that a layer used twice is told twice.

    Attributes
    ----------
    seed, step : int
        Where random numbers count from: dropout is a function of (seed, step, index).
    wants_dx : bool
        Whether anybody needs the gradient of the input; the first layer of a model is spared it.
    training : bool
        False for a layer that runs as in inference, moving statistics and all, though gradients go through it.
    use : int
        How often the layer ran in this pass before: one that is used twice draws twice.
    """

    seed: int = 0
    step: int = 0
    wants_dx: bool = True
    training: bool = True
    use: int = 0

    def key(self, seed: int) -> tuple[int, int]:
        """Return what kernels count random numbers from, (seed, step), for a layer with a seed of its own."""
        return (seed ^ self.seed ^ self.use * _ODD) & 0x7FFFFFFFFFFFFFFF, self.step


class Layer:
    """The base of all layers.

    A layer of your own has ``compute_output_shape``, ``forward`` and, where training differs from inference,
    ``predict``; parameters are made by ``add_weight`` in ``create_weights``. A layer of several inputs says
    ``many_inputs = True``: its shapes are then tuples of shapes, its inputs and their gradients tuples of arrays.

    Parameters
    ----------
    name : str, optional
        Made from the class if absent: ``conv2d``, ``conv2d_1``, ...
    dtype : str
        float32 or float64.
    trainable : bool
        Whether training changes the parameters.
    activity_regularizer : str or Regularizer, optional
        A penalty on the output; a model that trains adds it, divided by the batch, to its loss.

    Attributes
    ----------
    input_shape, output_shape : tuple
        With None for the batch; known once built.
    nodes : list of Node
        Its calls on symbolic tensors.
    """

    #: Whether it is called with a list of tensors.
    many_inputs = False
    #: Whether it is a graph of other layers, `traced`, which run in its place: a model inside a model.
    is_composite = False
    #: Whether an input of one sample goes with others of several.
    repeats_batch = False

    _arguments: dict[str, Any]
    _original: "Layer | None" = None  # the layer that this is a twin of

    #: Methods that a class of a user's own may not have, and what it has instead.
    foreign: Mapping[str, str] = {
        "call": "write forward(x, call), which returns the output and a function from its gradient to that of x, and "
                "predict(x) where training differs from inference"}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for method in cls.foreign.keys() & vars(cls).keys():
            raise ArgumentError(f"{cls.__name__}: a {method} of its own is not offered; {cls.foreign[method]}")

    def __new__(cls, *args: Any, **kwargs: Any) -> "Layer":
        layer = super().__new__(cls)
        layer._arguments = arguments.caught(cls, args, kwargs)
        return layer

    def __init__(self, *, name: str | None = None, dtype: Any = "float32", trainable: bool = True,
                 activity_regularizer: Any = None) -> None:
        try:
            kind = np.dtype("float32" if dtype is None else dtype)  # NumPy's None is float64
        except TypeError:
            kind = np.dtype(object)
        if kind not in (np.float32, np.float64):
            raise ArgumentError(f"{type(self).__name__}: expected dtype float32 or float64, got {dtype!r}")
        self.name = name if name is not None else names.new(type(self).__name__)
        self.dtype = kind
        self.parameters: list[Parameter] = []
        self._trainable = self._is_trainable(trainable)
        self.input_shape: Any = None
        self.output_shape: Any = None
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.nodes: list[symbolic.Node] = []
        self._draws = itertools.count(1)  # of calls with training=True; 0 is that of `forward` alone

    # --- for users --------------------------------------------------------------------------------------------------

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """Train: return the output, and backward(dy) -> dx, which adds to the gradients of the parameters.

        Parameters
        ----------
        x : (N, ...) array of the layer's dtype
        call : Call

        Raises
        ------
        ArgumentError
            If the type or the shape is not what the layer was built for.
        """
        raise NotImplementedError

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the output and keep nothing."""
        return self.forward(x, Call(wants_dx=False, training=False))[0]

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Return the output: of `forward` if `training`, else of `predict`; for symbolic tensors, symbolic ones.

        With `training`, each call draws other random numbers; the seeds decide the sequence.
        """
        if symbolic.is_symbolic(x):
            return symbolic.connect(self, x, training)
        if self.input_shape is None:  # a layer of one's own may leave it so
            inner.refuse(self, Layer)
        return self.forward(x, Call(step=next(self._draws)))[0] if training else self.predict(x)

    def build(self, input_shape: Shape) -> None:
        """Fix the shapes and make the parameters.

        Parameters
        ----------
        input_shape : tuple
            (None, H, W, C); the first entry is the batch and may be any.

        Raises
        ------
        ArgumentError
            If the shape does not suit the layer, or it was built for another.
        """
        shape = self._whole(input_shape)
        if self.input_shape is not None:
            if shape != self.input_shape:
                raise ArgumentError(f"{self}: expected input {_text(self.input_shape)}, for which it was built, "
                                    f"got {_text(shape)}; make a new layer for another shape")
            return
        output_shape, before = self.compute_output_shape(shape), len(self.parameters)
        inner.refuse(self, Layer)
        try:
            self.create_weights(shape)
            inner.refuse(self, Layer)
        except BaseException:
            del self.parameters[before:]  # who builds again makes them again
            raise
        self.input_shape, self.output_shape = shape, output_shape

    def for_shape(self, input_shape: Shape) -> "Layer":
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
        twin, output_shape = object.__new__(type(self)), self.output_shape
        if shape != self.input_shape:
            probe = object.__new__(type(self))
            probe.__dict__.update(self.__dict__, parameters=[])
            output_shape = probe.compute_output_shape(shape)
            with initializers.nothing_drawn():
                probe.create_weights(shape)
            if [p.shape for p in probe.parameters] != [p.shape for p in self.parameters]:
                raise ArgumentError(f"{self}: expected input {_text(self.input_shape)}, for which its parameters are, "
                                    f"got {_text(shape)}; make a new layer for another shape")
        twin.__dict__.update(self.__dict__, input_shape=shape, output_shape=output_shape, nodes=[],
                             _original=self.original)
        return twin

    @property
    def original(self) -> "Layer":
        """The layer that this is a twin of, or itself."""
        return self if self._original is None else self._original

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output for that of the input."""
        return input_shape

    def create_weights(self, input_shape: Shape) -> None:
        """Make the parameters with `add_weight`; called once, by `build`."""

    def add_weight(self, name: str, shape: tuple[int, ...], initializer: Any, trainable: bool = True,
                   regularizer: Any = None, constraint: Any = None) -> Parameter:
        """Make a parameter.

        Parameters
        ----------
        name : str
        shape : tuple of int
        initializer : str or Initializer
        trainable : bool
            False for a statistic, which no optimizer changes.
        regularizer : str or Regularizer, optional
            A penalty on the value, which a model that trains adds to its loss.
        constraint : None
            Not offered.
        """
        self.refuse(**{f"{name}_constraint": (constraint, None)})
        try:
            value = initializers.first_value(initializer, shape, self.dtype)
        except ArgumentError as error:
            raise ArgumentError(f"{self}: {name}: {error}") from None
        parameter = Parameter(value, name, f"{self.name}/{name}", trainable, regularizers.get(regularizer))
        self.parameters.append(parameter)
        return parameter

    @property
    def built(self) -> bool:
        return self.input_shape is not None

    @built.setter
    def built(self, value: bool) -> None:
        raise AttributeError(f"{self}: built is not set by hand; end a build of your own with "
                             f"super().build(input_shape)")

    @property
    def input(self) -> Any:
        """The symbolic tensor, or list of them, of its first call."""
        return self._called("input").inputs if self.many_inputs else self._called("input").inputs[0]

    @property
    def output(self) -> Any:
        """The symbolic tensor, or tuple of them, that its first call returned."""
        return self.rearranged(self._called("output").outputs)

    @property
    def trainable(self) -> bool:
        """Whether training changes the parameters."""
        return self._trainable if self._original is None else self._original.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if self._original is not None:
            self._original.trainable = value
        self._trainable = self._is_trainable(value)

    def _is_trainable(self, value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_, int)):
            raise ArgumentError(f"{type(self).__name__}: expected trainable to be True or False, got {value!r}")
        return bool(value)

    @property
    def trainable_weights(self) -> list[Parameter]:
        return [p for p in self.parameters if p.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        trained = set(map(id, self.trainable_weights))
        return [p for p in self.parameters if id(p) not in trained]

    @property
    def weights(self) -> list[Parameter]:
        """All parameters: first those an optimizer may change, then statistics, as Keras orders them."""
        return [p for p in self.parameters if p.trainable] + [p for p in self.parameters if not p.trainable]

    @property
    def variables(self) -> list[Parameter]:
        """Keras's other name of `weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Parameter]:
        """Keras's other name of `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Parameter]:
        """Keras's other name of `non_trainable_weights`."""
        return self.non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the values of `weights`."""
        return [p.numpy() for p in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Set the values of `weights`; nothing changes unless all fit.

        Raises
        ------
        ArgumentError
            If their number or a shape differs.
        """
        assign_all(str(self), self.weights, weights)

    def count_params(self) -> int:
        """Return how many numbers the parameters hold."""
        return sum(p.size for p in self.parameters)

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one sample's forward pass in products; 0 for layers without."""
        return 0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as given, the name, and `trainable` as it is: JSON can hold it."""
        changed = {} if self.trainable else {"trainable": False}
        return arguments.plain(self._arguments) | {"name": self.name} | changed

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Layer":
        """Make a layer from `get_config`."""
        if not isinstance(config, dict):
            raise ArgumentError(f"{cls.__name__}.from_config: expected a dict, as get_config returns it, "
                                f"got {config!r}")
        given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in config.items()}
        return cls(**given)

    def __reduce__(self) -> Any:
        """A copy is what `from_config` makes, built for the same shape, with the same weights."""
        return _copied, (type(self), self.get_config(), self.input_shape, self.get_weights())

    if not TYPE_CHECKING:  # else type checkers would believe in any attribute

        def __getattr__(self, name: str) -> Any:
            raise absent.attribute(self, "layer", name)

    def __str__(self) -> str:
        return f'{type(self).__name__} "{self.name}"'

    def __repr__(self) -> str:
        return f"<{self}{'' if self.output_shape is None else f', output {_text(self.output_shape)}'}>"

    # --- for layers -------------------------------------------------------------------------------------------------

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
            if x.dtype == self.dtype and x.shape[1:] == shape[1:] and flags.c_contiguous and flags.writeable:
                return x
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
        if not isinstance(x, np.ndarray):
            raise ArgumentError(f"{self}: expected an array of {self.dtype.name}, got {type(x).__name__}; "
                                f"convert it with numpy.array(x, {self.dtype.name!r})")
        if x.dtype != self.dtype:
            other = f", or make the layer with dtype={x.dtype.name!r}" if x.dtype.kind == "f" else ""
            raise ArgumentError(f"{self}: expected an array of {self.dtype.name}, got {x.dtype}; "
                                f"convert it with x.astype({self.dtype.name!r}){other}")
        if shape is None:
            self._build_first((None, *x.shape[1:]))
        elif x.shape[1:] != shape[1:]:
            raise ArgumentError(f"{self}: expected input {_text(shape)}, got {x.shape}")
        if x.flags.c_contiguous and x.flags.writeable:
            return x
        d = device.of(x)
        copy = d.empty(x.shape, x.dtype)  # a read-only array alone would be another type to every kernel
        d.copy(copy, x)
        return copy

    def _build_first(self, shape: Any) -> None:
        """Build the layer unless it is built."""
        if self.input_shape is not None:
            return
        self.build(shape)
        if self.input_shape is None:
            raise ArgumentError(f"{self}: expected its own build to call super().build(input_shape), which it does "
                                f"not; a layer of your own makes its parameters in create_weights(input_shape)")
        inner.refuse(self, Layer)  # what a build of its own made after that

    def arranged(self, x: Any) -> tuple[Any, ...]:
        """Return what the layer is called with, one or several, as a tuple."""
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
        """Return an input shape with None for the batch and integers after it."""
        if self.many_inputs:
            if not symbolic.several(shape):
                raise ArgumentError(f"{self}: expected a list of inputs' shapes, got {shape}")
            return tuple(map(self._whole_one, shape))
        return self._whole_one(shape)

    def _whole_one(self, shape: Any) -> Any:
        if not isinstance(shape, (tuple, list)) or len(shape) == 0 or not all(map(is_integer, shape[1:])):
            hint = VARYING if isinstance(shape, (tuple, list)) and None in shape[1:] else ""
            raise ArgumentError(f"{self}: expected an input shape such as (None, 28, 28, 1), got {shape!r}{hint}")
        if any(n < 1 for n in shape[1:]):
            raise ArgumentError(f"{self}: expected an input with something in every dimension, got {tuple(shape)}")
        return None, *(int(n) for n in shape[1:])

    def _called(self, what: str) -> symbolic.Node:
        if not self.nodes:
            raise ArgumentError(f"{self}: {what} expected a layer that was called with symbolic tensors; "
                                f"begin with fc.Input(shape)")
        return self.nodes[0]

    def refuse(self, **not_offered: tuple[Any, Any]) -> None:
        """Raise for an argument of Keras's that has a value not offered here: name=(given, the only one offered)."""
        for name, (given, offered) in not_offered.items():
            if isinstance(given, np.ndarray) or given != offered:
                raise ArgumentError(f"{self}: {name}={given!r} is not offered; leave it at {offered!r}")

    def require_channels_last(self, data_format: str | None) -> None:
        """Raise for another order of an image's dimensions than (N, H, W, C)."""
        if data_format not in (None, "channels_last"):
            raise ArgumentError(f"{self}: data_format={data_format!r} is not offered; images are channels-last, "
                                f"(N, H, W, C): transpose them with numpy.moveaxis(x, 1, -1)")


def elements(shape: Shape) -> int:
    """Return how many numbers one sample of a shape has."""
    return math.prod(n for n in shape[1:] if n is not None)


def _copied(cls: Any, config: dict[str, Any], input_shape: Any, weights: list[np.ndarray]) -> Layer:
    layer = cls.from_config(config)
    if input_shape is not None:
        layer.build(input_shape)
        layer.set_weights(weights)
    return layer


def _text(shape: Shape) -> str:
    if symbolic.several(shape):
        return ", ".join(map(_text, shape))
    return "(" + ", ".join("N" if n is None else str(n) for n in shape) + ")"
