"""Losses that the `call` of a layer adds: the node that ends in one has it as the penalty on its output."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.symbolic import Tensor
from fastcnn.tensor_operators import operation


class AddedLoss:
    """The penalty that is the one number itself."""

    def value(self, array: np.ndarray) -> float:
        """As `fastcnn.regularizers.Regularizer.value`."""
        return float(device.get(array).sum())

    def add_gradient(self, gradient: np.ndarray, array: np.ndarray) -> float:
        """As `fastcnn.regularizers.Regularizer.add_gradient`, of a gradient that holds zeros."""
        device.of(gradient).fill(gradient, 1.0)
        return self.value(array)


def ended(loss: Tensor) -> Any:
    """Return the tensor in which a loss ends, (1,): its node has the penalty.

    Parameters
    ----------
    loss : Tensor
        Is summed up.
    """
    total = operation("reshape", operation("sum", loss), (1,))
    total.node.layer.activity_regularizer = AddedLoss()
    return total
