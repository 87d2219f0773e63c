"""Activations that look at all numbers along an axis."""

from collections.abc import Sequence
from typing import Any

from fastcnn.geometry.arguments import integers
from fastcnn.operations.activation import SoftmaxFunction, applied


def softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """y_i = exp(x_i) / sum_j exp(x_j) over an axis, or several together. ONNX: Softmax.

    Parameters
    ----------
    x : array or Tensor
    axis : int or sequence of int
        Over which the sum is 1.

    Examples
    --------
    >>> activations.softmax(np.array([[0, 0, 1], [2, 2, 2]], "float32")).round(2)
    array([[0.21, 0.21, 0.58],
           [0.33, 0.33, 0.33]], dtype=float32)
    """
    return applied(SoftmaxFunction("softmax", False, integers(axis, "softmax", "axis")), x)


def log_softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """y_i = x_i - log sum_j exp(x_j) over an axis, or several together. ONNX: LogSoftmax.

    Parameters
    ----------
    x : array or Tensor
    axis : int or sequence of int
        Over which the sum of exp(y) is 1.

    Examples
    --------
    >>> activations.log_softmax(np.array([[0, 0, 1], [2, 2, 2]], "float32")).round(2)
    array([[-1.55, -1.55, -0.55],
           [-1.1 , -1.1 , -1.1 ]], dtype=float32)
    """
    return applied(SoftmaxFunction("log_softmax", True, integers(axis, "log_softmax", "axis")), x)
