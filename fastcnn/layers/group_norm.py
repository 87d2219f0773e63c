"""Normalization of each sample by its own statistics: over its last axes, or over groups of channels."""

import math
from typing import Any

import numpy as np

from fastcnn import constraints
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axes, axis_of_samples, is_integer, number
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.normalization import group_normalization


class _WithinSample(Layer):
    """What both have in common: scale and offset, and a view (N, positions, groups, channels of a group)."""

    def __init__(self, epsilon: float, center: bool, scale: bool, beta: tuple[Any, Any, Any],
                 gamma: tuple[Any, Any, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = number(epsilon, self, "a positive epsilon", lambda n: n > 0)
        self.center, self.scale = center, scale
        self._beta, self._gamma = beta, gamma  # initializer, regularizer, constraint
        self.beta_constraint, self.gamma_constraint = constraints.get(beta[2]), constraints.get(gamma[2])

    def create_weights(self, input_shape: Shape) -> None:
        shape = self._parameter_shape(input_shape)
        (gamma, of_gamma, _), (beta, of_beta, _) = self._gamma, self._beta
        self.gamma = self.add_weight("gamma", shape, gamma, regularizer=of_gamma,
                                     constraint=self.gamma_constraint) if self.scale else None
        self.beta = self.add_weight("beta", shape, beta, regularizer=of_beta,
                                    constraint=self.beta_constraint) if self.center else None

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return group_normalization(x, self.gamma, self.beta, self._view(x.shape), self.epsilon, self.trainable)

    def _parameter_shape(self, input_shape: Shape) -> tuple[int, ...]:
        raise NotImplementedError

    def _view(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        raise NotImplementedError


class LayerNormalization(_WithinSample):
    """Normalize each sample over its last axis, or axes. ONNX: LayerNormalization.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    with mean and (biased) variance over these axes, in training and inference alike. gamma and beta have the shape of
    these axes. Ba, Kiros and Hinton, 2016.

    Parameters
    ----------
    axis : int or tuple of int
        -1, the last, or several at the end, such as (1, 2, 3) for images (N, H, W, C).
    epsilon : float
        Positive.
    center, scale : bool
        Whether beta is added, and whether gamma multiplies.
    beta_initializer, gamma_initializer : str or Initializer
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
    beta_constraint, gamma_constraint : str, Constraint or function, optional
    rms_scaling : bool
        Not offered (nor recommended by Keras, which took it out of the documentation).

    Examples
    --------
    >>> x = np.array([[0, 0, 1], [2, 2, 2]], "float32")
    >>> layers.LayerNormalization().predict(x).round(2)
    array([[-0.71, -0.71,  1.41],
           [ 0.  ,  0.  ,  0.  ]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, epsilon: float = 0.001, center: bool = True, scale: bool = True,
                 beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
                 gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None,
                 rms_scaling: bool = False, **kwargs: Any) -> None:
        super().__init__(epsilon, center, scale, (beta_initializer, beta_regularizer, beta_constraint),
                         (gamma_initializer, gamma_regularizer, gamma_constraint), **kwargs)
        self.refuse(rms_scaling=(rms_scaling, False))
        self.axis = axes(axis, self, "axis")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        rank = len(input_shape)
        axes = sorted(axis + rank if axis < 0 else axis for axis in self.axis)
        if not axes or axes != list(range(rank - len(axes), rank)) or axes[0] < 1:
            raise ArgumentError(f"{self}: expected axis to name the last axes of an input with {rank}, without the "
                                f"batch, such as -1, got {self.axis}")
        return input_shape

    def _parameter_shape(self, input_shape: Shape) -> tuple[int, ...]:
        return tuple(input_shape[-len(self.axis):])

    def _view(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        first = len(shape) - len(self.axis)
        return math.prod(shape[:first]), 1, 1, math.prod(shape[first:])


class GroupNormalization(_WithinSample):
    """Normalize each sample over groups of neighbouring channels and all positions. ONNX: GroupNormalization.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    with mean and (biased) variance of a group, in training and inference alike. Each channel has a gamma and a beta.
    Wu and He, 2018. A group for each channel is instance normalization (ONNX: InstanceNormalization; Ulyanov, Vedaldi
    and Lempitsky, 2016).

    Parameters
    ----------
    groups : int
        The number of groups, which divides the number of channels. -1 means one group for each channel.
    axis : int
        -1, the channels. Others are refused.
    epsilon : float
        Positive.
    center, scale : bool
        Whether beta is added, and whether gamma multiplies.
    beta_initializer, gamma_initializer : str or Initializer
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
    beta_constraint, gamma_constraint : str, Constraint or function, optional

    Examples
    --------
    >>> layers.GroupNormalization(groups=4).compute_output_shape((None, 8, 8, 16))
    (None, 8, 8, 16)
    """

    def __init__(self, groups: int = 32, axis: int = -1, epsilon: float = 0.001, center: bool = True,
                 scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
                 beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
                 gamma_constraint: Any = None, **kwargs: Any) -> None:
        super().__init__(epsilon, center, scale, (beta_initializer, beta_regularizer, beta_constraint),
                         (gamma_initializer, gamma_regularizer, gamma_constraint), **kwargs)
        if not is_integer(groups) or (groups < 1 and groups != -1):
            raise ArgumentError(f"{self}: expected groups to be a positive integer, or -1 for one a channel, "
                                f"got {groups!r}")
        self.groups, self.axis = int(groups), axis_of_samples(axis, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ArgumentError(f"{self}: expected input (N, ..., C), got {input_shape}")
        if self.axis not in (-1, len(input_shape) - 1):
            self.refuse(axis=(self.axis, -1))
        if self.groups != -1 and input_shape[-1] % self.groups:
            raise ArgumentError(f"{self}: expected groups to divide the {input_shape[-1]} channels, got {self.groups}")
        return input_shape

    def _parameter_shape(self, input_shape: Shape) -> tuple[int, ...]:
        return (input_shape[-1],)

    def _view(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        groups = shape[-1] if self.groups == -1 else self.groups
        return shape[0], math.prod(shape[1:-1]), groups, shape[-1] // groups
