"""What runs in the place of a model's own graph: fused for training or for prediction, and made when first wanted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn import config, layers, operations
from fastcnn.graph import trace
from fastcnn.graph.rules import prediction, training
from fastcnn.graph.steps import Graph


class Executables:
    """The graphs of one model.

    Parameters
    ----------
    traced : Traced
    model_layers : list of Layer
    dtype : dtype

    Attributes
    ----------
    whole : Graph
        The layers as they are, models inside opened.
    is_own : bool
        Whether all layers and their functions are fastcnn's, which do nothing in prediction but call kernels.
    """

    def __init__(self, traced: trace.Traced, model_layers: Sequence[Any], dtype: np.dtype) -> None:
        self.whole, self._leaves, self._dtype = trace.opened(traced), trace.leaves(model_layers), dtype
        self._made: tuple[Any, dict[Any, Graph | None]] = None, {}  # what they were made for, and they
        self.is_own = all(map(_is_own, self._leaves))

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
        state = [fused, config.winograd(), *[layer.trainable for layer in self._leaves]]
        known, made = self._made
        if state != known:
            made = {}
            self._made = state, made  # one attribute, which other threads see change whole
        key = fused and training.fills_lanes(batch, self._dtype), to_logits, predicts
        if key not in made:
            made[key] = self._new(fused, *key)
        return made[key]

    def _new(self, fused: bool, narrow: bool, to_logits: tuple[int, ...], predicts: bool) -> Graph | None:
        whole = self.whole
        # Steps are new: which slots are dead after one depends on the graph it is in.
        found = Graph(whole.inputs, whole.outputs, [replace(step) for step in whole.steps], whole.slots)
        if not fused:
            return None if to_logits else found
        if predicts:
            return prediction.for_prediction(found, narrow)
        if to_logits:
            logits = training.without_softmax(found, to_logits)
            return None if logits is None else training.fused(logits, narrow)
        return training.fused(found, narrow)


def _is_own(layer: Any) -> bool:
    parts = layer, getattr(layer, "activation", None), getattr(layer, "function", None)
    return all(type(part).__module__.startswith((layers.__name__, operations.__name__))
               for part in parts if part is not None)
