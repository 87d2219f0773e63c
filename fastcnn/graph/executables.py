"""What runs in the place of a model's own graph: rewritten for training or for prediction when first wanted."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.graph import execute, rules, trace
from fastcnn.graph.rules.report import Fusions
from fastcnn.graph.steps import Graph
from fastcnn.layers.base import Backward, Call
from fastcnn.symbolic import Tensor


class Executables:
    """The graphs of one model.

    Parameters
    ----------
    traced : Traced
    model_layers : list of Layer
    dtype : dtype

    Attributes
    ----------
    traced : Traced
    whole : Graph
        The layers as they are, models inside opened.
    device : Device
        Where their parameters live.
    """

    def __init__(self, traced: trace.Traced, model_layers: Sequence[Any], dtype: np.dtype) -> None:
        self.traced, self.whole = traced, trace.opened(traced)
        self._leaves, self._dtype = trace.leaves(model_layers), dtype
        first = next((p for layer in self._leaves for p in layer.parameters), None)
        self.device = device.current() if first is None else device.of(first.array)
        self._made: tuple[Any, dict[Any, Graph | None]] = None, {}  # what they were made for, and they

    def forward(self, xs: Sequence[np.ndarray], call: Call, penalties: list[float] | None = None
                ) -> tuple[list[np.ndarray], Backward]:
        """As `fastcnn.graph.execute.forward`, of what runs for the batch."""
        return execute.forward(self.get(len(xs[0])), xs, call, penalties)  # type: ignore[arg-type]

    def infer(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """As `fastcnn.graph.execute.infer`, of what runs for the batch."""
        return execute.infer(self.get(len(xs[0]), predicts=True), xs)  # type: ignore[arg-type]

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one sample's forward pass."""
        return sum(step.node.multiply_adds() for step in self.whole.steps)

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
        # As it was read, too: another thread may switch it in between.
        state = [fused, config.state(), *[layer.trainable for layer in self._leaves]]
        known, made = self._made
        if state != known:
            made = {}
            self._made = state, made  # one attribute, which other threads see change whole
        key = fused and batch >= _lanes(self.device, self._dtype), to_logits, predicts
        if key not in made:
            made[key] = self._new(fused, *key)
        return made[key]

    def _new(self, fused: bool, fills: bool, to_logits: tuple[int, ...], predicts: bool) -> Graph | None:
        if not fused:
            return None if to_logits else self._copy()
        if predicts:
            return rules.for_prediction(self.whole, fills)
        return rules.for_training(self.whole, fills, to_logits)

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
        """Return the whole graph with steps of its own: which slots it uses last depends on its graph."""
        whole = self.whole
        return Graph(whole.inputs, whole.outputs, [replace(step) for step in whole.steps], whole.slots)


def between(inputs: Sequence[Tensor], outputs: Sequence[Tensor], dtype: np.dtype, who: str) -> Executables:
    """Return what runs between symbolic tensors: what `fastcnn._hooks` names."""
    traced = trace.trace(inputs, outputs, who)
    return Executables(traced, traced.layers, dtype)


@functools.cache
def _lanes(d: device.Device, dtype: Any) -> int:
    """Return from how many images on nodes whose lanes are images pay; asked once, since every step asks."""
    return d.kernels.lanes_of_block(dtype)
