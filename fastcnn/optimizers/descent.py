"""Gradient descent and Adam, with Keras's names and defaults; what all optimizers take is `Optimizer`'s."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.optimizers.base import NONE, Optimizer, Rate
from fastcnn.parameter_blocks import Segment


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Polyak, 1964) or Nesterov's (Sutskever et al., 2013).

        v = momentum v - learning_rate g;   w += v,  or with nesterov  w += momentum v - learning_rate g

    Parameters
    ----------
    learning_rate : float or schedule
    momentum : float
    nesterov : bool
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.SGD(0.1, momentum=0.9)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.95, 1.2 ], dtype=float32)
    """

    def __init__(self, learning_rate: Rate = 0.01, momentum: float = 0.0, nesterov: bool = False,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"SGD: expected 0 <= momentum <= 1, got {momentum}")
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.slots = ("momentum",) if momentum else ()

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], rate: float, decay: float,
               clear: bool) -> None:
        velocity = state[0] if state else NONE[segment.values.dtype]
        d.kernels.sgd(segment.values, velocity, segment.gradients, rate, self.momentum, self.nesterov, decay, clear)


class Adam(Optimizer):
    """Adam: running means of the gradient and of its square; Kingma and Ba, 2015, section 2. ONNX: Adam.

        m += (g - m)(1 - beta_1);   v += (g^2 - v)(1 - beta_2)
        w -= learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
    amsgrad : bool
        Divide by the largest v so far; Reddi et al., 2018.
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Adam(0.001)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.999, 1.001], dtype=float32)
    """

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-7, amsgrad: bool = False, *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        if not (0 <= beta_1 < 1 and 0 <= beta_2 < 1 and epsilon > 0):
            raise ArgumentError(f"{type(self).__name__}: expected 0 <= beta < 1 and a positive epsilon, "
                                f"got {beta_1}, {beta_2} and {epsilon}")
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)
        self.amsgrad = bool(amsgrad)
        self.slots = ("momentum", "velocity", "velocity_hat") if amsgrad else ("momentum", "velocity")

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], rate: float, decay: float,
               clear: bool) -> None:
        largest = state[2] if self.amsgrad else NONE[segment.values.dtype]
        d.kernels.adam(segment.values, *state[:2], largest, segment.gradients, rate, self.beta_1, self.beta_2,
                       self.epsilon, self.updates, decay, clear)


class AdamW(Adam):
    """Adam with weight decay that is separate from the gradient; Loshchilov and Hutter, 2019.

    Parameters
    ----------
    learning_rate : float or schedule
    weight_decay, beta_1, beta_2, epsilon : float
    amsgrad : bool
    base, named : those of `Optimizer`, without weight_decay

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.AdamW(0.001)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.999, 1.001], dtype=float32)
    """

    def __init__(self, learning_rate: Rate = 0.001, weight_decay: float = 0.004, beta_1: float = 0.9,
                 beta_2: float = 0.999, epsilon: float = 1e-7, amsgrad: bool = False, *base: Any,
                 **named: Any) -> None:
        if weight_decay is None:
            raise ArgumentError("AdamW: expected weight_decay to be a number, got None; Adam has none")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *base, **named)
