"""Steps along gradients that are given, and the state of an optimizer as variables: for loops of one's own."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.array_like import ArrayLike
from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter


class ShownRate(float):
    """A learning rate as Keras's optimizers show it: a number, which can be assigned.

    Parameters
    ----------
    value : float
    optimizer : Optimizer
    """

    _optimizer: Any

    def __new__(cls, value: float, optimizer: Any) -> "ShownRate":
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def assign(self, value: Any) -> None:
        """Set the optimizer's learning rate."""
        self._optimizer.learning_rate = float(value)

    def numpy(self) -> np.ndarray:
        """Return the number as an array."""
        return np.array(float(self), np.float32)

    @property
    def value(self) -> float:
        """The number."""
        return float(self)

    def __reduce__(self) -> Any:  # a copy is a number
        return float, (float(self),)


class StateVariable(ArrayLike):
    """A number or an array of an optimizer's state, as Keras's variables are: looked at, and assigned.

    Parameters
    ----------
    optimizer : Optimizer
    key : str
        Of its `get_state`.
    """

    def __init__(self, optimizer: Any, key: str) -> None:
        self._optimizer, self._key = optimizer, key

    @property
    def path(self) -> str:
        """The optimizer's name, the parameter's and that of the state: ``adam/dense/kernel/momentum``."""
        number, _, name = self._key.partition("/")
        middle = f"{self._optimizer._parameters[int(number)].path}/{name}" if name else number
        return f"{self._optimizer.name}/{middle}"

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def value(self) -> np.ndarray:
        """A copy of the value."""
        found: np.ndarray = self._optimizer.get_state()[self._key]
        return found

    def assign(self, value: Any) -> None:
        """Set the value, of the same shape."""
        self._optimizer.set_state(self._optimizer.get_state() | {self._key: np.asarray(value)})

    def __repr__(self) -> str:
        return f"<StateVariable {self.path} {self.shape}>"


class Applying:
    """The part of an optimizer that is handed gradients, in the place of a backward pass that adds them up."""

    # What the other parts have.
    iterations: int
    gradient_accumulation_steps: int | None
    _parameters: list[Parameter]
    build: Any
    step: Any
    clear_gradients: Any
    get_state: Any
    set_state: Any

    @property
    def built(self) -> bool:
        """Whether it knows its parameters."""
        return bool(self._parameters)

    @property
    def variables(self) -> list[StateVariable]:
        """Its state: iterations, the learning rate, and what it keeps of each parameter."""
        return [StateVariable(self, key) for key in self.get_state()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`; nothing changes unless all fit.

        Parameters
        ----------
        weights : list of arrays
            In the order of `variables`.
        """
        keys = list(self.get_state())
        if len(weights) != len(keys):
            raise ArgumentError(f"{type(self).__name__}: expected a state of {len(keys)} arrays, got {len(weights)}; "
                                f"build it for its parameters first")
        self.set_state({key: np.asarray(value) for key, value in zip(keys, weights, strict=True)})

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Parameter]]) -> int:
        """Take a step along gradients; return `iterations`.

        Parameters
        ----------
        grads_and_vars : iterable of (array, Parameter)
            Parameters whose gradient is None stay as they are.

        Raises
        ------
        ArgumentError
            If no gradient is given, or one has not its parameter's shape; nothing is changed.
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [parameter for _, parameter in pairs])
        return self.iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Parameter] | None = None) -> None:
        """As `apply_gradients`, of two lists; the second may be absent once the optimizer is built."""
        who = type(self).__name__
        parameters = self._parameters if trainable_variables is None else list(trainable_variables)
        if len(grads) != len(parameters):
            raise ArgumentError(f"{who}: expected a gradient for each of {len(parameters)} parameters, got "
                                f"{len(grads)}")
        given = [(p, np.asarray(g)) for p, g in zip(parameters, grads, strict=True) if g is not None]
        if not given:
            raise ArgumentError(f"{who}: expected gradients, got none for any parameter")
        wrong = [f"{p.path} {p.shape} got {g.shape}" for p, g in given if p.shape != g.shape]
        if wrong:
            raise ArgumentError(f"{who}: expected gradients of the parameters' shapes, but {', '.join(wrong)}")
        if len(given) < len(parameters):
            left = [p.path for p, g in zip(parameters, grads, strict=True) if g is None]
            warnings.warn(f"{who}: no gradient is given for {', '.join(left)}, which stay as they are", stacklevel=3)
        if not self._parameters:
            self.build(parameters)
        self.build([p for p, _ in given])
        self.clear_gradients()
        for p, gradient in given:
            d = device.of(p.gradient)
            d.copy(p.gradient, (device.get(p.gradient) + gradient).astype(p.dtype))
        self.step()
