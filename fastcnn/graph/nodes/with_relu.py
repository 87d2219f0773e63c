"""A normalization or a sum, and ReLU after it."""

from typing import Any

import numpy as np

from fastcnn.layers.base import Backward, Call
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE, Trait, of


class WithReLU:
    """A normalization or a sum with the ReLU after it, in one pass over memory: the layer's verbs take `relu`.

    Parameters
    ----------
    layer : BatchNormalization or Add
    """

    replayable = True

    def __init__(self, layer: Any) -> None:
        self.trains_short = layer.trains_short
        self.layer, self.many_inputs = layer, layer.many_inputs
        self.traits = (Trait.NOT_NEGATIVE | Trait.CALLS_KERNELS
                       | (Trait.AFFINE_RELU if Trait.CHANNEL_AFFINE in of(layer) else NONE))
        self.input_shape, self.output_shape = layer.input_shape, layer.output_shape

    @property
    def parameters(self) -> list[Parameter]:
        found: list[Parameter] = self.layer.parameters
        return found

    @property
    def trainable_weights(self) -> list[Parameter]:
        found: list[Parameter] = self.layer.trainable_weights
        return found

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        found: tuple[np.ndarray, Backward] = self.layer.forward(x, call, relu=True)
        return found

    def predict(self, x: Any) -> np.ndarray:
        """Infer: return max(layer(x), 0)."""
        y: np.ndarray = self.layer.predict(x, relu=True)
        return y
