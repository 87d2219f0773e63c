"""Optimizers, in the order of what they remember, with Keras's names and defaults.

An optimizer walks the flat segments of a model's parameters (`fastcnn.parameters`): one kernel call each.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, unknown
from fastcnn.parameters import Parameter, Segment, flatten, state_like

_NONE = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


class Optimizer:
    """The base of optimizers.

    Attributes
    ----------
    learning_rate : float
        May be changed between steps.
    iterations : int
        Steps taken.
    """

    slots = 0  # arrays of state a parameter needs

    def __init__(self, learning_rate: float) -> None:
        if not learning_rate >= 0:
            raise ArgumentError(f"{type(self).__name__}: expected a learning_rate of at least 0, got {learning_rate}")
        self.learning_rate = float(learning_rate)
        self.iterations = 0
        self.segments: list[Segment] = []
        self.state: list[list[np.ndarray]] = []

    def build(self, parameters: list[Parameter]) -> None:
        """Gather the parameters into flat segments and make the state for each, zeros."""
        self.segments = flatten(parameters)
        self.state = [[state_like(s.values) for _ in range(self.slots)] for s in self.segments]

    def clear_gradients(self) -> None:
        """Set the gradients of all segments to zero."""
        for segment in self.segments:
            segment.gradients.fill(0)

    def step(self, clear: bool = False) -> None:
        """Take one step along the gradients.

        Parameters
        ----------
        clear : bool
            Leave the gradients zero, in the pass that reads them: it saves the `clear_gradients` before the next step
            to who adds nothing to them in between. Else they can still be read after the step.
        """
        self.iterations += 1
        for segment, state in zip(self.segments, self.state, strict=True):
            self.update(device.of(segment.values), segment, state, clear)
            for parameter in segment.parameters:
                parameter.version += 1

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], clear: bool) -> None:
        """Update one segment with one kernel call, which leaves its gradients zero if `clear`."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        hidden = ("iterations", "segments", "state", "slots")
        return {key: value for key, value in vars(self).items() if key not in hidden}


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Polyak, 1964) or Nesterov's (Sutskever et al., 2013).

        v = momentum v - learning_rate g;   w += v,  or with nesterov  w += momentum v - learning_rate g

    Parameters
    ----------
    learning_rate, momentum : float
    nesterov : bool
    """

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> None:
        super().__init__(learning_rate)
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"SGD: expected 0 <= momentum <= 1, got {momentum}")
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.slots = 1 if momentum else 0

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], clear: bool) -> None:
        velocity = state[0] if state else _NONE[segment.values.dtype]
        d.kernels.sgd(segment.values, velocity, segment.gradients, self.learning_rate, self.momentum, self.nesterov,
                      clear)


class Adam(Optimizer):
    """Steps by running means of the gradient and of its square; Kingma and Ba, 2015, section 2.

        m += (g - m)(1 - beta_1);   v += (g^2 - v)(1 - beta_2)
        w -= learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon : float
    """

    slots = 2

    def __init__(self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-7) -> None:
        super().__init__(learning_rate)
        if not (0 <= beta_1 < 1 and 0 <= beta_2 < 1 and epsilon > 0):
            raise ArgumentError(f"Adam: expected 0 <= beta < 1 and a positive epsilon, "
                                f"got {beta_1}, {beta_2} and {epsilon}")
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], clear: bool) -> None:
        d.kernels.adam(segment.values, *state, segment.gradients, self.learning_rate, self.beta_1, self.beta_2,
                       self.epsilon, self.iterations, clear)


_NAMES: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": lambda learning_rate=0.01: SGD(learning_rate, momentum=0.9),
    "nesterov": lambda learning_rate=0.01: SGD(learning_rate, momentum=0.9, nesterov=True),
    "adam": Adam,
}

#: The names `get` understands; "momentum" and "nesterov" are SGD with a momentum of 0.9.
names = tuple(_NAMES)


def get(optimizer: str | Optimizer, **arguments: Any) -> Optimizer:
    """Return the optimizer for a name, with `arguments` such as learning_rate, or an optimizer itself.

    Raises
    ------
    ArgumentError
        If the name is not known.
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str) and optimizer.lower() in _NAMES:
        return _NAMES[optimizer.lower()](**arguments)
    raise ArgumentError(unknown("optimizer", optimizer, _NAMES))
