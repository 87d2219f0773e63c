"""A linear layer and the batch normalization after it, while the model trains."""

from typing import Any

import numpy as np

from fastcnn.layers.base import Backward, Call
from fastcnn.layers.batch_norm import BatchNormalization
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE


class ConvBatchNorm:
    """A convolution or dense layer, batch normalization, and ReLU or nothing after it.

    Normalization and ReLU share their passes over memory.

    Parameters
    ----------
    product : Layer
        A linear Conv2D or Dense.
    normalization : BatchNormalization
    relu : bool
    """

    traits, replayable, many_inputs = NONE, True, False

    def __init__(self, product: Any, normalization: BatchNormalization, relu: bool) -> None:
        self.product, self.normalization, self.relu = product, normalization, relu
        self.parameters = [*product.parameters, *normalization.parameters]
        self.input_shape, self.output_shape = product.input_shape, normalization.output_shape

    @property
    def trainable_weights(self) -> list[Parameter]:
        return [*self.product.trainable_weights, *self.normalization.trainable_weights]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        z, through_product = self.product.forward(x, call)
        y, through_normalization = self.normalization.forward(z, call, relu=self.relu)

        def backward(dy: np.ndarray) -> np.ndarray | None:
            dx: np.ndarray | None = through_product(through_normalization(dy))
            return dx

        return y, backward
