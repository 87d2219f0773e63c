"""Batch normalization: by the statistics of a batch in training, by moving ones in prediction."""

from typing import Any

import numpy as np

from fastcnn import constraints
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axis_of_samples, number
from fastcnn.geometry.pool import PoolingPass
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.batch_normalization import (
    NO_RECTIFIER,
    RELU,
    Rectifier,
    batch_normalization,
    frozen_batch_normalization,
    pooled_batch_normalization,
    predict_batch_normalization,
)
from fastcnn.operations.bfloat16 import in_float32
from fastcnn.operations.pooling import max_pool
from fastcnn.traits import Trait


class BatchNormalization(Layer):
    """Normalize each channel (last axis) over the batch and all positions. ONNX: BatchNormalization.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    In training, mean and (biased) variance are those of the batch, and the moving statistics follow them:
    moving = momentum * moving + (1 - momentum) * batch. This is Keras's momentum; PyTorch's is one minus it. Inference
    uses the moving statistics. So does training with ``trainable = False``, which leaves them as they are.
    Ioffe and Szegedy, 2015.

    Parameters
    ----------
    axis : int
        -1, the last. Others are refused.
    momentum, epsilon : float
        The moving statistics remember about 1 / (1 - momentum) steps. A training of less than 1,000 steps wants 0.9:
        with Keras's 0.99 they still know of the first ones, whose weights were others.
    center, scale : bool
        Whether beta is added, and whether gamma multiplies.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer : str or Initializer
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
    beta_constraint, gamma_constraint : str, Constraint or function, optional
    renorm, renorm_clipping, renorm_momentum, synchronized
        Not offered: batch renormalization, and statistics over several processes.

    Examples
    --------
    >>> layer = layers.BatchNormalization()
    >>> layer.build((None, 28, 28, 16))
    >>> [(p.name, p.shape, p.trainable) for p in layer.weights]
    [('gamma', (16,), True), ('beta', (16,), True), ('moving_mean', (16,), False), ('moving_variance', (16,), False)]
    """

    traits = Trait.BATCH_NORM | Trait.CHANNEL_AFFINE | Trait.TAKES_RELU | Trait.CALLS_KERNELS
    trains_short = True

    def __init__(self, axis: int = -1, momentum: float = 0.99, epsilon: float = 0.001, center: bool = True,
                 scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
                 moving_mean_initializer: Any = "zeros", moving_variance_initializer: Any = "ones",
                 beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
                 gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
                 renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refuse(renorm=(renorm, False), renorm_clipping=(renorm_clipping, None),
                    renorm_momentum=(renorm_momentum, 0.99), synchronized=(synchronized, False))
        self.axis = axis_of_samples(axis, self)
        self.momentum = number(momentum, self, "0 <= momentum <= 1", lambda n: 0 <= n <= 1)
        self.epsilon = number(epsilon, self, "a positive epsilon", lambda n: n > 0)
        self.center, self.scale = center, scale
        self.initializers = (gamma_initializer, beta_initializer, moving_mean_initializer, moving_variance_initializer)
        self.regularizers = (gamma_regularizer, beta_regularizer)
        self.gamma_constraint, self.beta_constraint = map(constraints.get, (gamma_constraint, beta_constraint))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ArgumentError(f"{self}: expected input (N, ..., C), got {input_shape}")
        if self.axis != len(input_shape) - 1:
            self.refuse(axis=(self.axis, -1))
        return input_shape

    def create_weights(self, input_shape: Shape) -> None:
        (gamma, beta, mean, variance), (of_gamma, of_beta) = self.initializers, self.regularizers
        shape = (input_shape[-1],)
        self.gamma = self.add_weight("gamma", shape, gamma, regularizer=of_gamma,
                                     constraint=self.gamma_constraint) if self.scale else None
        self.beta = self.add_weight("beta", shape, beta, regularizer=of_beta,
                                    constraint=self.beta_constraint) if self.center else None
        self.moving_mean = self.add_weight("moving_mean", shape, mean, trainable=False)
        self.moving_variance = self.add_weight("moving_variance", shape, variance, trainable=False)

    def forward(self, x: np.ndarray, call: Call = Call(), relu: bool = False, *, rectifier: Rectifier = NO_RECTIFIER,
                addend: np.ndarray | None = None, owned: bool = False) -> tuple[np.ndarray, Backward]:
        """Train: as `Layer.forward`; a sum and a rectifier may follow, in the same passes over memory.

        Parameters
        ----------
        x : (N, ..., C) array of the layer's dtype
        call : Call
        relu : bool
            Return max(y, 0) and its backward pass.
        rectifier : Rectifier
            Another one, without `relu`.
        addend : array, optional
            Of the shape of x, added before the rectifier; the backward pass returns (dx, daddend) then.
        owned : bool
            Whether x is nobody else's: the backward pass, which runs once, may write over it.
        """
        x, rectifier = self.checked(x), RELU if relu else rectifier
        if self.trainable and call.training:
            return batch_normalization(x, self.gamma, self.beta, self.moving_mean, self.moving_variance, self.momentum,
                                       self.epsilon, rectifier, addend=addend, owned=owned)
        return in_float32(self._frozen, rectifier, x, *(() if addend is None else (addend,)))

    def _frozen(self, rectifier: Rectifier, x: np.ndarray, addend: np.ndarray | None = None
                ) -> tuple[np.ndarray, Backward]:
        return frozen_batch_normalization(x, self.gamma, self.beta, self.moving_mean, self.moving_variance,
                                          self.epsilon, rectifier, trainable=self.trainable, addend=addend)

    def forward_pooled(self, x: np.ndarray, call: Call, rectifier: Rectifier, pool: PoolingPass, owned: bool
                       ) -> tuple[np.ndarray, Backward]:
        """As `forward`, and max pooling after it, of windows that lie side by side within the image.

        Parameters
        ----------
        x, call, rectifier, owned : as `forward`
        pool : PoolingPass
        """
        if self.trainable and call.training:
            return pooled_batch_normalization(self.checked(x), self.gamma, self.beta, self.moving_mean,
                                              self.moving_variance, self.momentum, self.epsilon, rectifier, pool=pool,
                                              owned=owned)
        z, through_normalization = self.forward(x, call, rectifier=rectifier)
        y, through_pooling = max_pool(z, (pool,))
        return y, lambda dy: through_normalization(through_pooling(dy))

    def predict(self, x: np.ndarray, relu: bool = False) -> np.ndarray:
        """Infer: as `Layer.predict`, and the larger of that and 0 with `relu`."""
        return predict_batch_normalization(self.checked(x), self.gamma, self.beta, self.moving_mean,
                                           self.moving_variance, self.epsilon, RELU if relu else NO_RECTIFIER)

    def channel_affine(self) -> tuple[Any, Any]:
        """Return what prediction multiplies each channel by, and what it adds then, in double precision."""
        mean, variance = (p.numpy().astype(np.float64) for p in (self.moving_mean, self.moving_variance))
        gamma, beta = (default if p is None else p.numpy().astype(np.float64)
                       for p, default in ((self.gamma, 1.0), (self.beta, 0.0)))
        scale = gamma / np.sqrt(variance + self.epsilon)
        return scale, beta - mean * scale
