"""Normalization layers."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axis_of_samples, number
from fastcnn.kernels import codes
from fastcnn.layers.activation import Elementwise
from fastcnn.layers.base import Backward, Call, Layer, Shape

_RELU = Elementwise("relu", codes.RELU)


class BatchNormalization(Layer):
    """Normalize each channel (last axis) over the batch and all positions. ONNX: BatchNormalization.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    In training mean and variance (divided by the count, not by one less) are the batch's, and the moving ones follow:
    moving = momentum * moving + (1 - momentum) * batch (Keras's meaning of momentum, PyTorch's is one minus it). In
    inference the moving ones are used, and with ``trainable = False`` in training, too, which changes them no more.
    Ioffe and Szegedy, 2015.

    Parameters
    ----------
    axis : int
        The last, -1.
    momentum, epsilon : float
    center, scale : bool
        Whether there is a beta, a gamma.
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer : str or Initializer
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
    beta_constraint, gamma_constraint : None
        Not offered.
    renorm, renorm_clipping, renorm_momentum, synchronized
        Not offered: batch renormalization, and statistics over several processes.
    """

    def __init__(self, axis: int = -1, momentum: float = 0.99, epsilon: float = 0.001, center: bool = True,
                 scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
                 moving_mean_initializer: Any = "zeros", moving_variance_initializer: Any = "ones",
                 beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
                 gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
                 renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refuse(beta_constraint=(beta_constraint, None), gamma_constraint=(gamma_constraint, None),
                    renorm=(renorm, False), renorm_clipping=(renorm_clipping, None),
                    renorm_momentum=(renorm_momentum, 0.99), synchronized=(synchronized, False))
        self.axis = axis_of_samples(axis, self)
        self.momentum = number(momentum, self, "0 <= momentum <= 1", lambda n: 0 <= n <= 1)
        self.epsilon = number(epsilon, self, "a positive epsilon", lambda n: n > 0)
        self.center, self.scale = center, scale
        self.initializers = (gamma_initializer, beta_initializer, moving_mean_initializer, moving_variance_initializer)
        self.regularizers = (gamma_regularizer, beta_regularizer)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ArgumentError(f"{self}: expected input (N, ..., C), got {input_shape}")
        if self.axis != len(input_shape) - 1:
            self.refuse(axis=(self.axis, -1))
        return input_shape

    def create_weights(self, input_shape: Shape) -> None:
        (gamma, beta, mean, variance), (of_gamma, of_beta) = self.initializers, self.regularizers
        shape = (input_shape[-1],)
        self.gamma = self.add_weight("gamma", shape, gamma, regularizer=of_gamma) if self.scale else None
        self.beta = self.add_weight("beta", shape, beta, regularizer=of_beta) if self.center else None
        self.moving_mean = self.add_weight("moving_mean", shape, mean, trainable=False)
        self.moving_variance = self.add_weight("moving_variance", shape, variance, trainable=False)
        self._none = np.empty(0, self.dtype)

    def forward(self, x: np.ndarray, call: Call = Call(), relu: bool = False) -> tuple[np.ndarray, Backward]:
        """Train: as `Layer.forward`; with `relu` a rectifier follows, in the same passes over memory.

        Parameters
        ----------
        x : (N, ..., C) array of the layer's dtype
        call : Call
        relu : bool
            Return max(y, 0) and its backward pass.
        """
        x = self.checked(x)
        if not self.trainable or not call.training:
            return self._frozen(x, relu)
        d = device.of(x)
        y, mean, rstd = d.empty(x.shape, x.dtype), d.empty(x.shape[-1:], x.dtype), d.empty(x.shape[-1:], x.dtype)
        if not x.size:
            return y, lambda dy: dy
        rows = x.reshape(-1, x.shape[-1])
        gamma, beta = (self._none if p is None else p.array for p in (self.gamma, self.beta))
        scratch = d.empty((d.kernels.batch_norm_forward_scratch(rows.shape, x.dtype),), x.dtype)
        try:
            d.kernels.batch_norm_forward(y.reshape(rows.shape), mean, rstd, self.moving_mean.array,
                                         self.moving_variance.array, scratch, rows, gamma, beta, self.momentum,
                                         self.epsilon, int(relu))
        finally:  # Ctrl-C is heard when the kernel is done
            self.moving_mean.version += 1
            self.moving_variance.version += 1

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(x.shape, x.dtype)
            dgamma, dbeta = (self._none if p is None else p.gradient for p in (self.gamma, self.beta))
            scratch = d.empty((d.kernels.batch_norm_backward_scratch(rows.shape, x.dtype),), x.dtype)
            d.kernels.batch_norm_backward(dx.reshape(rows.shape), dgamma, dbeta, scratch, dy.reshape(rows.shape), rows,
                                          mean, rstd, gamma, beta, int(relu))
            return dx

        return y, backward

    def predict(self, x: np.ndarray, relu: bool = False) -> np.ndarray:
        """Infer: as `Layer.predict`, and the larger of that and 0 with `relu`."""
        x = self.checked(x)
        gamma, beta = (self._none if p is None else p.array for p in (self.gamma, self.beta))
        return columns_mapped(x, gamma, beta, self.moving_mean.array, self.moving_variance.array, self.epsilon, relu)

    def _frozen(self, x: np.ndarray, relu: bool) -> tuple[np.ndarray, Backward]:
        y = self.predict(x, relu)

        def backward(dy: np.ndarray) -> np.ndarray:
            # y is gamma rstd x plus a constant, so dx is the same map of dy without the constant.
            dy = _RELU.backward(y)(dy) if relu else dy
            if self.trainable and dy.size and (self.scale or self.center):
                self._add_parameter_gradients(dy, x)
            zeros = device.of(x).zeros(x.shape[-1:], x.dtype)
            gamma = self._none if self.gamma is None else self.gamma.array
            return columns_mapped(dy, gamma, self._none, zeros, self.moving_variance.array, self.epsilon)

        return y, backward

    def _add_parameter_gradients(self, dy: np.ndarray, x: np.ndarray) -> None:
        """Add sum(dy xhat) and sum(dy) with the moving statistics: by the kernel of training, whose dx is not used."""
        d, rows = device.of(x), (x.size // x.shape[-1], x.shape[-1])
        rstd = (1 / np.sqrt(self.moving_variance.array.astype(np.float64) + self.epsilon)).astype(x.dtype)
        gamma, beta = (self._none if p is None else p.array for p in (self.gamma, self.beta))
        dgamma, dbeta = (self._none if p is None else p.gradient for p in (self.gamma, self.beta))
        scratch = d.empty((d.kernels.batch_norm_backward_scratch(rows, x.dtype),), x.dtype)
        d.kernels.batch_norm_backward(d.empty(rows, x.dtype), dgamma, dbeta, scratch, dy.reshape(rows),
                                      x.reshape(rows), self.moving_mean.array, rstd, gamma, beta, 0)


def columns_mapped(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray,
                   epsilon: float, relu: bool = False) -> np.ndarray:
    """Return gamma (x - mean) / sqrt(variance + epsilon) + beta, or the larger of that and 0.

    Parameters
    ----------
    x : array
        Seen as rows of as many columns as `mean` has elements.
    gamma, beta, mean, variance : (columns,) arrays
        A number a column; gamma and beta may be absent, of size 0.
    epsilon : float
    relu : bool
    """
    d = device.of(x)
    y, rows = d.empty(x.shape, x.dtype), (x.size // mean.size, mean.size)
    scratch = d.empty((d.kernels.batch_norm_predict_scratch(rows, x.dtype),), x.dtype)
    d.kernels.batch_norm_predict(y.reshape(rows), scratch, x.reshape(rows), gamma, beta, mean, variance, epsilon,
                                 int(relu))
    return y
