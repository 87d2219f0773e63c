"""Dropout."""

from typing import Any

import numpy as np

from fastcnn import device, random
from fastcnn.errors import ArgumentError
from fastcnn.layers.base import Backward, Call, Layer


class Dropout(Layer):
    """In training, set a part `rate` of the input to zero and multiply the rest by 1 / (1 - rate). ONNX: Dropout.

    Which elements is a function of (seed, step, index) alone, so the backward pass computes the mask again instead of
    keeping it, and any number of threads draws the same. Srivastava et al., 2014.

    Parameters
    ----------
    rate : float
        0 <= rate < 1.
    seed : int, optional
        The next of the sequence if absent.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refuse(noise_shape=(noise_shape, None))
        if not 0 <= rate < 1:
            raise ArgumentError(f"{self}: expected a rate with 0 <= rate < 1, got {rate}")
        self.rate = float(rate)
        self.seed = random.next_seed() if seed is None else seed

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if self.rate == 0:
            return x, lambda dy: dy
        seed = (self.seed ^ call.seed) & 0x7FFFFFFFFFFFFFFF
        return _masked(x, self.rate, seed, call.step), lambda dy: _masked(dy, self.rate, seed, call.step)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.checked(x)


def _masked(x: np.ndarray, rate: float, seed: int, step: int) -> np.ndarray:
    d = device.of(x)
    y = d.empty(x.shape, x.dtype)
    d.kernels.dropout(y.reshape(-1), x.reshape(-1), rate, seed, step)
    return y
