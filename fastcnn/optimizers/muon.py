"""The optimizer of matrices: steps along the momentum with all singular values made 1."""

import math
import re
from collections.abc import Sequence

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.operations.merge import weighted_sum
from fastcnn.operations.orthogonalize import orthogonalize
from fastcnn.optimizers.arguments import check_decay, positive, within
from fastcnn.optimizers.base import NONE, Optimizer, Rate
from fastcnn.optimizers.parameter_group import ParameterGroup
from fastcnn.parameter_blocks import Segment
from fastcnn.parameters import Parameter


class Muon(Optimizer):
    """Matrices step along their momentum, made orthogonal by a Newton-Schulz iteration; the others follow AdamW.

        m = momentum m + g;   w -= learning_rate rms_rate sqrt(max(rows, columns)) orthogonal(g + momentum m)

    As in Keras, a matrix is a parameter of two dimensions: the kernel of a dense layer. Kernels of convolutions follow
    AdamW. Jordan et al., 2024; the length of the steps is that of Liu et al., "Muon is scalable", 2025.

    Parameters
    ----------
    learning_rate : float or schedule
    adam_beta_1, adam_beta_2, adam_weight_decay, epsilon : float
        Of AdamW.
    weight_decay : float, optional
        Of matrices.
    clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency
        As of `Optimizer`.
    loss_scale_factor, gradient_accumulation_steps, name
        As of `Optimizer`.
    exclude_layers : list of str, optional
        Patterns of the paths of matrices that follow AdamW, too: that of the last layer, say.
    exclude_embeddings : bool
        Whether those with "embedding" in their path do.
    muon_a, muon_b, muon_c : float
        Of the iteration.
    adam_lr_ratio : float
        What multiplies the learning rate of AdamW.
    momentum : float
    ns_steps : int
        Of the iteration.
    nesterov : bool
        Whether a step goes along g + momentum m; else along m.
    rms_rate : float, optional
        None takes learning_rate alone.

    Examples
    --------
    >>> w = fc.parameters.Parameter(np.zeros((2, 2), "float32"), "w", "w")
    >>> optimizer = optimizers.Muon(0.1, rms_rate=None)
    >>> optimizer.build([w])
    >>> w.gradient[...] = [[1, 0], [0, 100]]
    >>> optimizer.step()
    >>> bool(w.value[0, 0] < -0.05)  # as long a step for the small gradient
    True
    """

    slots = ("momentum", "velocity")

    def __init__(self, learning_rate: Rate = 0.001, adam_beta_1: float = 0.9, adam_beta_2: float = 0.999,
                 adam_weight_decay: float | None = 0.004, epsilon: float = 1e-7, weight_decay: float | None = 0.004,
                 clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None,
                 use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
                 loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None,
                 name: str | None = None, exclude_layers: Sequence[str] | None = None, exclude_embeddings: bool = True,
                 muon_a: float = 3.4445, muon_b: float = -4.775, muon_c: float = 2.0315, adam_lr_ratio: float = 1.0,
                 momentum: float = 0.95, ns_steps: int = 5, nesterov: bool = True, rms_rate: float | None = 0.2
                 ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name)
        within(self, adam_beta_1=adam_beta_1, adam_beta_2=adam_beta_2, momentum=momentum)
        positive(self, epsilon=epsilon, adam_lr_ratio=adam_lr_ratio, ns_steps=ns_steps)
        check_decay(self, adam_weight_decay)
        self.adam_beta_1, self.adam_beta_2, self.epsilon = float(adam_beta_1), float(adam_beta_2), float(epsilon)
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, float(adam_lr_ratio)
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), bool(exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = float(muon_a), float(muon_b), float(muon_c)
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, int(ns_steps), bool(nesterov), rms_rate
        try:
            self._excluded = [re.compile(pattern) for pattern in self.exclude_layers]
        except (re.error, TypeError) as error:
            raise ArgumentError(f"Muon: expected exclude_layers to be regular expressions, got {exclude_layers!r}: "
                                f"{error}") from None

    def _is_matrix(self, parameter: Parameter) -> bool:
        """Return whether a parameter is a matrix that follows Muon."""
        is_embedding = self.exclude_embeddings and "embedding" in parameter.path.lower()
        return len(parameter.shape) == 2 and not is_embedding and not any(
            pattern.search(parameter.path) for pattern in self._excluded)

    def _by_factor(self, groups: list[ParameterGroup], wanted: set[int]) -> list[tuple[ParameterGroup, float]]:
        """As that of `RateFactors`, matrices apart from the others."""
        found = []
        for group, factor in super()._by_factor(groups, wanted):
            ids: dict[bool, set[int]] = {True: set(), False: set()}
            for parameter in group.segment.parameters:
                ids[self._is_matrix(parameter)].add(id(parameter))
            found += [(part, factor) for those in ids.values() if those for part in group.only(those)]
        return found

    def _views(self) -> dict[str, np.ndarray]:
        """As that of `State`, without the velocities of matrices, which have none."""
        none = {f"{k}/velocity" for k, parameter in enumerate(self._parameters) if self._is_matrix(parameter)}
        return {name: view for name, view in super()._views().items() if name not in none}

    def _decay_of(self, part: ParameterGroup) -> float:
        return (self.weight_decay if self._is_matrix(part.segment.parameters[0]) else self.adam_weight_decay) or 0.0

    def update(self, d: device.Device, segment: Segment, state: list[np.ndarray], rate: float, decay: float,
               clear: bool) -> None:
        if not self._is_matrix(segment.parameters[0]):
            d.kernels.adam(segment.values, *state, NONE[segment.values.dtype], segment.gradients,
                           rate * self.adam_lr_ratio, self.adam_beta_1, self.adam_beta_2, self.epsilon, self.updates,
                           decay, clear)
            return
        for parameter, place in segment.places():
            w, g, m = (a[place] for a in (segment.values, segment.gradients, state[0]))
            d.copy(m, weighted_sum([m, g], [self.momentum, 1.0])[0])
            along = weighted_sum([g, m], [1.0, self.momentum])[0] if self.nesterov else m
            step = orthogonalize(along.reshape(parameter.shape), self.ns_steps, (self.muon_a, self.muon_b, self.muon_c))
            length = 1.0 if self.rms_rate is None else math.sqrt(max(parameter.shape)) * self.rms_rate
            d.copy(w, weighted_sum([w, step.reshape(-1)], [1.0 - decay, -rate * length])[0])
        if clear:
            d.fill(segment.gradients, 0)
