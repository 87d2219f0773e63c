"""Sequential: a chain of layers, walked forward and back."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn import config, layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import InputLayer, Layer, Tensor
from fastcnn.layers.base import Backward, Call
from fastcnn.models import fuse
from fastcnn.models.model import Model
from fastcnn.models.plan import Plans


class Sequential(Model):
    """A model whose layers follow one another.

    Parameters
    ----------
    layers : list of Layer, optional
        The first may be an `Input`, which fixes the shapes; else they are fixed by the first data or by `build`.
    name : str, optional

    Attributes
    ----------
    layers : list of Layer
        Without the `Input`.
    """

    def __init__(self, layers: Iterable[Layer | Tensor] = (), name: str | None = None) -> None:
        super().__init__(name or "sequential")
        self._fused_for: list[Any] = []
        self._fused: dict[tuple[bool, bool], Any] = {}
        self._plans: Plans | None = None
        self._planned_layers = 0
        for layer in layers:
            self.add(layer)

    # --- structure --------------------------------------------------------------------------------------------------

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
            if self.layers or self.input_shape is not None:
                raise ArgumentError(f"{self}: expected Input as the first entry and only once")
            self.input_shape, self._input = layer.output_shape, layer
            return
        if any(layer.name == other.name for other in self.layers):
            raise ArgumentError(f'{self}: expected layers with different names, got two "{layer.name}"')
        if self.layers and layer.dtype != self.dtype:
            raise ArgumentError(f"{self}: expected layers of one dtype, {self.dtype.name}, "
                                f"got {layer} of {layer.dtype.name}")
        if self.input_shape is not None:
            layer.build(self.output_shape)
        self.layers.append(layer)

    def build(self, input_shape: Any) -> None:
        """Fix the shapes and make the parameters, for an input (None, H, W, C)."""
        if self.input_shape is not None:
            if tuple(input_shape[1:]) != tuple(self.input_shape[1:]):
                raise ArgumentError(f"{self}: expected input {self.input_shape}, for which it was built, "
                                    f"got {tuple(input_shape)}")
            return
        shape: Any = (None, *input_shape[1:])
        for layer in self.layers:
            layer.build(shape)
            shape = layer.output_shape
        self.input_shape = (None, *input_shape[1:])

    @property
    def output_shape(self) -> Any:
        return self.layers[-1].output_shape if self.layers else self.input_shape

    # --- the two verbs ----------------------------------------------------------------------------------------------

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """Train: return the output and backward(dy) -> dx; dx is None unless the call wants it.

        A layer computes the gradient of its input only if something before it learns.
        """
        return _forward(self._nodes(len(x)), x, call)

    def forward_with_loss(self, x: np.ndarray, y: np.ndarray, call: Call
                          ) -> tuple[np.ndarray, np.ndarray, Callable[[], Any]]:
        """As `Model.forward_with_loss`; a softmax before cross-entropy is one kernel with it."""
        to_logits = self._nodes(len(x), to_logits=True) if self.loss.follows_softmax else None
        if to_logits is None:
            return super().forward_with_loss(x, y, call)
        z, backward = _forward(to_logits, x, call)
        losses, gradient, y_pred = self.loss.forward_from_logits(y, z)
        return losses, y_pred, lambda: backward(gradient)

    def infer(self, x: np.ndarray) -> np.ndarray:
        """Return the output of one batch; nothing is kept."""
        if self._plans is None or self._planned_layers != len(self.layers):
            own = all(type(layer).__module__.startswith(layers.__name__) for layer in self.layers)
            self._plans, self._planned_layers = Plans(self._infer, self.weights if own else None), len(self.layers)
        return self._plans(x) if config.fusion() else self._infer(x)

    def _infer(self, x: np.ndarray) -> np.ndarray:
        for node in self._nodes(len(x)):
            x = node.predict(x)
        return x

    def _nodes(self, batch: int, to_logits: bool = False) -> Any:
        """Return what runs for the layers (`fastcnn.models.fuse`); None if `to_logits` and there is no softmax."""
        if not config.fusion():
            return None if to_logits else self.layers
        key = [config.winograd(), *((layer, layer.trainable) for layer in self.layers)]
        if key != self._fused_for:
            self._fused_for, self._fused = key, {}
        variant = fuse.fills_lanes(batch, self.dtype), to_logits
        if variant not in self._fused:
            chain = fuse.logits(self.layers) if to_logits else self.layers
            self._fused[variant] = None if chain is None else fuse.fuse(chain, narrow=variant[0])
        return self._fused[variant]

    def get_config(self) -> dict[str, Any]:
        """Return the structure, as JSON can hold it."""
        self._require_built("get_config")
        entry = {"class_name": "InputLayer", "config": {"shape": list(self.input_shape[1:]), "name": "input"}}
        return {"name": self.name, "layers": [entry] + [
            {"class_name": type(layer).__name__, "config": layer.get_config()} for layer in self.layers]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> "Sequential":
        """Make a built model from `get_config`; classes are found in `custom_objects`, then in `fastcnn.layers`.

        Raises
        ------
        ArgumentError
            If there are classes that are not known: all of them are named.
        """
        known = {name: getattr(layers, name) for name in layers.__all__} | (custom_objects or {})
        known["Input"] = layers.InputLayer
        strange = sorted({entry["class_name"] for entry in config["layers"]} - set(known))
        if strange:
            raise ArgumentError(f"Sequential.from_config: expected layers of fastcnn or of custom_objects, "
                                f"got {', '.join(strange)}")
        return cls([known[entry["class_name"]].from_config(entry["config"]) for entry in config["layers"]],
                   name=config.get("name"))


def _forward(nodes: Sequence[Any], x: np.ndarray, call: Call) -> tuple[np.ndarray, Backward]:
    """Run a chain of nodes; the way back pops each step, so that what it kept can be used again."""
    steps: list[Backward] = []
    wanted = call.wants_dx
    for node in nodes:
        x, step = node.forward(x, Call(call.seed, call.step, wanted))
        wanted = wanted or bool(node.trainable_weights)
        if wanted:
            steps.append(step)

    def backward(dy: np.ndarray | None) -> np.ndarray | None:
        while steps:
            dy = steps.pop()(dy)
        return dy if call.wants_dx else None

    return x, backward
