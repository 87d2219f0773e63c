"""Elementary functions, number by number, and the rectifier that learns its slope."""

from dataclasses import dataclass

import numpy as np

from fastcnn import device
from fastcnn.kernels import codes as merge_codes
from fastcnn.kernels import function_codes as codes
from fastcnn.operations import Backward
from fastcnn.operations.broadcasting import merge_gradients, merged
from fastcnn.operations.merge import add_to_gradient
from fastcnn.operations.saved import saved
from fastcnn.parameters import Parameter


@dataclass(frozen=True)
class ElementaryFunction:
    """A function of one number, named by its code in the kernels; `alpha` is the exponent of a power.

    Parameters
    ----------
    code : int
        Of `fastcnn.kernels.function_codes`.
    alpha : float
    """

    code: int
    alpha: float = 0.0

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Return f(x), and dy -> dx."""
        y, code, alpha = self.predict(x), self.code, self.alpha
        # Keeping y where that suffices lets the memory of x be used again.
        again = saved(x if codes.saves_input(code) else y)

        def backward(dy: np.ndarray) -> np.ndarray:
            d = device.of(dy)
            dx = d.empty(dy.shape, dy.dtype)
            d.kernels.function_backward(dx.reshape(-1), dy.reshape(-1), again().reshape(-1), code, alpha)
            return dx

        return y, backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return f(x)."""
        d = device.of(x)
        y = d.empty(x.shape, x.dtype)
        d.kernels.function_forward(y.reshape(-1), x.reshape(-1), self.code, self.alpha)
        return y


ABSOLUTE, SQUARE_ROOT = ElementaryFunction(codes.ABSOLUTE), ElementaryFunction(codes.SQUARE_ROOT)
LOGARITHM, RECIPROCAL = ElementaryFunction(codes.LOGARITHM), ElementaryFunction(codes.RECIPROCAL)
SIGN, IS_ZERO = ElementaryFunction(codes.SIGN), ElementaryFunction(codes.IS_ZERO)
ROUND, FLOOR, CEILING = (ElementaryFunction(code) for code in (codes.ROUND, codes.FLOOR, codes.CEILING))
ERROR_FUNCTION = ElementaryFunction(codes.ERROR_FUNCTION)


def power(exponent: float) -> ElementaryFunction:
    """Return the function x^exponent.

    Parameters
    ----------
    exponent : float
    """
    return ElementaryFunction(codes.POWER, exponent)


def scaled_channels(x: np.ndarray, scale: Parameter, trainable: bool = True) -> tuple[np.ndarray, Backward]:
    """Return scale x, with a factor for each channel, and dy -> dx.

    Parameters
    ----------
    x : (N, ..., C) array
    scale : (C,) Parameter
    trainable : bool
        Whether the backward pass adds to the gradient of the scale.
    """
    factors, again = scale.array.reshape(*(1,) * (x.ndim - 1), -1), saved(x)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx, dscale = merge_gradients(dy, again(), factors, merge_codes.PRODUCT)
        if trainable:
            add_to_gradient(scale, dscale)
        return dx

    return merged(x, factors, merge_codes.PRODUCT), backward


def prelu(x: np.ndarray, alpha: Parameter, trainable: bool = True) -> tuple[np.ndarray, Backward]:
    """Return x where x > 0, else alpha x, and dy -> dx.

    Parameters
    ----------
    x : (N, ...) array
    alpha : Parameter
        Which broadcasts with a sample.
    trainable : bool
        Whether the backward pass adds to the gradient of alpha.
    """
    slopes, again = alpha.array.reshape(1, *alpha.shape), saved(x)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx, dalpha = merge_gradients(dy, again(), slopes, merge_codes.PRELU)
        if trainable:
            add_to_gradient(alpha, dalpha)
        return dx

    return merged(x, slopes, merge_codes.PRELU), backward
