"""Kin of Adam, which keep a running mean of the gradients: Adamax, Nadam, Lion and Lamb."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.kernels import optimizer_codes as codes
from fastcnn.optimizers.adaptive import _Adaptive
from fastcnn.optimizers.arguments import positive, within
from fastcnn.optimizers.base import NONE, Rate
from fastcnn.optimizers.parameter_group import ParameterGroup, norms, scale_parts
from fastcnn.parameter_blocks import Segment


class Adamax(_Adaptive):
    """Adam with the maximum norm: u = max(beta_2 u, |g|); Kingma and Ba, 2015, section 7.1.

        w -= learning_rate / (1 - beta_1^t) * m / (u + epsilon)

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Adamax(0.001)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.999, 1.001], dtype=float32)
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


class Nadam(_Adaptive):
    """Adam with Nesterov's momentum; Dozat, 2016. With u_t = beta_1 (1 - 0.96^t / 2) and U_t = u_1 .. u_t,

        w -= learning_rate (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Nadam(0.001)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.9989, 1.0011], dtype=float32)
    """

    code, slots = codes.NADAM, ("momentum", "velocity")

    def __init__(self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        within(self, beta_1=beta_1, beta_2=beta_2)
        positive(self, epsilon=epsilon)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)
        self._product, self._of = 1.0, 0  # U_t, and t

    def share_product(self, t: int) -> float:
        """Return U_t, the product of the shares of the first t steps."""
        if t < self._of:
            self._product, self._of = 1.0, 0
        while self._of < t:
            self._of += 1
            self._product *= self._share(self._of)
        return self._product

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        t = self.updates
        product, following = self.share_product(t), self._share(t + 1)
        # sqrt(v / k) + epsilon is (sqrt(v) + epsilon sqrt(k)) / sqrt(k), which the kernel's formula has.
        root = (1 - self.beta_2**t) ** 0.5
        return (rate * root, 1 - self.beta_1, 1 - self.beta_2, following / (1 - product * following),
                (1 - self._share(t)) / (1 - product), self.epsilon * root)

    def _share(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96**t)


class Lion(_Adaptive):
    """w -= learning_rate sign(beta_1 m + (1 - beta_1) g);  m = beta_2 m + (1 - beta_2) g; Chen et al., 2023.

    Parameters
    ----------
    learning_rate : float or schedule
        About a tenth of what suits Adam.
    beta_1, beta_2 : float
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Lion(0.0001)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.9999, 1.0001], dtype=float32)
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


class ScheduleFreeAdamW(_Adaptive):
    """AdamW that needs no schedule, since the weights are between an average of its steps and the last of them.

        z -= learning_rate g / (sqrt(v / (1 - beta_2^t)) + epsilon)
        x = (1 - 1/t) x + z / t;   w = (1 - beta_1) z + beta_1 x

    Defazio et al., "The road less scheduled", 2024. As in Keras, the model predicts with w, not with x.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1 : float
        How near w is to the average x; above 0.
    beta_2, epsilon : float
    warmup_steps : int
        The learning rate rises over so many steps.
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.ScheduleFreeAdamW(0.1)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.9, 1.1], dtype=float32)
    """

    code, slots = codes.SCHEDULE_FREE, ("momentum", "velocity")

    def __init__(self, learning_rate: Rate = 0.0025, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
                 warmup_steps: int = 0, *base: Any, **named: Any) -> None:
        super().__init__(learning_rate, *base, **named)
        within(self, beta_1=beta_1, beta_2=beta_2)
        positive(self, beta_1=beta_1, epsilon=epsilon)
        if not isinstance(warmup_steps, int) or warmup_steps < 0:
            raise ArgumentError(f"ScheduleFreeAdamW: expected warmup_steps to be an integer of at least 0, got "
                                f"{warmup_steps!r}")
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), float(epsilon)
        self.warmup_steps = warmup_steps

    def _part(self, segment: Segment) -> ParameterGroup:
        group = super()._part(segment)
        device.of(segment.values).copy(group.state[0], segment.values)  # z begins where the weights do
        return group

    def scalars(self, rate: float) -> tuple[float, float, float, float, float, float]:
        t = self.updates
        warm = min(t / self.warmup_steps, 1.0) if self.warmup_steps else 1.0
        return rate * warm, self.beta_1, 1 - self.beta_2, 1 / t, 1 - self.beta_2**t, self.epsilon


class Lamb(_Adaptive):
    """Adam whose step u is scaled to the norm of each parameter: w -= learning_rate |w| / |u| u.

    You et al., 2020.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2, epsilon : float
    base, named : those of `Optimizer`

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.ones(2, "float32"), "w", "w")
    >>> optimizer = optimizers.Lamb(0.001)
    >>> optimizer.build([w])
    >>> w.gradient[...] = 0.5, -2
    >>> optimizer.step()
    >>> w.value.round(4)
    array([0.999, 1.001], dtype=float32)
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
