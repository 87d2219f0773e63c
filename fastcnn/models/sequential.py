"""Sequential: a model whose layers follow one another."""

from collections.abc import Iterable, Sequence
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.graph.trace import Traced
from fastcnn.layers import Input, InputLayer, Layer, Tensor
from fastcnn.models import serialization
from fastcnn.models.model import Model
from fastcnn.models.structure import Structure
from fastcnn.symbolic import LayerCall, several

_FUNCTIONAL = "use the functional form, fc.Model(inputs, outputs)"


@serialization.enter
class Sequential(Model):
    """A model whose layers follow one another.

    Parameters
    ----------
    layers : list of Layer, optional
        The first may be an `Input`, which fixes the shapes; else they are fixed by the first data or by `build`.
    name : str, optional
    trainable : bool

    Attributes
    ----------
    layers : list of Layer
        Without the `Input`.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((28, 28, 1)), layers.Conv2D(8, 3), layers.Flatten(), layers.Dense(10)])
    >>> model.output_shape, model.count_params()
    ((None, 10), 54170)
    """

    kind = "sequential"

    def __init__(self, layers: Iterable[Layer | Tensor] | None = (), name: str | None = None,
                 trainable: bool = True) -> None:
        self._new(name, "float32")
        if isinstance(layers, (str, Layer, Tensor)) or not isinstance(layers, (Iterable, type(None))):
            raise ArgumentError(f"{self}: expected a list of layers, got {layers!r}")
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    def add(self, layer: Layer | Tensor) -> None:
        """Append a layer.

        Raises
        ------
        ArgumentError
            If it is no layer, its name is taken, its input does not fit, or another model has this one inside.
        """
        self._require_free("add")
        if isinstance(layer, Tensor) and isinstance(layer.node.layer, InputLayer):
            layer = layer.node.layer
        if not isinstance(layer, Layer) or layer is self:
            given: Any = layer
            remedy = f"; write {given.__name__}(...)" if isinstance(given, type) and issubclass(given, Layer) else ""
            raise ArgumentError(f"{self}: expected a layer, got {'itself' if layer is self else repr(layer)}{remedy}")
        if isinstance(layer, InputLayer):
            if self.layers or self._first is not None:
                raise ArgumentError(f"{self}: expected Input as the first entry and only once")
            self.dtype_policy = layer.dtype_policy
            self._chain(layer.tensor(), [])
            return
        if layer.many_inputs:
            raise ArgumentError(f"{self}: expected layers of one input, got {layer}; {_FUNCTIONAL}")
        serialization.check_name(self, self.layers, layer)
        if self.layers and layer.array_dtype != self.array_dtype:
            raise ArgumentError(f"{self}: expected layers of one dtype, {self.array_dtype.name}, "
                                f"got {layer} of {layer.array_dtype.name}")
        first = self._first
        if first is None and not self.layers and layer.told_shape is not None:
            self.dtype_policy = layer.dtype_policy
            self._chain(Input(layer.told_shape, dtype=layer.dtype_policy), [layer])
            return
        if first is None:
            self.layers.append(layer)
            self.dtype_policy = layer.dtype_policy
            if layer.built and isinstance(layer, Model):  # it knows its input, so the chain does
                self.build(layer.input_shape)
            return
        if not self.layers and layer.array_dtype != self.array_dtype:  # the input is of the type of what follows
            first = Input(first.shape[1:], dtype=layer.dtype_policy, name=first.name)
            self.dtype_policy = layer.dtype_policy
        self._chain(first, [*self.layers, layer], self._built_structure().traced.nodes)

    def pop(self, rebuild: bool = True) -> Any:
        """Take the last layer off, and return it.

        Parameters
        ----------
        rebuild : bool
            The model is always ready to run again; any value gives the same.

        Raises
        ------
        ArgumentError
            If there is none, or another model has this one inside.
        """
        self._require_free("pop")
        if not self.layers:
            raise ArgumentError(f"{self}: expected a layer to pop, got none")
        last = self.layers[-1]
        if self._first is None:
            self.layers.pop()
        else:
            self._chain(self._first, self.layers[:-1], self._built_structure().traced.nodes[:-1])
        return last

    def build(self, input_shape: Any) -> None:
        """Fix the shapes and make the parameters, for an input (None, H, W, C)."""
        if self._first is not None:
            super().build(input_shape)
            return
        shape = self._whole(input_shape)
        self.compute_output_shape(shape)  # raises while nothing is built yet
        self._chain(Input(shape[1:], dtype=self.dtype_policy), self.layers)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output for that of the input; nothing is built."""
        if self.built:
            return super().compute_output_shape(input_shape)
        shape = self._whole(input_shape)
        for layer in self.layers:
            shape = layer.for_shape(shape).output_shape if layer.built else layer.compute_output_shape(shape)
            self._require_one(layer, shape)
        return shape

    def _require_one(self, layer: Any, output_shape: Any) -> None:
        if several(output_shape):
            raise ArgumentError(f"{self}: expected layers of one output, got {layer}; {_FUNCTIONAL}")

    @property
    def _first(self) -> Tensor | None:
        """The input; None before it is known."""
        return None if self._structure is None else self._structure.given_inputs

    def _chain(self, first: Tensor, layers: Sequence[Any], nodes: Sequence[LayerCall] = ()) -> None:
        """Let layers follow one another from an input on; the first of them do so already, by these nodes."""
        nodes = list(nodes)
        tensor = nodes[-1].outputs[0] if nodes else first
        for layer in layers[len(nodes):]:
            # One that was called on this tensor before (and taken off) stays called.
            known = [node.outputs[0] for node in layer.nodes if node.inputs[:1] == (tensor,) and node.training is None]
            tensor = known[0] if known else layer(tensor)
            self._require_one(layer, layer.output_shape)
            nodes.append(tensor.node)
        self._connect(Structure(first, tensor, Traced([first], [tensor], nodes, [first.node.layer, *layers])))

    def _connect(self, structure: Structure) -> None:
        super()._connect(structure)
        self._layers = self._layers[1:]  # without the input

    def _require_free(self, what: str) -> None:
        if self.nodes:
            raise ArgumentError(f"{self}: {what} expected a model that was not called on symbolic tensors yet, since "
                                f"others have it inside; make a new one, such as fc.Sequential(model.layers[:-1])")

    def get_config(self) -> dict[str, Any]:
        """Return the structure, as JSON can hold it."""
        frozen = {} if self.trainable else {"trainable": False}
        if not self.built:  # the layers alone, which wait for an input
            return {"name": self.name, "layers": serialization.entries(self.layers)} | frozen
        first = {"class_name": "InputLayer", "config": {"shape": list(self.input_shape[1:]), "name": "input"}
                 | ({} if self.dtype_policy.name == "float32" else {"dtype": self.dtype_policy.name})}
        return {"name": self.name, "layers": [first, *serialization.entries(self.layers)]} | frozen

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> "Sequential":
        """As `Model.from_config`."""
        with serialization.reading(cls.__name__):
            made = cls(serialization.make_all(config["layers"], custom_objects or {}, cls.__name__),
                       name=config.get("name"))
            serialization.as_trainable(made, config)
            return made
