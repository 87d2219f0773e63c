"""A convolution and the max pooling after it."""

from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.geometry.pool import passes
from fastcnn.layers.base import Backward, Call
from fastcnn.layers.conv import Conv2D
from fastcnn.layers.pool import MaxPooling2D
from fastcnn.operations.activation import LINEAR, clamp_of
from fastcnn.operations.convolution import product
from fastcnn.operations.pooling import max_pool
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait


class ConvMaxPool:
    """A convolution with or without ReLU, and max pooling without overlap after it.

    Rows and columns that no window sees are not computed. ReLU's backward pass runs on the pooling's output, a quarter
    of the convolution's for windows of 2x2: a gradient passes where the largest number is positive.

    Parameters
    ----------
    convolution : Conv2D
        With stride 1, without dilation or groups.
    pooling : MaxPooling2D
        Without overlap or padding.
    """

    traits, replayable, many_inputs = Trait.CALLS_KERNELS, True, False

    def __init__(self, convolution: Conv2D, pooling: MaxPooling2D) -> None:
        self.convolution, self.pooling, self.parameters = convolution, pooling, convolution.parameters
        self.input_shape, self.output_shape = convolution.input_shape, pooling.output_shape

    @property
    def trainable_weights(self) -> list[Parameter]:
        return self.convolution.trainable_weights

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        layer, x = self.convolution, self.convolution.checked(x)
        g = geometry.cropped(x.shape, layer.filters, layer.kernel_size, layer.padding, self.pooling.pool_size)
        image = (x.shape[0], int(g[0]["oh"]), int(g[0]["ow"]), layer.filters)
        activation: Any = layer.activation
        z, product_backward = product(x, layer.kernel, layer.bias, clamp_of(activation) or LINEAR, g, image,
                                      layer.trainable, call.wants_dx)
        size = self.pooling.pool_size
        y, through_pooling = max_pool(z, passes(image, size, size))
        y_again = None if activation is None else saved(y)

        def backward(dy: np.ndarray) -> np.ndarray | None:
            dy = dy if y_again is None else activation.backward(y_again())(dy)
            dx: np.ndarray | None = product_backward(through_pooling(dy))
            return dx

        return y, backward
