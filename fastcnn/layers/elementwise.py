"""Elementary functions as layers: number by number, without parameters.

Keras has them as operations (`keras.ops.abs`, ...) alone. They are no activations: no convolution applies them itself.
"""

from typing import Any

import numpy as np

from fastcnn.geometry.arguments import number
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.operations import elementwise
from fastcnn.operations.elementwise import ElementaryFunction


class _Function(Layer):
    """y = f(x)."""

    elementary: ElementaryFunction

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return self.elementary.forward(self.checked(x))

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.elementary.predict(self.checked(x))


class Abs(_Function):
    """y = |x|; its derivative at 0 is 0. ONNX: Abs.

    Examples
    --------
    >>> x = np.array([[-1.5, 0, 4]], "float32")
    >>> layers.Abs().predict(x)
    array([[1.5, 0. , 4. ]], dtype=float32)
    """

    elementary = elementwise.ABSOLUTE


class Sqrt(_Function):
    """y = sqrt(x), or NaN where x < 0. The derivative at 0 is infinite. ONNX: Sqrt.

    Examples
    --------
    >>> x = np.array([[0.25, 1, 4]], "float32")
    >>> layers.Sqrt().predict(x)
    array([[0.5, 1. , 2. ]], dtype=float32)
    """

    elementary = elementwise.SQUARE_ROOT


class Log(_Function):
    """y = log(x), or NaN where x < 0. ONNX: Log.

    Examples
    --------
    >>> x = np.array([[0.25, 1, 4]], "float32")
    >>> layers.Log().predict(x).round(2)
    array([[-1.39,  0.  ,  1.39]], dtype=float32)
    """

    elementary = elementwise.LOGARITHM


class Reciprocal(_Function):
    """y = 1 / x. To divide two tensors, multiply one by the reciprocal of the other. ONNX: Reciprocal.

    Examples
    --------
    >>> x = np.array([[0.25, 1, 4]], "float32")
    >>> layers.Reciprocal().predict(x)
    array([[4.  , 1.  , 0.25]], dtype=float32)
    """

    elementary = elementwise.RECIPROCAL


class Power(_Function):
    """y = x^exponent, or NaN where x < 0 and the exponent is not an integer. ONNX: Pow.

    Parameters
    ----------
    exponent : float
        Neither 0 nor infinite.

    Examples
    --------
    >>> x = np.array([[0.25, 1, 4]], "float32")
    >>> layers.Power(2).predict(x)
    array([[ 0.0625,  1.    , 16.    ]], dtype=float32)
    """

    def __init__(self, exponent: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.exponent = number(exponent, self, "an exponent other than 0 and infinity", lambda n: n != 0)
        self.elementary = elementwise.power(self.exponent)


class Sign(_Function):
    """y = -1, 0 or 1. The derivative is 0. ONNX: Sign.

    Examples
    --------
    >>> x = np.array([[-1.5, 0, 4]], "float32")
    >>> layers.Sign().predict(x)
    array([[-1.,  0.,  1.]], dtype=float32)
    """

    elementary = elementwise.SIGN


class IsZero(_Function):
    """y = 1 where x is 0, else 0: logical not. The derivative is 0. ONNX: Not, Equal.

    Examples
    --------
    >>> x = np.array([[-1.5, 0, 4]], "float32")
    >>> layers.IsZero().predict(x)
    array([[0., 1., 0.]], dtype=float32)
    """

    elementary = elementwise.IS_ZERO


class Round(_Function):
    """y = the nearest integer, and of two the even one. The derivative is 0. ONNX: Round.

    Examples
    --------
    >>> x = np.array([[-1.5, 0, 4]], "float32")
    >>> layers.Round().predict(x)
    array([[-2.,  0.,  4.]], dtype=float32)
    """

    elementary = elementwise.ROUND


class Floor(_Function):
    """y = the largest integer not above x. The derivative is 0. ONNX: Floor.

    Examples
    --------
    >>> x = np.array([[-1.5, 0, 4]], "float32")
    >>> layers.Floor().predict(x)
    array([[-2.,  0.,  4.]], dtype=float32)
    """

    elementary = elementwise.FLOOR


class Ceil(_Function):
    """y = the smallest integer not below x. The derivative is 0. ONNX: Ceil.

    Examples
    --------
    >>> x = np.array([[-1.5, 0, 4]], "float32")
    >>> layers.Ceil().predict(x)
    array([[-1.,  0.,  4.]], dtype=float32)
    """

    elementary = elementwise.CEILING


class Erf(_Function):
    """y = erf(x), twice the integral of exp(-t^2) / sqrt(pi) from 0 to x. ONNX: Erf.

    Examples
    --------
    >>> x = np.array([[-1.5, 0, 4]], "float32")
    >>> layers.Erf().predict(x).round(2)
    array([[-0.97,  0.  ,  1.  ]], dtype=float32)
    """

    elementary = elementwise.ERROR_FUNCTION
