"""A normalization or a sum, and ReLU after it, in prediction."""

from typing import Any

import numpy as np

from fastcnn.parameters import Parameter
from fastcnn.traits import Trait


class WithReLU:
    """A normalization or a sum with the ReLU after it, in one pass over memory: `predict` of the layer takes `relu`.

    Parameters
    ----------
    layer : BatchNormalization or Add
    """

    traits, replayable = Trait.NOT_NEGATIVE, True

    def __init__(self, layer: Any) -> None:
        self.layer, self.many_inputs = layer, layer.many_inputs
        self.input_shape, self.output_shape = layer.input_shape, layer.output_shape

    @property
    def parameters(self) -> list[Parameter]:
        found: list[Parameter] = self.layer.parameters
        return found

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return max(layer(x), 0)."""
        y: np.ndarray = self.layer.predict(x, relu=True)
        return y
