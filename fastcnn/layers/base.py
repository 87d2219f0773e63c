"""What a layer is: two verbs, the parameters it owns, and the arguments it was made with."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastcnn import dtype_policies, random, regularizers, symbolic, unsupported
from fastcnn.auto_names import Names
from fastcnn.errors import ArgumentError
from fastcnn.layers import arguments, composite, held_layers, own_build, taking
from fastcnn.layers.call import Call as Call
from fastcnn.layers.twins import Shape as Shape
from fastcnn.layers.twins import shape_text
from fastcnn.traits import NONE, Trait, kept

Backward = Callable[[Any], Any]

#: Automatic names of layers and models.
names = Names()


class Layer(composite.Composite):
    """The base of all layers.

    A layer of your own is written in one of two ways. Its ``call(self, x)``, or ``call(self, x, training=None)``, says
    what becomes of tensors by the layers that it holds, its parameters, operators and `fastcnn.ops`. Or it computes
    with arrays: then it has ``compute_output_shape``, ``forward`` and, where training differs from inference,
    ``predict``. ``add_weight`` makes its parameters in ``build(self, input_shape)``; ``create_weights`` is another
    name of it, in which a layer with ``forward`` also builds the layers that it holds.

    It holds layers as attributes, or in lists, tuples and dicts of them. Their parameters are its own. A layer of
    several inputs says ``many_inputs = True``. Its shapes are tuples of shapes, its inputs and gradients tuples of
    arrays. It says ``replayable = True`` if ``predict`` only calls kernels and other layers' ``predict``, so that small
    predictions may be captured and replayed. With `write_onnx` it can be exported.

    Parameters
    ----------
    name : str, optional
        None makes it from the class: ``conv2d``, ``conv2d_1``, ...
    dtype : str or DTypePolicy, optional
        "float32", "float64" or "mixed_bfloat16". None takes that of `fastcnn.config.dtype_policy`.
    trainable : bool
        Whether training changes the parameters.
    activity_regularizer : str or Regularizer, optional
        A penalty on the output. A model that trains adds it, divided by the batch, to its loss.
    input_shape, input_dim : tuple of int, int, optional
        As scripts for Keras 2 tell it of the first layer of a `Sequential`: what it will be given, without the batch.

    Attributes
    ----------
    input_shape, output_shape : tuple
        With None for the batch; known once built.
    nodes : list of LayerCall
        Its calls on symbolic tensors.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or not offered. So do all layers.
    UnknownArgumentError
        If there is no such argument.

    Examples
    --------
    >>> class Residual(layers.Layer):
    ...     def __init__(self, filters, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.conv = layers.Conv2D(filters, 3, padding="same", activation="relu")
    ...     def call(self, x):
    ...         return x + self.conv(x)
    ...
    >>> Residual(3).compute_output_shape((None, 8, 8, 3))
    (None, 8, 8, 3)
    """

    #: What rules of fusion may know of it; a class that changes what it derives from loses them.
    traits: ClassVar[Trait] = NONE
    #: Arguments that it takes by name besides those of its constructor, which hands them on.
    more_arguments: ClassVar[tuple[str, ...]] = ()
    #: Whether `predict` does nothing but call kernels, so that a small prediction may be captured and replayed.
    replayable = False

    _arguments: dict[str, Any]
    #: What `input_shape` or `input_dim` told.
    told_shape: tuple[int, ...] | None = None

    #: Methods that a class of a user's own may not have, and what it has instead.
    foreign: Mapping[str, str] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.traits = kept(cls)
        is_own = cls.__module__.partition(".")[0] != "fastcnn"
        if is_own:
            cls.holds_layers = True
        if "build" in vars(cls) and is_own:
            own_build.taken(cls, Layer)
        cls.makes_weights = cls.create_weights is not Layer.create_weights
        if "replayable" not in vars(cls):
            cls.replayable = not is_own
        if "call" in vars(cls):
            composite.check_class(cls, Layer)
            cls.has_call = cls.is_composite = True
        for method in cls.foreign.keys() & vars(cls).keys():
            raise ArgumentError(f"{cls.__name__}: a {method} of its own is not offered; {cls.foreign[method]}")

    def __new__(cls, *args: Any, **kwargs: Any) -> "Layer":
        layer = super().__new__(cls)
        layer._arguments = arguments.caught(cls, args, kwargs)
        return layer

    def __init__(self, *, name: str | None = None, dtype: Any = None, trainable: bool = True,
                 activity_regularizer: Any = None, input_shape: Any = None, input_dim: int | None = None) -> None:
        self.told_shape = arguments.first_shape(self, input_shape, input_dim)
        self.parameters = []
        self.dtype_policy = policy = dtype_policies.get(dtype, type(self).__name__)
        if policy.name != "float32" or self._arguments.get("dtype") is not None:
            self._arguments["dtype"] = policy.name  # whatever it was told: configurations without one mean float32
        self.name = name if name is not None else names.new(type(self).__name__)
        self._trainable = self._is_trainable(trainable)
        self.input_shape = None
        self.output_shape = None
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.nodes: list[symbolic.LayerCall] = []
        self._draws = random.Calls()  # of calls with training=True; 0 is that of `forward` alone

    # --- for users --------------------------------------------------------------------------------------------------

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """Train: return the output, and backward(dy) -> dx, which adds to the gradients of the parameters.

        Parameters
        ----------
        x : (N, ...) array of the layer's array_dtype
        call : Call

        Raises
        ------
        ArgumentError
            If the type or the shape is not what the layer was built for.
        """
        if not self.has_call:
            raise NotImplementedError(f"{self}: expected call(self, x), which says by fc.ops and layers what it does, "
                                      f"or forward(self, x, call) and predict(self, x), which compute, got neither")
        return self._forward_by_call(x, call)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the output and keep nothing."""
        if self.has_call:
            y: np.ndarray = self._predict_by_call(x)
            return y
        return self.forward(x, Call(wants_dx=False, training=False))[0]

    def __call__(self, x: Any = None, training: bool | None = None, **named: Any) -> Any:
        """Return the output: of `forward` if `training`, else of `predict`; for symbolic tensors, symbolic ones.

        With `training`, each call draws other random numbers; the seeds decide the sequence.

        Parameters
        ----------
        x : array, list or Tensor
            Whatever NumPy can make an array of; a list or tuple of them where the layer has several inputs.
        training : bool, optional
        **named
            ``inputs=`` is Keras's name of `x`; its ``mask=`` is not offered.
        """
        if named or x is None:
            x = taking.named(self, x, named)
        if symbolic.is_symbolic(x):
            return symbolic.connect(self, x, training)
        x = taking.taken(self, x, training)
        if self.input_shape is None:  # a layer of one's own may leave it so
            held_layers.check(self, Layer)
            if self.held_layers():
                x = self.checked(x)  # which builds it
        elif (sized := self.sized(x)) is not self:
            return sized(x, training)
        y = self.forward(x, Call(step=next(self._draws)))[0] if training else self.predict(x)
        return taking.returned(self, y) if self._policy.rounds else y

    @property
    def input(self) -> Any:
        """The symbolic tensor, or list of them, of its first call."""
        return self._called("input").inputs if self.many_inputs else self._called("input").inputs[0]

    @property
    def output(self) -> Any:
        """The symbolic tensor, or tuple of them, that its first call returned."""
        return self.rearranged(self._called("output").outputs)

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one sample's forward pass in products; 0 for layers without."""
        return self._graph.multiply_adds() if self.has_call else 0

    def write_onnx(self, writer: Any, inputs: Any) -> Any:
        """Write the layer, which is one of your own, as nodes of ONNX, as it predicts.

        Parameters
        ----------
        writer
            ``writer.node("Mul", [a, b], axis=1)`` writes a node and returns the name of its output,
            ``writer.constant(array, "scale")`` a constant, and ``writer.layer(self.conv, a)`` a layer that this one
            holds.
        inputs : str, or list of str for a layer of several inputs
            Names of tensors, which lie as `forward` gets them: images are channels-last.

        Returns
        -------
        str or list of str
            The name of the output, which lies as that of `forward` does.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, the name, and `trainable` as it is: JSON can hold it.

        A layer of your own has those that it was given.
        """
        kind: Any = type(self)
        own = arguments.defaults(kind)
        config: dict[str, Any] = arguments.plain(own | self._arguments)
        told = {"trainable": self.trainable} if own or not self.trainable else {}
        return config | {"name": self.name} | told

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Layer":
        """Make a layer from `get_config`."""
        if not isinstance(config, dict):
            raise ArgumentError(f"{cls.__name__}.from_config: expected a dict, as get_config returns it, "
                                f"got {config!r}")
        given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in config.items()}
        # A class of a user's own need not take these: they are set afterwards.
        late = {key: given.pop(key) for key in ("name", "trainable") if key in given and not arguments.takes(cls, key)}
        told = "float32" if arguments.takes(cls, "dtype") else given.pop("dtype", "float32")
        with dtype_policies.as_written(told):
            layer = cls(**given)
        layer.name = late.get("name", layer.name)
        layer._trainable = late.get("trainable", layer._trainable)
        return layer

    def __reduce__(self) -> Any:
        """A copy is what `from_config` makes, built for the same shape, with the same weights and what is frozen."""
        return _copied, (type(self), self.get_config(), self.input_shape, self.get_weights(), held_layers.frozen(self))

    if not TYPE_CHECKING:  # else type checkers would believe in any attribute

        def __getattr__(self, name: str) -> Any:
            if "name" not in vars(self) and not name.startswith("__"):
                raise AttributeError(f"{type(self).__name__}: expected its __init__ to call super().__init__() first")
            for known in (vars(self).get("_arguments", {}), arguments.defaults(type(self))):
                if name in known:
                    return known[name]
            raise unsupported.attribute(self, "layer", name)

    def __str__(self) -> str:
        return f'{type(self).__name__} "{self.name}"'

    def __repr__(self) -> str:
        return f"<{self}{'' if self.output_shape is None else f', output {shape_text(self.output_shape)}'}>"

    # --- for layers -------------------------------------------------------------------------------------------------

    def _called(self, what: str) -> symbolic.LayerCall:
        if not self.nodes:
            raise ArgumentError(f"{self}: {what} expected a layer that was called with symbolic tensors; "
                                f"begin with fc.Input(shape)")
        return self.nodes[0]

    def refuse(self, **not_offered: tuple[Any, Any]) -> None:
        """Raise for an argument of Keras's that has a value not offered here: name=(given, the only one offered)."""
        arguments.refuse(self, **not_offered)

    def require_channels_last(self, data_format: str | None) -> None:
        """Raise for another order of an image's dimensions than (N, H, W, C)."""
        if data_format not in (None, "channels_last"):
            raise ArgumentError(f"{self}: data_format={data_format!r} is not offered; images are channels-last, "
                                f"(N, H, W, C): transpose them with numpy.moveaxis(x, 1, -1)")


def elements(shape: Shape) -> int:
    """Return how many numbers one sample of a shape has."""
    return math.prod(n for n in shape[1:] if n is not None)


def _copied(cls: Any, config: dict[str, Any], input_shape: Any, weights: list[np.ndarray],
            frozen: Sequence[int] = ()) -> Layer:
    layer: Layer = cls.from_config(config)
    if input_shape is not None:
        layer.build(input_shape)
        layer.set_weights(weights)
    held_layers.freeze(layer, frozen)
    return layer
