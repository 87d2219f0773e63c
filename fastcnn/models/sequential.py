"""Sequential: a model whose layers follow one another."""

from collections.abc import Iterable
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.layers import Input, InputLayer, Layer, Tensor
from fastcnn.models import structure
from fastcnn.models.model import Model


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
    """

    def __init__(self, layers: Iterable[Layer | Tensor] = (), name: str | None = None, trainable: bool = True) -> None:
        self._new(name, "float32")
        self._first: Tensor | None = None
        for layer in layers or ():
            self.add(layer)
        if not trainable:
            self.trainable = False

    def add(self, layer: Layer | Tensor) -> None:
        """Append a layer.

        Raises
        ------
        ArgumentError
            If it is no layer, its name is taken, or its input does not fit.
        """
        if isinstance(layer, Tensor):
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise ArgumentError(f"{self}: expected a layer, got {layer!r}")
        if isinstance(layer, InputLayer):
            if self.layers or self._first is not None:
                raise ArgumentError(f"{self}: expected Input as the first entry and only once")
            self._first, self.dtype = layer.tensor(), layer.dtype
            self._chain([])
            return
        if layer.many_inputs:
            raise ArgumentError(f"{self}: expected layers of one input, got {layer}; "
                                f"use the functional form, fc.Model(inputs, outputs)")
        structure.check_names(self, [*self.layers, layer])
        if self.layers and layer.dtype != self.dtype:
            raise ArgumentError(f"{self}: expected layers of one dtype, {self.dtype.name}, "
                                f"got {layer} of {layer.dtype.name}")
        if self._first is None:
            self.layers.append(layer)
            self.dtype = layer.dtype
            if layer.built and isinstance(layer, Model):  # it knows its input, so the chain does
                self.build(layer.input_shape)
            return
        if not self.layers and layer.dtype != self.dtype:  # the input is of the type of what follows
            shape, name = self._first.shape[1:], self._first.name
            self._first, self.dtype = Input(shape, dtype=layer.dtype.name, name=name), layer.dtype
        self._chain([*self.layers, layer])

    def pop(self) -> Any:
        """Take the last layer off, and return it.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if not self.layers:
            raise ArgumentError(f"{self}: expected a layer to pop, got none")
        last = self.layers[-1]
        if self._first is None:
            self.layers.pop()
        else:
            self._chain(self.layers[:-1])
        return last

    def build(self, input_shape: Any) -> None:
        """Fix the shapes and make the parameters, for an input (None, H, W, C)."""
        if self._first is not None:
            super().build(input_shape)
            return
        first, self._first = self._first, Input(tuple(input_shape[1:]), dtype=self.dtype.name)
        try:
            self._chain(self.layers)
        except Exception:
            self._first = first
            raise

    def _chain(self, layers: list[Any]) -> None:
        """Let the layers follow one another from the input on; those that do so already stay called."""
        assert self._first is not None
        tensor = self._first
        for layer in layers:
            known = [node.outputs[0] for node in layer.nodes if node.inputs[:1] == (tensor,) and node.training is None]
            tensor = known[0] if known else layer(tensor)
            if not isinstance(tensor, Tensor):
                raise ArgumentError(f"{self}: expected layers of one output, got {layer}; "
                                    f"use the functional form, fc.Model(inputs, outputs)")
        self._given_inputs, self._given_outputs = self._first, tensor
        self._connect([self._first], [tensor])
        self.layers = list(layers)

    def get_config(self) -> dict[str, Any]:
        """Return the structure, as JSON can hold it."""
        self._require_built("get_config")
        first = {"class_name": "InputLayer", "config": {"shape": list(self.input_shape[1:]), "name": "input"}
                 | ({} if self.dtype == "float32" else {"dtype": self.dtype.name})}
        frozen = {} if self.trainable else {"trainable": False}
        return {"name": self.name, "layers": [first, *map(structure.entry, self.layers)]} | frozen

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> "Sequential":
        """As `Model.from_config`."""
        return cls(structure.make_all(config["layers"], custom_objects or {}, cls.__name__), name=config.get("name"))
