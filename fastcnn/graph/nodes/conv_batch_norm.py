"""A linear layer and the batch normalization after it, while the model trains."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.layers.base import Backward, Call
from fastcnn.layers.batch_norm import BatchNormalization
from fastcnn.operations.batch_normalization import NO_RECTIFIER, Rectifier
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE, Trait


class ConvBatchNorm:
    """A convolution or dense layer, batch normalization, a sum with something else, and a rectifier.

        y = rectifier(normalized(product(x)) + addend)

    Normalization, sum and rectifier share their passes over memory. What the product returns is seen by nobody else, so
    that its gradient takes its memory.

    Parameters
    ----------
    product : Layer
        A linear Conv2D or Dense.
    normalization : BatchNormalization
    rectifier : Rectifier
    adds : bool
        Whether it takes (x, addend).
    """

    replayable = True

    def __init__(self, product: Any, normalization: BatchNormalization, rectifier: Rectifier = NO_RECTIFIER,
                 adds: bool = False) -> None:
        self.product, self.normalization, self.rectifier, self.many_inputs = product, normalization, rectifier, adds
        self.parameters = [*product.parameters, *normalization.parameters]
        self.output_shape = normalization.output_shape
        self.input_shape = (product.input_shape, self.output_shape) if adds else product.input_shape
        self.trains_short = product.trains_short and normalization.trains_short
        self.traits = ((Trait.NOT_NEGATIVE if rectifier.slope == 0 else NONE)
                       | (NONE if adds else Trait.NORMALIZED_PRODUCT) | Trait.CALLS_KERNELS)

    @property
    def trainable_weights(self) -> list[Parameter]:
        return [*self.product.trainable_weights, *self.normalization.trainable_weights]

    def with_sum(self, rectifier: Rectifier) -> "ConvBatchNorm":
        """Return the node that takes (x, addend), with a rectifier after the sum."""
        return ConvBatchNorm(self.product, self.normalization, rectifier, True)

    def with_pooling(self, pooling: Any) -> "ConvBatchNormMaxPool":
        """Return the node that pools what this one returns."""
        return ConvBatchNormMaxPool(self.product, self.normalization, self.rectifier, pooling)

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        adds = self.many_inputs  # rather than the addend, whose memory is free
        x, addend = x if adds else (x, None)
        if addend is not None:
            addend = device.of(addend).ready(addend)  # a layer of the user's own may have made it
        z, through_product = self.product.forward(x, call)
        y, through_normalization = self.normalization.forward(z, call, rectifier=self.rectifier, addend=addend,
                                                              owned=True)

        def backward(dy: np.ndarray) -> Any:
            dz = through_normalization(dy)
            del dy  # whose memory the product may take
            if not adds:
                return through_product(dz)
            dz, daddend = dz
            return through_product(dz), daddend

        return y, backward


class ConvBatchNormMaxPool:
    """A `ConvBatchNorm` without a sum, and max pooling without overlap after it: the maps between are never stored.

    Parameters
    ----------
    product : Layer
        A linear convolution of images.
    normalization : BatchNormalization
    rectifier : Rectifier
    pooling : MaxPooling2D
        Without overlap or padding.
    """

    replayable, many_inputs = True, False

    def __init__(self, product: Any, normalization: BatchNormalization, rectifier: Rectifier, pooling: Any) -> None:
        self.product, self.normalization, self.rectifier, self.pooling = product, normalization, rectifier, pooling
        self.parameters = [*product.parameters, *normalization.parameters]
        self.input_shape, self.output_shape = product.input_shape, pooling.output_shape
        self.traits = (Trait.NOT_NEGATIVE if rectifier.slope == 0 else NONE) | Trait.CALLS_KERNELS

    @property
    def trainable_weights(self) -> list[Parameter]:
        return [*self.product.trainable_weights, *self.normalization.trainable_weights]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        """As `Layer.forward`."""
        z, through_product = self.product.forward(x, call)
        pool, = self.pooling.passes_of(z.shape)
        y, through_normalization = self.normalization.forward_pooled(z, call, self.rectifier, pool, True)
        return y, lambda dy: through_product(through_normalization(dy))
