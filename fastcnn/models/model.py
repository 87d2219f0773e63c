"""Model: layers put together between symbolic inputs and outputs; itself a layer."""

import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.errors import ArgumentError, unknown
from fastcnn.graph import execute, trace
from fastcnn.graph.arena import planned_bytes
from fastcnn.graph.executables import Executables
from fastcnn.graph.node import is_replayable
from fastcnn.graph.replay import Replay
from fastcnn.graph.steps import Graph
from fastcnn.layers.base import Backward, Call, Layer, names
from fastcnn.models import given, structure
from fastcnn.models.described import Described
from fastcnn.models.ends import Ends, on_host, tensors_of
from fastcnn.models.owner import Owner
from fastcnn.models.serializable import Serializable
from fastcnn.models.trainer import Trainer
from fastcnn.symbolic import as_shapes, is_symbolic
from fastcnn.training import Data

_SUBCLASS = ("put layers together with the functional form, fc.Model(inputs, outputs), with call(self, x), or write a "
             "Layer of your own with forward and predict")


@structure.enter
class Model(Trainer, Owner, Ends, Serializable, Described, Layer):
    """Layers between inputs and outputs: skips, branches, layers used twice, models inside.

        inputs = fc.Input((28, 28, 1))
        x = layers.Conv2D(8, 3, activation="relu")(inputs)
        outputs = layers.Dense(10, activation="softmax")(layers.Flatten()(x))
        model = fc.Model(inputs, outputs)

    Parameters
    ----------
    inputs : Tensor, or list or dict of them
        From `fc.Input`, or between layers: ``fc.Model(m.input, m.get_layer("conv5").output)``.
    outputs : Tensor, or list or dict of them
    name : str, optional
    trainable : bool

    Attributes
    ----------
    layers : list of Layer
        In Keras's order: the furthest from the outputs first.
    input_shape, output_shape : tuple
        With None for the batch; tuples of them where there are several.

    Raises
    ------
    ArgumentError
        If an output depends on something that is no input, or two layers have one name.
    """

    is_composite = True
    foreign = dict.fromkeys(("train_step", "test_step", "predict_step", "compute_loss", "compute_metrics",
                             "make_train_function"), _SUBCLASS)

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None,
                 trainable: bool = True) -> None:
        if self.has_call and inputs is None and outputs is None:
            self._new(name, None)
            self._trainable = self._is_trainable(trainable)
            return
        if inputs is None or outputs is None or self.has_call:
            raise ArgumentError(f"{type(self).__name__}: expected {_given(self.has_call)}; {_SUBCLASS}")
        self._new(name, tensors_of(type(self).__name__, "inputs", inputs)[0].node.layer.dtype_policy)
        self._given_inputs, self._given_outputs = inputs, outputs
        self._connect(trace.trace(tensors_of(self, "inputs", inputs), tensors_of(self, "outputs", outputs), str(self)))
        structure.check_names(self, self.layers)
        if not trainable:
            self.trainable = False

    def _new(self, name: str | None, policy: Any) -> None:
        kind = "Functional" if type(self) is Model else type(self).__name__  # Keras's name of it
        Layer.__init__(self, name=name or names.new(kind), dtype=policy)
        self._begin()
        self._layers: list[Any] = []
        self.traced: trace.Traced | None = None
        self.is_plain = False  # one input and one output, as arrays
        self._forget()

    def _connect(self, traced: trace.Traced) -> None:
        """Be what lies between tensors, from now on."""
        self.traced, self._layers, self.objective = traced, traced.layers, None
        self.many_inputs = len(traced.inputs) > 1 or (self.has_call and self.many_inputs)
        self.is_plain = len(traced.inputs) == len(traced.outputs) == 1 and not isinstance(self._given_outputs, dict)
        shapes, results = ([t.shape for t in tensors] for tensors in (traced.inputs, traced.outputs))
        self.input_shape = tuple(shapes) if self.many_inputs else shapes[0]
        self.output_shape = tuple(results) if len(results) > 1 else results[0]
        self._forget()

    def _forget(self) -> None:
        """Forget what was derived from the structure."""
        self._executables: Executables | None = None
        self._replay: Replay | None = None

    # --- structure --------------------------------------------------------------------------------------------------

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer of a name, or at an index.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if isinstance(index, numbers.Integral) and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError(unknown(f"{self}: layer", name if index is None else index,
                                    [layer.name for layer in self.layers]))

    def twin(self, shape: Any) -> Any:
        """As `Layer.twin`: its layers are twins of this one's, and it is compiled as this one is."""
        self._require_count(len(as_shapes(shape)))
        twin = self.replaced(nodes=[], stop_training=False, _original=self.original)
        if self.has_call:
            twin._built_by_call(shape)
            return twin
        traced, there = trace.moved(self._between(), as_shapes(shape))
        twin._replace_given(there)
        twin._connect(traced)
        return twin

    def build(self, input_shape: Any) -> None:
        """Check that the model, which is built, takes an input (None, H, W, C); one with `call` is built by it."""
        if self.has_call and not self.built:
            Layer.build(self, input_shape)
            return
        shape = self._whole(input_shape)
        if shape != self.input_shape and self._may_move:
            self.__dict__.update(self.twin(shape).__dict__, _may_move=False)
        elif shape != self.input_shape:
            raise ArgumentError(f"{self}: expected input {self.input_shape}, for which it was built, "
                                f"got {shape}")

    def _built_by_call(self, shape: Any) -> Any:
        self.dtype_policy = next((layer.dtype_policy for layer in self.layers), self.dtype_policy)
        inputs, outputs = self.called_on(shape)
        self._given_inputs, self._given_outputs = inputs if self.many_inputs else inputs[0], outputs
        traced = trace.trace(inputs, tensors_of(self, "outputs", outputs), str(self))
        self.check_called(traced.layers)
        self._connect(traced)
        return self.output_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output for that of the input."""
        if self.has_call and not self.built:
            return Layer.compute_output_shape(self, input_shape)
        return self.for_shape(input_shape).output_shape

    # --- the two verbs ----------------------------------------------------------------------------------------------

    def forward(self, x: Any, call: Call = Call()) -> tuple[Any, Backward]:
        """Train: return the output and backward(dy) -> dx; dx is None unless the call wants it.

        Several inputs, outputs and their gradients are tuples.
        """
        xs = self.entered(self._arrays(x))
        ys, back = execute.forward(self._run(len(xs[0])), xs, call)
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
        """Return the outputs of one batch as a list: by a captured one where there is one."""
        if not config.fusion():
            return self._infer(xs)
        if self._replay is None:
            if not self._all_executables().device.replays:
                return self._infer(xs)
            whole = planned_bytes(self.prediction_graph(), self.compute_dtype.itemsize)[1]
            self._replay = Replay(self._infer, self.weights, whole, self._is_replayable)
        return self._replay(xs)

    def infer_penalized(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
        """Return the outputs of one batch, and what penalties on outputs of layers add to its mean loss."""
        whole = self._all_executables().whole
        if all(step.regularizer is None for step in whole.steps):
            return self.infer_all(xs), 0.0
        penalties = list[float]()
        return execute.infer(whole, self.entered(xs), penalties), sum(penalties)

    def prediction_graph(self) -> Graph:
        """Return what runs for one sample (`fastcnn.graph.rules`)."""
        return self._run(1, predicts=True)

    def planned_bytes(self) -> int:
        """Return the bytes in which the outputs of a sample lie, where those share that do not live at once.

        Weights, packed weights and what a kernel wants for itself come on top.
        """
        return planned_bytes(self.prediction_graph(), self.compute_dtype.itemsize)[0]

    def _is_replayable(self, batch: int) -> bool:
        return all(is_replayable(step.node) for step in self._run(batch, predicts=True).steps)

    def _infer(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        return execute.infer(self._run(len(xs[0]), predicts=True), self.entered(xs))

    def entered(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return inputs as arrays of the device on which the model's parameters live."""
        d = self._all_executables().device
        return [x if device.of(x) is d else d.put(x) for x in xs]

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Return the output of one batch: of `forward` if `training`, else of `infer`; tensors for tensors.

        With `training`, each call draws other random numbers, as `Layer.__call__`.
        """
        if is_symbolic(x):
            if isinstance(x, dict):
                x = given.inputs(x, self.input_names, (), str(self)) if self.built else list(x.values())
            return Layer.__call__(self, x, training)
        xs = Data(self._inputs(x, str(self)), [], self.input_shapes, self.compute_dtype, str(self)).xs
        xs = [np.ascontiguousarray(one, self.compute_dtype) for one in xs]
        if training:
            y = self.forward(tuple(xs) if self.many_inputs else xs[0], Call(step=next(self._draws)))[0]
            return self.as_given(on_host(y if isinstance(y, tuple) else [y]))
        return self.as_given(on_host(self.infer_all(xs)))

    def _arrays(self, x: Any) -> list[np.ndarray]:
        xs = list(x) if isinstance(x, (tuple, list)) else [x]
        if not self.built:
            self.build((None, *given.array(xs[0], str(self), "x").shape[1:]))
        self._require_count(len(xs))
        return xs

    def _require_count(self, count: int) -> None:
        """Raise ArgumentError for another number of inputs than the model has."""
        if count != len(self.input_shapes):
            raise ArgumentError(f"{self}: expected {len(self.input_shapes)} inputs, {', '.join(self.input_names)}, "
                                f"got {count}")

    def _run(self, batch: int, to_logits: tuple[int, ...] = (), predicts: bool = False) -> Any:
        """Return what runs (`fastcnn.graph.executables`)."""
        return self._all_executables().get(batch, to_logits, predicts)

    def _all_executables(self) -> Executables:
        if self._executables is None:
            self._executables = Executables(self._between(), self.layers, self.compute_dtype)
        return self._executables

    def __repr__(self) -> str:
        return f"<{self}, {len(self.layers)} layers, input {self.input_shape}>"


def _listed(shapes: Iterable[Any]) -> str:
    return ", ".join(map(str, shapes))


def _given(has_call: bool) -> str:
    return "inputs and outputs from call alone, got some" if has_call else "inputs and outputs, got none"
