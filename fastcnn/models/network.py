"""Network: layers between symbolic inputs and outputs, as one layer, whose weights are theirs."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.array_data import Data
from fastcnn.errors import ArgumentError
from fastcnn.graph import trace
from fastcnn.graph.executable import Executable
from fastcnn.graph.steps import Graph
from fastcnn.layers import taking
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.layers.held_layers import direct
from fastcnn.layers.weights import Weights, each_once
from fastcnn.models import arguments, kernels_ahead, weight_paths
from fastcnn.models.executables import Executables
from fastcnn.models.inputs_and_outputs import InputsAndOutputs
from fastcnn.models.structure import Structure
from fastcnn.parameters import Parameter
from fastcnn.symbolic import as_shapes, is_symbolic


class Network(InputsAndOutputs):
    """What `fastcnn.Model` is before it is trained: a structure, and an executable of it, made when first wanted.

    Neither changes: a network that gets another structure, as a `Sequential` does with each layer that is added, makes
    another executable of it. Where sizes are left open, there is one for each size (`fastcnn.models.executables`).
    """

    is_composite = True
    takes_open_sizes = True
    #: What Keras's files call it, in paths of weights.
    kind = "functional"
    #: Whether its class says by `train_step` how its parts are trained, and by nothing what it makes of an input.
    only_trains = False

    def _new(self, name: str, policy: Any) -> None:
        Layer.__init__(self, name=name, dtype=policy)
        self._layers: list[Any] = []
        self._structure = None
        self._executables = None

    def _connect(self, structure: Structure) -> None:
        """Be what lies between tensors, from now on."""
        self._structure, self._layers = structure, structure.traced.layers
        shapes, results = structure.input_shapes, structure.output_shapes
        self.many_inputs = len(shapes) > 1 or (self.has_call and self.many_inputs)
        self.input_shape = tuple(shapes) if self.many_inputs else shapes[0]
        self.output_shape = tuple(results) if len(results) > 1 else results[0]
        self._executables = Executables(self, structure)

    @property
    def _executable(self) -> Executable:
        return self.executables.one

    def placed(self) -> None:
        """Run, from now on, where the parameters are."""
        super().placed()
        if self._executables is not None:
            for one in self._executables.made():
                one.placed()

    def end_steps(self) -> None:
        """Free what a training that has ended held for its steps; a network without a structure holds nothing."""
        if self._executables is not None:
            self._executables.end_steps()

    # --- layers and weights -----------------------------------------------------------------------------------------

    def held_layers(self) -> dict[str, Any]:
        """Return its layers by their names; by their places in its attributes where it has a `call`."""
        return direct(self, Weights) if self.has_call else {layer.name: layer for layer in self._layers}

    @property
    def layers(self) -> list[Any]:
        """Its layers, in Keras's order: the furthest from the outputs first; as its attributes hold them where it has a
        `call`.
        """
        return list(self.held_layers().values()) if self.has_call else self._layers

    @property
    def trainable_weights(self) -> list[Parameter]:
        """Those of its layers, whatever `trainable` says of the network: a layer may be trained again by itself."""
        own = [p for p in self.parameters if p.trainable and self.trainable]
        return each_once([*own, *(p for layer in self.layers for p in layer.trainable_weights)])

    def named_weights(self) -> dict[str, Parameter]:
        """Return the parameters by path: ``conv2d/kernel``, with the names of models inside before it.

        Raises
        ------
        ArgumentError
            If two have one path.
        """
        return weight_paths.named(self)

    def weights_by_path(self) -> list[tuple[str, Parameter]]:
        """Return `named_weights` as a list."""
        return list(self.named_weights().items())

    def count_params(self) -> int:
        """Return how many numbers the parameters hold."""
        self._built_structure("count_params")
        return super().count_params()

    # --- shapes -----------------------------------------------------------------------------------------------------

    def twin(self, shape: Any) -> Any:
        """As `Layer.twin`: its layers are twins of this one's."""
        self._require_count(len(as_shapes(shape)))
        twin = self.replaced(nodes=[], _original=self.original)
        if self.has_call:
            twin._connect(self.structure_on(as_shapes(shape)))
        else:
            twin._connect(self._built_structure().moved(as_shapes(shape)))
        return twin

    def build(self, input_shape: Any) -> None:
        """Check that the model, which is built, takes an input (None, H, W, C); one with `call` is built by it."""
        if self._building or (self.has_call and not self.built):
            Layer.build(self, input_shape)
            return
        shape = self._whole(input_shape)
        if shape != self.input_shape and self._may_move:
            self.__dict__.update(self.twin(shape).__dict__, _may_move=False)
        elif shape != self.input_shape and not self._means(shape):
            raise ArgumentError(f"{self}: expected input {self.input_shape}, for which it was built, "
                                f"got {shape}")

    def _built_by_call(self, shape: Any) -> Any:
        self.dtype_policy = next((layer.dtype_policy for layer in self.layers), self.dtype_policy)
        self._connect(self._called_on(shape))
        return self.output_shape

    def _called_on(self, shape: Any) -> Structure:
        if self.only_trains:
            raise ArgumentError(f"{self}: expected call(self, x), which says what it makes of an input, got train_step "
                                f"alone; fit trains such a model, and its parts are what is called, saved and predicts")
        inputs, outputs = self.called_on(shape)
        structure = Structure.between(inputs if self.many_inputs else inputs[0], outputs, self, self._added)
        self.check_called(structure.traced.layers)
        return structure

    def structure_on(self, shapes: Sequence[Any]) -> Structure:
        """Return what `call` makes of inputs of some shapes; the layers, which are built, do not remember it."""
        with self.calls_forgotten():
            return self._called_on(tuple(shapes) if self.many_inputs else shapes[0])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output for that of the input."""
        if self.has_call and not self.built:
            return Layer.compute_output_shape(self, input_shape)
        return self.for_shape(input_shape).output_shape

    def _require_count(self, count: int) -> None:
        """Raise ArgumentError for another number of inputs than the model has."""
        if count != len(self.input_shapes):
            raise ArgumentError(f"{self}: expected {len(self.input_shapes)} inputs, {', '.join(self.input_names)}, "
                                f"got {count}")

    # --- the two verbs ----------------------------------------------------------------------------------------------

    def forward(self, x: Any, call: Call = Call()) -> tuple[Any, Backward]:
        """Train: return the output and backward(dy) -> dx; dx is None unless the call wants it.

        Several inputs, outputs and their gradients are tuples.
        """
        xs = self._arrays(x)
        executable = self.executables.get(xs)
        ys, back = executable.forward(executable.entered(xs), call)
        shapes = [y.shape for y in ys]

        def backward(dy: Any) -> Any:
            dys = dy if isinstance(dy, (tuple, list)) else (dy,)
            if [shape if one is None else np.shape(one) for shape, one in zip(shapes, dys, strict=False)] != shapes:
                raise ArgumentError(f"{self}: expected gradients of the outputs' shapes, {_listed(shapes)}, "
                                    f"got {_listed(map(np.shape, dys))}")
            dxs = back(dys)
            return tuple(dxs) if self.many_inputs else dxs[0]

        return (tuple(ys) if len(ys) > 1 else ys[0]), backward

    def infer(self, x: Any) -> Any:
        """Return the output of one batch; nothing is kept."""
        return self.as_given(self.infer_all(self._arrays(x)))

    def infer_all(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs of one batch as a list: by a captured prediction where there is one."""
        return self._predicting(xs).predict(xs)

    def infer_penalized(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
        """Return the outputs of one batch, and what penalties on outputs of layers add to its mean loss."""
        return self._predicting(xs).infer_penalized(xs)

    def _predicting(self, xs: Sequence[np.ndarray]) -> Executable:
        executable = self.executables.get(xs)
        if executable.begins("predict"):
            kernels_ahead.expect_prediction(self, xs)
        return executable

    def layer_graph(self, xs: Sequence[Any] | None = None) -> Graph:
        """Return the graph of layers as they are, nothing fused, models inside opened.

        Parameters
        ----------
        xs : list of arrays, optional
            What it is to run, where sizes are left open; without them it tells of layers, and runs nothing.
        """
        if xs is not None:
            return self.executables.get(xs).whole
        return trace.opened(self._built_structure().traced) if self.is_open else self._executable.whole

    def first_not_finite(self, xs: Sequence[np.ndarray], call: Call) -> str | None:
        """Return what is the first not to be finite when a batch goes forward (`fastcnn.graph.finite`)."""
        return self.executables.get(xs).first_not_finite(xs, call)

    def __call__(self, x: Any = None, training: bool | None = None, **named: Any) -> Any:
        """Return the output of one batch: of `forward` if `training`, else of `infer`; tensors for tensors.

        With `training`, each call draws other random numbers, as `Layer.__call__`.
        """
        if named or x is None:
            x = taking.named(self, x, named)
        if is_symbolic(x):
            if isinstance(x, dict):
                x = arguments.inputs(x, self.input_names, (), str(self)) if self.built else list(x.values())
            found = Layer.__call__(self, x, training)
            return self.as_given(found if isinstance(found, tuple) else [found])
        xs = Data(self.read(x, str(self)), [], self.taken_shapes, self.array_dtype, str(self)).xs
        xs = [np.ascontiguousarray(one, self.array_dtype) for one in xs]
        if training:
            y = self.forward(tuple(xs) if self.many_inputs else xs[0], Call(step=next(self._draws)))[0]
            return self.as_given(list(map(device.get, y if isinstance(y, tuple) else [y])))
        return self.as_given(list(map(device.get, self.infer_all(xs))))

    def read(self, x: Any, who: str) -> list[np.ndarray]:
        """Return what a user gave for the inputs as a list of arrays, building the model on its first sight of data."""
        if not self.built and self.has_call and isinstance(x, (list, tuple)) and len(x) > 1 and all(
                isinstance(one, np.ndarray) for one in x):
            self.build(tuple((None, *arguments.array(one, who, "x").shape[1:]) for one in x))
        if not self.built:
            self.build((None, *arguments.array(arguments.only(x), who, "x").shape[1:]))
        return [arguments.array(one, who, "x") for one in arguments.inputs(x, self.input_names, self.input_shapes, who)]

    def _arrays(self, x: Any) -> list[Any]:
        xs = list(x) if isinstance(x, (tuple, list)) else [x]
        if not self.built:
            self.build((None, *arguments.array(xs[0], str(self), "x").shape[1:]))
        self._require_count(len(xs))
        return xs

    # --- what runs --------------------------------------------------------------------------------------------------

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one sample's forward pass."""
        return self._executable.multiply_adds()

    def prediction_graph(self) -> Graph:
        """Return what runs for one sample (`fastcnn.graph.rules`)."""
        return self._executable.prediction_graph()

    def planned_bytes(self) -> int:
        """Return the bytes in which the outputs of a sample lie, where those share that do not live at once.

        Weights, packed weights and what a kernel wants for itself come on top.
        """
        return self._executable.planned_bytes()

    def __repr__(self) -> str:
        return f"<{self}, {len(self.layers)} layers, input {self.input_shape}>"


def _listed(shapes: Iterable[Any]) -> str:
    return ", ".join(map(str, shapes))
