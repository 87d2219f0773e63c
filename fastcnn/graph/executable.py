"""What runs a model: its graph, rewritten for training or prediction when first needed, and captured predictions."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

import numpy as np

from fastcnn import config, device
from fastcnn.graph import arena, execute, finite, lowering, missing_kernels, rules, trace
from fastcnn.graph.device_graphs import DeviceGraphs, graphs_of
from fastcnn.graph.node import is_replayable
from fastcnn.graph.replay import Replay
from fastcnn.graph.rounding import rounded
from fastcnn.graph.rules.report import Fusions
from fastcnn.graph.steps import Graph
from fastcnn.layers.base import Backward, Call
from fastcnn.layers.weights import each_once
from fastcnn.symbolic import Tensor, as_shapes


class Executable:
    """What runs a model, or a layer with `call`. It belongs to one structure, and notices changed weights itself.

    Parameters
    ----------
    traced : Traced
    model_layers : list of Layer
    dtype : dtype
    whole : Graph, optional
        What `fastcnn.graph.trace.opened` makes of it otherwise.
    share : int
        How many share the memory that there is for captures: those of one model for several sizes of images do.

    Attributes
    ----------
    traced : Traced
    whole : Graph
        The layers as they are, models inside opened.
    device : Device
        Where their parameters live.
    replay, graphs : Replay, DeviceGraphs or None
        The captured predictions, once there were predictions, on the CPU or on a device that works by itself.
    """

    def __init__(self, traced: trace.Traced, model_layers: Sequence[Any], dtype: np.dtype,
                 whole: Graph | None = None, share: int = 1) -> None:
        self._share, self._begun = share, set[str]()
        self.traced, self.whole = traced, trace.opened(traced) if whole is None else whole
        self._layers, self._leaves, self._dtype = model_layers, trace.leaves(model_layers), dtype
        self.placed()
        if whole is None:
            shapes = [one.shape for one in traced.inputs]
            missing_kernels.require_kernels(self.whole, shapes, np.dtype(dtype), self.device, "fastcnn")

    def placed(self) -> None:
        """Run, from now on, where the parameters are; what was derived from them elsewhere is forgotten."""
        first = next((p for layer in self._leaves for p in layer.parameters), None)
        self._is_anywhere = first is None
        self.device = device.current() if first is None else first.home
        self.replay: Replay | None = None
        self.graphs: DeviceGraphs | None = None
        self._made: tuple[Any, dict[Any, Graph | None]] = None, {}  # settings, and the graphs made for them

    def begins(self, verb: str) -> bool:
        """Return whether it is asked for the first time whether this begins: a training, or predictions.

        Parameters
        ----------
        verb : str
            "train" or "predict".
        """
        if verb in self._begun:
            return False
        self._begun.add(verb)
        return True

    def forward(self, xs: Sequence[np.ndarray], call: Call, penalties: list[float] | None = None
                ) -> tuple[list[np.ndarray], Backward]:
        """As `fastcnn.graph.execute.forward`, of what runs for the batch."""
        return execute.forward(self.get(len(xs[0])), xs, call, penalties)

    def forward_of(self, xs: Sequence[np.ndarray], call: Call = Call()) -> tuple[list[np.ndarray], Backward]:
        """As `forward`, of arrays of any device."""
        return self.forward(self.entered(xs), call)

    def with_gradients(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], Backward]:
        """As `forward`, outside of any training: for losses of tensors."""
        return self.forward_of(xs)

    def infer(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """As `fastcnn.graph.execute.infer`, of what runs for the batch."""
        self.end_steps()  # a prediction is not the next step of a training
        return execute.infer(self.get(len(xs[0]), predicts=True), xs)

    def end_steps(self) -> None:
        """Free the memory in which steps of a training are replayed."""
        for graph in list(self._made[1].values()):  # another thread may make one more
            if graph is not None and graph.replay is not None:
                graph.replay.let_go()

    def predict(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """As `infer`, by a captured prediction where there is one."""
        if not config.fusion():
            return self._infer(xs)
        if self.graphs is not None:
            return self.graphs(xs, self.entered)
        if self.replay is None:
            if not (self.device.replays or self.device.is_asynchronous):
                return self._infer(xs)
            weights = each_once(p for layer in self._layers for p in layer.weights)
            self.graphs = graphs_of(self.device, self.infer, weights, self._is_replayable)
            if self.graphs is not None:
                return self.graphs(xs, self.entered)
            self.replay = Replay(self._infer, weights, self._planned_bytes()[1], self._is_replayable,
                                 self._share)
        return self.replay(xs)

    def infer_with_losses(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[float]]:
        """Return the outputs of one batch, and each penalty on an output of a layer and each loss that was added."""
        penalties = list[float]()
        return execute.infer(rounded(self.whole), self.entered(xs), penalties), penalties

    def infer_penalized(self, xs: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float]:
        """Return the outputs of one batch, and what penalties on outputs of layers add to its mean loss."""
        # Penalties are on outputs of layers, which fusion would hide: then all layers run one by one.
        if all(step.regularizer is None for step in self.whole.steps):
            return self.predict(xs), 0.0
        penalties = list[float]()
        return execute.infer(rounded(self.whole), self.entered(xs), penalties), sum(penalties)

    def first_not_finite(self, xs: Sequence[np.ndarray], call: Call) -> str | None:
        """Return what is the first not to be finite when a batch goes forward (`fastcnn.graph.finite`)."""
        return finite.first_not_finite(self.whole, self.entered(xs), call)

    def entered(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return inputs as arrays of the device on which the parameters live."""
        d = self.device
        if self._is_anywhere and not isinstance(xs[0], np.ndarray):
            return list(xs)
        return [x if device.of(x) is d else d.put(x) for x in xs]

    def _infer(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self.infer(self.entered(xs))

    def _is_replayable(self, batch: int) -> bool:
        return all(is_replayable(step.node) for step in self.get(batch, predicts=True).steps)

    def prediction_graph(self) -> Graph:
        """Return what runs for one sample (`fastcnn.graph.rules`)."""
        return self.get(1, predicts=True)

    def planned_bytes(self) -> int:
        """Return the bytes of a sample's intermediate arrays, where those that do not live at once share memory."""
        return self._planned_bytes()[0]

    def _planned_bytes(self) -> tuple[int, int]:
        return arena.planned_bytes(self.prediction_graph(), self._dtype.itemsize)

    def output_shapes(self, input_shapes: Sequence[Any]) -> list[Any]:
        """Return the shapes of the outputs for those of the inputs for which it was made."""
        found = dict(zip(self.whole.inputs, input_shapes, strict=True))
        for step in self.whole.steps:
            found.update(zip(step.outputs, as_shapes(step.node.output_shape), strict=True))
        return [found[slot] for slot in self.whole.outputs]

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one sample's forward pass."""
        return sum(step.node.multiply_adds() for step in self.whole.steps)

    @overload
    def get(self, batch: int, to_logits: tuple[()] = (), predicts: bool = False) -> Graph: ...

    @overload
    def get(self, batch: int, to_logits: tuple[int, ...], predicts: bool = False) -> Graph | None: ...

    def get(self, batch: int, to_logits: tuple[int, ...] = (), predicts: bool = False) -> Graph | None:
        """Return what runs for a batch of a size; None if `to_logits` and an output comes from no softmax.

        Parameters
        ----------
        batch : int
        to_logits : tuple of int
            Outputs of which the logits are wanted.
        predicts : bool
        """
        fused = config.fusion()
        # `fused` stands here beside the state, since another thread may switch it between the two reads.
        state = [fused, config.state(), *[layer.trainable for layer in self._leaves]]
        known, made = self._made
        if state != known:
            self.end_steps()  # since a graph and its replay hold one another
            made = {}
            self._made = state, made  # in one assignment: no other thread may see the new state with old graphs
        key = fused and batch >= _lanes(self.device, self._dtype), to_logits, predicts
        if key not in made:
            new = self._new(fused, *key)
            made[key] = None if new is None else rounded(new, _stores_short(self.device))
        return made[key]

    def _new(self, fused: bool, fills: bool, to_logits: tuple[int, ...], predicts: bool) -> Graph | None:
        if not fused:
            return None if to_logits else self._copy()
        if predicts:
            return rules.for_prediction(self._lowered(), fills)
        return rules.for_training(self.whole, fills, to_logits)

    def _lowered(self) -> Graph:
        """Return the graph of a prediction, on bytes where layers are quantized and the device has kernels for it."""
        whole = self.whole.without_idle()
        return lowering.lowered(whole) if self.device.quantizes and self._dtype == np.float32 else whole

    def fusions(self, batch: int, to_logits: tuple[int, ...] = ()) -> Fusions:
        """Return what rules do for a batch of a size, in training and in prediction, and why they do not.

        Parameters
        ----------
        batch : int
        to_logits : tuple of int
            As of `get`; without effect if an output comes from no softmax.
        """
        if not config.fusion():
            return Fusions([], batch)
        fills, which = batch >= _lanes(self.device, self._dtype), to_logits
        if rules.for_training(self.whole, fills, which) is None:
            which = ()
        logits = frozenset(self.whole.outputs[k] for k in which)
        contexts = rules.Context(True, fills, logits), rules.Context(False, fills)
        return Fusions([one for context in contexts
                        for one in rules.rewritten(self.whole, rules.active(), context, explain=True)[1]], batch)

    def _copy(self) -> Graph:
        """Return the graph of all layers with copies of its steps, since a graph writes last uses into its steps."""
        whole = self.whole
        return Graph(whole.inputs, whole.outputs, [replace(step) for step in whole.steps], whole.slots)


def between(inputs: Sequence[Tensor], outputs: Sequence[Tensor], dtype: np.dtype, who: str,
            added: Sequence[Tensor] = ()) -> Executable:
    """Return what runs between symbolic tensors, and to losses that were added: what `fastcnn._hooks` names."""
    traced = trace.trace(inputs, outputs, who, added)
    return Executable(traced, traced.layers, dtype)


def _stores_short(d: device.Device) -> bool:
    """Return whether convolutions of bfloat16 read and write 16 bits on a device."""
    return d.reads_short and bool(d.kernels.multiplies_pairs())


@functools.cache
def _lanes(d: device.Device, dtype: Any) -> int:
    """Return from which batch size batch-interleaved nodes pay off. Cached, since every step asks."""
    lanes: int = d.kernels.lanes_of_block(dtype)
    return lanes
