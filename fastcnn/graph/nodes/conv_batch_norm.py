"""A linear layer and the batch normalization after it, while the model trains."""

from typing import Any

import numpy as np

from fastcnn.layers.base import Backward, Call
from fastcnn.layers.batch_norm import BatchNormalization
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE


class ConvBatchNorm:
    """A convolution or dense layer, batch normalization, and ReLU, a leaky one or nothing after it.

    Normalization and rectifier share their passes over memory.

    Parameters
    ----------
    product : Layer
        A linear Conv2D or Dense.
    normalization : BatchNormalization
    slope : float
        What is multiplied by below 0: 1 for no rectifier, 0 for ReLU.
    """

    traits, replayable, many_inputs = NONE, True, False

    def __init__(self, product: Any, normalization: BatchNormalization, slope: float) -> None:
        self.product, self.normalization, self.slope = product, normalization, slope
        self.parameters = [*product.parameters, *normalization.parameters]
        self.input_shape, self.output_shape = product.input_shape, normalization.output_shape

    @property
    def trainable_weights(self) -> list[Parameter]:
        return [*self.product.trainable_weights, *self.normalization.trainable_weights]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        z, through_product = self.product.forward(x, call)
        y, through_normalization = self.normalization.forward(z, call, relu=self.slope != 1, slope=self.slope)

        def backward(dy: np.ndarray) -> np.ndarray | None:
            dx: np.ndarray | None = through_product(through_normalization(dy))
            return dx

        return y, backward
