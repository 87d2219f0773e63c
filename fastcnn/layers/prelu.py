"""The rectifier that learns its slope."""

from typing import Any

import numpy as np

from fastcnn import constraints
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.elementwise import prelu


class PReLU(Layer):
    """y = x where x > 0, else alpha x, with a learned alpha; He et al., 2015, equation 1. ONNX: PRelu.

    Parameters
    ----------
    alpha_initializer : str or Initializer
    alpha_regularizer : str or Regularizer, optional
    alpha_constraint : str, Constraint or function, optional
    shared_axes : int or sequence of int, optional
        Dimensions that share one alpha. (1, 2) gives one alpha for each channel of (N, H, W, C).

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.PReLU(alpha_initializer=initializers.Constant(0.25)).predict(x)
    array([[-0.5  , -0.125,  0.   ,  0.5  ,  4.   ]], dtype=float32)
    """

    def __init__(self, alpha_initializer: Any = "zeros", alpha_regularizer: Any = None, alpha_constraint: Any = None,
                 shared_axes: int | tuple[int, ...] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.alpha_initializer, self.alpha_regularizer = alpha_initializer, alpha_regularizer
        self.shared_axes = () if shared_axes is None else axes(shared_axes, self, "shared_axes", empty=True)
        if min(self.shared_axes, default=1) < 1:
            raise ArgumentError(f"{self}: expected shared_axes counted from 1, got {shared_axes!r}")

    def create_weights(self, input_shape: Shape) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes:
            if not 1 <= axis <= len(shape):
                raise ArgumentError(f"{self}: expected shared_axes within 1..{len(shape)}, got {axis!r}")
            shape[axis - 1] = 1
        self.alpha = self.add_weight("alpha", tuple(shape), self.alpha_initializer, regularizer=self.alpha_regularizer,
                                     constraint=self.alpha_constraint)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return prelu(self.checked(x), self.alpha, self.trainable)
