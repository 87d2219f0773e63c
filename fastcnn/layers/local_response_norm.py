"""Local response normalization."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer, number
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.normalization import local_response_normalization


class LocalResponseNormalization(Layer):
    """Divide each channel by a power of the squares of its neighbours, at the same pixel. ONNX: LRN.

        y_i = x_i / (k + alpha sum_j x_j^2)^beta,   j from max(0, i - size // 2) to min(C - 1, i + size // 2)

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012, section
    3.3, whose names and values these are (the size is their n); Keras has no such layer. ONNX and PyTorch divide alpha
    by the size: theirs is this layer with ``alpha=alpha / size``, ``k=bias``. For an even size, where the paper's
    formula takes size + 1 channels, ONNX takes one more after than before, ``size=((size - 1) // 2, size // 2)``, and
    PyTorch one more before, ``size=(size // 2, (size - 1) // 2)``.

    Parameters
    ----------
    size : int or (int, int)
        How many channels are summed, half of them on either side; or how many before and how many after a channel.
    alpha, beta, k : float
        Of the formula; k positive, the others not negative.

    Examples
    --------
    >>> layers.LocalResponseNormalization(size=5).compute_output_shape((None, 55, 55, 96))
    (None, 55, 55, 96)
    """

    def __init__(self, size: Any = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
        good = len(sides) == 2 and all(map(is_integer, sides))
        if not good or min(sides) < (0 if isinstance(size, (tuple, list)) else 1):
            raise ArgumentError(f"{self}: expected size to be a positive integer, or how many channels before and "
                                f"after, got {size!r}")
        self.before, self.after = sides if isinstance(size, (tuple, list)) else (size // 2, size // 2)
        self.alpha = number(alpha, self, "an alpha of at least 0", lambda n: n >= 0)
        self.beta = number(beta, self, "a beta of at least 0", lambda n: n >= 0)
        self.k = number(k, self, "a positive k", lambda n: n > 0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ArgumentError(f"{self}: expected input (N, ..., C), got {input_shape}")
        return input_shape

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return local_response_normalization(self.checked(x), self.before, self.after, self.alpha, self.beta, self.k)
