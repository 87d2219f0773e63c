"""The rectifier whose slope is drawn anew for each number."""

from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.activations.names import parametric
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integer, number
from fastcnn.layers.base import Backward, Call, Layer
from fastcnn.operations.noise import random_slopes


class RReLU(Layer):
    """y = x where x > 0, else a x, with a drawn from [lower, upper) for each number in training. ONNX: LeakyRelu.

    In prediction, a is (lower + upper) / 2. Xu, Wang, Chen and Li, "Empirical evaluation of rectified activations in
    convolutional network", 2015; PyTorch's RReLU. Keras has none.

    Parameters
    ----------
    lower, upper : float
        0 <= lower <= upper.
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> x = np.array([[-8, -8, 4]], "float32")
    >>> layers.RReLU(0.125, 0.375, seed=1).predict(x)
    array([[-2., -2.,  4.]], dtype=float32)
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lower = number(lower, self, "lower to be a finite number of at least 0", lambda n: 0 <= n < np.inf)
        self.upper = number(upper, self, "upper to be a finite number of at least 0", lambda n: 0 <= n < np.inf)
        if self.lower > self.upper:
            raise ArgumentError(f"{self}: expected lower of at most upper, got {lower!r} and {upper!r}")
        self.seed = random.next_seed() if seed is None else integer(seed, self, "seed")
        self.function = parametric("leaky_relu", (self.lower + self.upper) / 2)  # in prediction

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if not call.training:
            return self.function.forward(x)
        return random_slopes(x, self.lower, self.upper, call.key(self.seed))

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.function.predict(self.checked(x))
