"""Owner: what a model knows of the parameters of its layers."""

from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.layers import held_layers
from fastcnn.layers.weights import Weights, each_once
from fastcnn.parameters import Parameter


class Owner:
    """The third of `fastcnn.Model` that hands out parameters, each once, layer by layer as Keras does."""

    #: What Keras's files call a model of the class, in paths of weights.
    kind = "functional"

    # What the others have.
    name: str
    built: Any
    has_call: bool
    _layers: list[Any]
    traced: Any
    _trainable: bool
    _is_trainable: Any
    _require_built: Any

    def held_layers(self) -> dict[str, Any]:
        """Return its layers by their names; by their places in its attributes where it has a `call`."""
        return held_layers.direct(self, Weights) if self.has_call else {layer.name: layer for layer in self._layers}

    @property
    def layers(self) -> list[Any]:
        """Its layers, in Keras's order: the furthest from the outputs first; as its attributes hold them where it has a
        `call`.
        """
        return list(self.held_layers().values()) if self.has_call else self._layers

    @property
    def weights(self) -> list[Parameter]:
        return each_once(p for layer in self.layers for p in layer.weights)

    @property
    def trainable_weights(self) -> list[Parameter]:
        return each_once(p for layer in self.layers for p in layer.trainable_weights)

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        return each_once(p for layer in self.layers for p in layer.non_trainable_weights)

    @property
    def trainable(self) -> bool:
        """Whether training changes the parameters; setting it sets it for all layers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = self._is_trainable(value)
        for layer in self.layers:
            layer.trainable = self._trainable

    def named_weights(self) -> dict[str, Parameter]:
        """Return the parameters by path: ``conv2d/kernel``, with the names of models inside before it.

        Raises
        ------
        ArgumentError
            If two have one path.
        """
        found: dict[str, Parameter] = {}
        pairs = self.held_layers().items() if self.has_call else [(layer.name, layer) for layer in self._layers]
        for name, layer in pairs:
            plain = not (self.has_call or layer.is_composite or layer.held_layers())
            each = ((p.path, p) for p in layer.weights) if plain else layer.weights_by_path()
            for path, p in each:
                path = path if plain else f"{name}/{path}"
                if found.setdefault(path, p) is not p:
                    raise ArgumentError(f"{self}: expected weights with different paths, got two of {path}")
        first: dict[int, str] = {}  # a layer in two models has two paths: the first is kept
        return {path: p for path, p in found.items() if first.setdefault(id(p), path) == path}

    def weights_by_path(self) -> list[tuple[str, Parameter]]:
        """Return `named_weights` as a list."""
        return list(self.named_weights().items())

    def count_params(self) -> int:
        """Return how many numbers the parameters hold."""
        self._require_built("count_params")
        return sum(p.size for p in self.weights)
