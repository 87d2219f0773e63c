"""Elementary functions as layers: number by number, without parameters.

Keras has them as operations (`keras.ops.abs`, ...) alone. They are no activations: no convolution applies them itself.
"""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.geometry.arguments import number
from fastcnn.kernels import function_codes as codes
from fastcnn.layers.base import Backward, Call, Layer


class _Function(Layer):
    """y = f(x), f by its code in the kernels."""

    code = codes.ABSOLUTE
    alpha = 0.0

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x, code, alpha = self.checked(x), self.code, self.alpha
        y = self.predict(x)
        saved = x if codes.saves_input(code) else y

        def backward(dy: np.ndarray) -> np.ndarray:
            d = device.of(dy)
            dx = d.empty(dy.shape, dy.dtype)
            d.kernels.function_backward(dx.reshape(-1), dy.reshape(-1), saved.reshape(-1), code, alpha)
            return dx

        return y, backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        return applied(self.checked(x), self.code, self.alpha)


def applied(x: np.ndarray, code: int, alpha: float = 0.0) -> np.ndarray:
    """Return f(x), f by its code in the kernels.

    Parameters
    ----------
    x : ndarray
    code : int
    alpha : float
        The exponent of a power.
    """
    d = device.of(x)
    y = d.empty(x.shape, x.dtype)
    d.kernels.function_forward(y.reshape(-1), x.reshape(-1), code, alpha)
    return y


class Abs(_Function):
    """y = |x|; its derivative at 0 is 0. ONNX: Abs."""

    code = codes.ABSOLUTE


class Sqrt(_Function):
    """y = sqrt(x), NaN where x < 0; its derivative at 0 is infinite. ONNX: Sqrt."""

    code = codes.SQUARE_ROOT


class Log(_Function):
    """y = log(x), NaN where x < 0. ONNX: Log."""

    code = codes.LOGARITHM


class Reciprocal(_Function):
    """y = 1 / x; a quotient of two tensors is `Multiply` of one and the reciprocal of the other. ONNX: Reciprocal."""

    code = codes.RECIPROCAL


class Power(_Function):
    """y = x^exponent, NaN where x < 0 and the exponent is no integer. ONNX: Pow.

    Parameters
    ----------
    exponent : float
        Neither 0 nor infinite.
    """

    code = codes.POWER

    def __init__(self, exponent: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number(exponent, self, "an exponent other than 0 and infinity", lambda n: n != 0)


class Sign(_Function):
    """y = -1, 0 or 1, and 0 as derivative. ONNX: Sign."""

    code = codes.SIGN


class IsZero(_Function):
    """y = 1 where x is 0, else 0, and 0 as derivative: what is no truth. ONNX: Not, Equal."""

    code = codes.IS_ZERO


class Round(_Function):
    """y = the nearest integer, of two the even one, and 0 as derivative. ONNX: Round."""

    code = codes.ROUND


class Floor(_Function):
    """y = the largest integer that is not above x, and 0 as derivative. ONNX: Floor."""

    code = codes.FLOOR


class Ceil(_Function):
    """y = the smallest integer that is not below x, and 0 as derivative. ONNX: Ceil."""

    code = codes.CEILING


class Erf(_Function):
    """y = erf(x), twice the integral of exp(-t^2) / sqrt(pi) from 0 to x. ONNX: Erf."""

    code = codes.ERROR_FUNCTION
