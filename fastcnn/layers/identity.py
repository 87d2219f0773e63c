"""Layers that return what comes in: for its own sake, or for a penalty on it."""

import numpy as np

from fastcnn import regularizers
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.traits import Trait


class Identity(Layer):
    """y = x. ONNX: nothing is written for it.

    Examples
    --------
    >>> layers.Identity()(np.array([[1, 2]], "float32"))
    array([[1., 2.]], dtype=float32)
    """

    traits = Trait.IDLE

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return x, lambda dy: dy

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        return x


class ActivityRegularization(Identity):
    """y = x, with a penalty l1 sum|x| + l2 sum x^2 on it, divided by the batch, that training adds to the loss.

    Parameters
    ----------
    l1, l2 : float
        At least 0.
    **kwargs
        Those of `Layer`.

    Examples
    --------
    >>> layers.ActivityRegularization(l2=0.1).activity_regularizer
    L1L2(l1=0.0, l2=0.1)
    """

    traits = Trait.IDLE

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: object) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)  # type: ignore[arg-type]
        self.l1, self.l2 = float(l1), float(l2)
