"""Two images side by side and the convolution after them, while the model trains."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.layers.base import Backward, Call
from fastcnn.layers.conv import Conv2D
from fastcnn.layers.merge import Concatenate
from fastcnn.operations.joined_convolution import joined_convolution, joins
from fastcnn.parameters import Parameter
from fastcnn.traits import Trait


class JoinedConv:
    """A concatenation of the channels of two images, and a convolution of it: no joined image is written or read.

    Of sizes for which the kernels cannot do that, the layers run one after the other.

    Parameters
    ----------
    concatenation : Concatenate
        Of the channels of two images.
    convolution : Conv2D
        Whose activation, if it has any, is a clamp.
    """

    traits, replayable, many_inputs = Trait.CALLS_KERNELS, True, True

    def __init__(self, concatenation: Concatenate, convolution: Conv2D) -> None:
        self.concatenation, self.convolution = concatenation, convolution
        self.parameters: Sequence[Parameter] = convolution.parameters
        self.input_shape, self.output_shape = concatenation.input_shape, convolution.output_shape

    @property
    def trainable_weights(self) -> list[Parameter]:
        return self.convolution.trainable_weights

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        layer, xs = self.convolution, self.concatenation.checked(x)
        images = *xs[0].shape[:3], xs[0].shape[3] + xs[1].shape[3]
        g = layer.geometry(images)
        if joins(layer.kernel, layer.activation, g):
            return joined_convolution(xs, layer.kernel, layer.bias, layer.activation, g,
                                      (images[0], *layer.output_shape[1:]), layer.trainable, call.wants_dx)
        joined, apart = self.concatenation.forward(xs, call)
        y, through = layer.forward(joined, call)

        def backward(dy: np.ndarray) -> Any:
            dx = through(dy)
            return (None, None) if dx is None else apart(dx)

        return y, backward
