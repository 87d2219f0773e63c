"""The other optimizers that adapt the rate to each parameter, with Keras's names and defaults."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.kernels import optimizer_codes as codes
from fastcnn.optimizers.arguments import positive, within
from fastcnn.optimizers.base import NONE, Optimizer, Rate
from fastcnn.parameter_blocks import Segment


class _Adaptive(Optimizer):
    """An optimizer that is a code of `adaptive_step`."""

    code = -1

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        """Return learning rate, a, b, c, d and epsilon for the kernel."""
        raise NotImplementedError

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], rate: float, decay: float,
               clear: bool) -> None:
        none = NONE[segment.values.dtype]
        arrays = dict(zip(self.slots, state, strict=True))
        three = [arrays.get(slot, none) for slot in self.places]
        d.kernels.adaptive_step(segment.values, *three, segment.gradients, self.code, *self.scalars(rate), decay, clear)

    @property
    def places(self) -> tuple[str, str, str]:
        """The slots that are the kernel's arrays s, q and p; "" where there is none."""
        names = (*self.slots, "", "", "")
        return names[0], names[1], names[2]


class Adagrad(_Adaptive):
    """s += g^2;  w -= learning_rate g / sqrt(s + epsilon); Duchi et al., 2011. ONNX: Adagrad, nearly.

    Parameters
    ----------
    learning_rate : float or schedule
    initial_accumulator_value, epsilon : float
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Adagrad(0.01)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.9915, 1.0099], dtype=float32)
    """

    code, slots = codes.ADAGRAD, ("accumulator",)

    def __init__(self, learning_rate: Rate = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        positive(self, epsilon=epsilon)
        if not initial_accumulator_value >= 0:
            raise ArgumentError(f"Adagrad: expected initial_accumulator_value of at least 0, "
                                f"got {initial_accumulator_value!r}")
        self.initial_accumulator_value, self.epsilon = float(initial_accumulator_value), float(epsilon)
        self.starts = (self.initial_accumulator_value,)

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        return rate, 0.0, 0.0, 0.0, 0.0, self.epsilon


class Adadelta(_Adaptive):
    """Steps in proportion to earlier steps: s = rho s + (1 - rho) g^2, and q likewise of the steps u; Zeiler, 2012.

        u = g sqrt(q + epsilon) / sqrt(s + epsilon);   w -= learning_rate u

    Parameters
    ----------
    learning_rate : float or schedule
    rho, epsilon : float
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Adadelta(1.0)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.9986, 1.0014], dtype=float32)
    """

    code, slots = codes.ADADELTA, ("accumulated_grad", "accumulated_delta_var")

    def __init__(self, learning_rate: Rate = 0.001, rho: float = 0.95, epsilon: float = 1e-7,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        within(self, rho=rho)
        positive(self, epsilon=epsilon)
        self.rho, self.epsilon = float(rho), float(epsilon)

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        return rate, self.rho, 0.0, 0.0, 0.0, self.epsilon


class RMSprop(_Adaptive):
    """v = rho v + (1 - rho) g^2;  w -= learning_rate g / sqrt(v + epsilon); Tieleman and Hinton, 2012.

    Parameters
    ----------
    learning_rate : float or schedule
    rho : float
    momentum : float
        With momentum, the steps u are summed: m = momentum m + u;  w -= m.
    epsilon : float
    centered : bool
        Whether to divide by the variance of the gradient: v minus the square of its running mean.
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.RMSprop(0.001)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.9968, 1.0032], dtype=float32)
    """

    code, places = codes.RMSPROP, ("velocity", "momentum", "average_gradient")

    def __init__(self, learning_rate: Rate = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
                 centered: bool = False, *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        within(self, rho=rho)
        positive(self, epsilon=epsilon)
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"RMSprop: expected 0 <= momentum <= 1, got {momentum!r}")
        self.rho, self.momentum, self.epsilon = float(rho), float(momentum), float(epsilon)
        self.centered = bool(centered)
        self.slots = ("velocity", *(["momentum"] if momentum else []), *(["average_gradient"] if centered else []))

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        return rate, self.rho, self.momentum, 0.0, 0.0, self.epsilon


class Ftrl(_Adaptive):
    """Follow the regularized leader, with L1 and L2; McMahan et al., 2013.

    Parameters
    ----------
    learning_rate : float or schedule
    learning_rate_power : float
        At most 0.
    initial_accumulator_value, l1_regularization_strength, l2_regularization_strength : float
    l2_shrinkage_regularization_strength, beta : float
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Ftrl(0.1)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.381 , 0.9426], dtype=float32)
    """

    code, slots = codes.FTRL, ("accumulator", "linear")

    def __init__(self, learning_rate: Rate = 0.001, learning_rate_power: float = -0.5,
                 initial_accumulator_value: float = 0.1, l1_regularization_strength: float = 0.0,
                 l2_regularization_strength: float = 0.0, l2_shrinkage_regularization_strength: float = 0.0,
                 beta: float = 0.0, *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        if not learning_rate_power <= 0:
            raise ArgumentError(f"Ftrl: expected learning_rate_power of at most 0, got {learning_rate_power!r}")
        self.learning_rate_power, self.beta = float(learning_rate_power), float(beta)
        for name, value in (("initial_accumulator_value", initial_accumulator_value),
                            ("l1_regularization_strength", l1_regularization_strength),
                            ("l2_regularization_strength", l2_regularization_strength),
                            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength)):
            if not value >= 0:
                raise ArgumentError(f"Ftrl: expected {name} of at least 0, got {value!r}")
            setattr(self, name, float(value))
        self.starts = (float(initial_accumulator_value), 0.0)

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        l1, l2, shrinkage = (getattr(self, f"{name}_regularization_strength") for name in ("l1", "l2", "l2_shrinkage"))
        return rate, -self.learning_rate_power, l1, l2 + self.beta / (2 * rate) if self.beta else l2, shrinkage, 0.0
