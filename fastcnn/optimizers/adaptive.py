"""The other optimizers that adapt the rate to each parameter, with Keras's names and defaults."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.kernels import optimizer_codes as codes
from fastcnn.optimizers.arguments import positive, within
from fastcnn.optimizers.base import NONE, Optimizer, Rate
from fastcnn.optimizers.parameter_group import norms, scale_parts
from fastcnn.parameters import Segment


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
    """Steps as long as the last ones: s = rho s + (1 - rho) g^2, and q of the steps u alike; Zeiler, 2012.

        u = g sqrt(q + epsilon) / sqrt(s + epsilon);   w -= learning_rate u

    Parameters
    ----------
    learning_rate : float or schedule
    rho, epsilon : float
    base, named : those of `Optimizer`
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
        Then the steps u are summed: m = momentum m + u;  w -= m.
    epsilon : float
    centered : bool
        Divide by the variance of the gradient, v less the square of its running mean.
    base, named : those of `Optimizer`
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


class Nadam(_Adaptive):
    """Adam with Nesterov's momentum; Dozat, 2016. With u_t = beta_1 (1 - 0.96^t / 2) and U_t = u_1 .. u_t,

        w -= learning_rate (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
    base, named : those of `Optimizer`
    """

    code, slots = codes.NADAM, ("momentum", "velocity")

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        within(self, beta_1=beta_1, beta_2=beta_2)
        positive(self, epsilon=epsilon)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)
        self._product, self._of = 1.0, 0  # U_t, and t

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        t = self.updates
        if t < self._of:
            self._product, self._of = 1.0, 0
        while self._of < t:
            self._of += 1
            self._product *= self._share(self._of)
        following = self._share(t + 1)
        # sqrt(v / k) + epsilon is (sqrt(v) + epsilon sqrt(k)) / sqrt(k), which the kernel's formula has.
        root = (1 - self.beta_2**t) ** 0.5
        return (rate * root, 1 - self.beta_1, 1 - self.beta_2, following / (1 - self._product * following),
                (1 - self._share(t)) / (1 - self._product), self.epsilon * root)

    def _share(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96**t)


class Adamax(_Adaptive):
    """Adam by the largest gradient: u = max(beta_2 u, |g|); Kingma and Ba, 2015, section 7.1.

        w -= learning_rate / (1 - beta_1^t) * m / (u + epsilon)

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
    base, named : those of `Optimizer`
    """

    code, slots = codes.ADAMAX, ("momentum", "norm")

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        within(self, beta_1=beta_1, beta_2=beta_2)
        positive(self, epsilon=epsilon)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        return rate / (1 - self.beta_1**self.updates), 1 - self.beta_1, self.beta_2, 0.0, 0.0, self.epsilon


class Lion(_Adaptive):
    """w -= learning_rate sign(beta_1 m + (1 - beta_1) g);  m = beta_2 m + (1 - beta_2) g; Chen et al., 2023.

    Parameters
    ----------
    learning_rate : float or schedule
        A tenth of Adam's.
    beta_1, beta_2 : float
    base, named : those of `Optimizer`
    """

    code, slots = codes.LION, ("momentum",)

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.99,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        if not 0 < beta_1 <= 1:
            raise ArgumentError(f"Lion: expected 0 < beta_1 <= 1, got {beta_1!r}")
        within(self, beta_2=beta_2)
        self.beta_1, self.beta_2 = float(beta_1), float(beta_2)

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        return rate, self.beta_1, self.beta_2, 0.0, 0.0, 0.0


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


class Lamb(_Adaptive):
    """Adam whose step u of each parameter has the length of the parameter: w -= learning_rate |w| / |u| u.

    You et al., 2020.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
    base, named : those of `Optimizer`
    """

    code, slots = codes.LAMB, ("momentum", "velocity")

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        within(self, beta_1=beta_1, beta_2=beta_2)
        positive(self, epsilon=epsilon)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        t = self.updates
        return (rate, 1 - self.beta_1, 1 - self.beta_2, 1 / (1 - self.beta_1**t), 1 / (1 - self.beta_2**t),
                self.epsilon)

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], rate: float, decay: float,
               clear: bool) -> None:
        along = d.empty(segment.values.shape, segment.values.dtype)
        d.kernels.adaptive_step(segment.values, *state, along, segment.gradients, self.code, *self.scalars(rate), decay,
                                clear)
        own, lengths = norms(segment, segment.values), norms(segment, along)
        counts = (own > 0) & (lengths > 0)
        ratios = np.where(counts, own / np.where(counts, lengths, 1.0), 1.0)
        scale_parts(segment, along, ratios)
        d.kernels.sgd(segment.values, NONE[along.dtype], along, rate, 0.0, False, 0.0, False)
