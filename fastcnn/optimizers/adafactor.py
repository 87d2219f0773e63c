"""The optimizer that keeps a second moment of rows and one of columns in the place of one of all numbers."""

import math
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.optimizers.arguments import positive
from fastcnn.optimizers.base import Optimizer, Rate
from fastcnn.optimizers.parameter_group import norms, scale_parts
from fastcnn.parameter_blocks import Segment


class Adafactor(Optimizer):
    """Steps as long as the weights are, along g / sqrt(v), where v is a product of moments of rows and columns.

        rho_t = min(learning_rate, 1 / sqrt(t));   w -= max(epsilon_2, rms(w)) rho_t u / max(1, rms(u) / clip_threshold)

    with u = g / sqrt(v), and a moment's share of the past 1 - t^beta_2_decay. Shazeer and Stern, 2018. Of a kernel
    (KH, KW, C, K), each (C, K) is a matrix. The state is half of Adam's.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_2_decay : float
        At most 0.
    epsilon_1, epsilon_2, clip_threshold : float
    relative_step : bool
        As in Keras it changes nothing: the learning rate is at most 1 / sqrt(t) anyway.
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Adafactor(0.1)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.9, 1.1], dtype=float32)
    """

    slots = ("velocity",)

    def __init__(self, learning_rate: Rate = 0.001, beta_2_decay: float = -0.8, epsilon_1: float = 1e-30,
                 epsilon_2: float = 1e-3, clip_threshold: float = 1.0, relative_step: bool = True, *base: Any,
                 **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        positive(self, epsilon_1=epsilon_1, epsilon_2=epsilon_2, clip_threshold=clip_threshold)
        if not beta_2_decay <= 0:
            raise ArgumentError(f"Adafactor: expected beta_2_decay of at most 0, got {beta_2_decay!r}")
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = float(beta_2_decay), float(epsilon_1), float(epsilon_2)
        self.clip_threshold, self.relative_step = float(clip_threshold), bool(relative_step)

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], rate: float, decay: float,
               clear: bool) -> None:
        values, gradients, t = segment.values, segment.gradients, self.updates
        if decay:
            scale_parts(segment, values, np.full(len(segment.parameters), 1.0 - decay))
        u = d.empty(values.shape, values.dtype)
        for parameter, place in segment.places():
            if parameter.size:
                shape = _as_matrices(parameter.shape)
                scratch = d.empty((d.kernels.factored_step_scratch(shape[0] * shape[2], u.dtype),), np.float64)
                d.kernels.factored_step(u[place].reshape(shape), state[0][place].reshape(shape), scratch,
                                        gradients[place].reshape(shape), 1.0 - t**self.beta_2_decay, self.epsilon_1)
        roots = np.sqrt([max(1, p.size) for p in segment.parameters])
        lengths = np.maximum(self.epsilon_2, norms(segment, values) / roots) * min(rate, 1.0 / math.sqrt(t))
        scale_parts(segment, u, -lengths / np.maximum(1.0, norms(segment, u) / roots / self.clip_threshold))
        d.kernels.add(values, values, u)
        if clear:
            d.fill(gradients, 0)


def _as_matrices(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return how many matrices of which shape a parameter is; a vector is one row."""
    rows, columns = (1, math.prod(shape)) if len(shape) < 2 else shape[-2:]
    return math.prod(shape[:-2]), rows, columns
