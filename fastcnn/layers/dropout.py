"""Dropout and noise: layers that leave out or disturb a part of their input in training."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integer, is_integer, number
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations import noise
from fastcnn.traits import Trait


class Dropout(Layer):
    """In training, set a fraction `rate` of the input to zero and multiply the rest by 1 / (1 - rate). ONNX: Dropout.

    The mask depends on (seed, step, index) alone. So the backward pass computes it again instead of keeping it, and any
    number of threads gives the same mask. Srivastava et al., 2014.

    Parameters
    ----------
    rate : float
        0 <= rate < 1.
    noise_shape : tuple of int, optional
        The shape of the mask, with the batch. 1 means that a dimension shares one mask, None means the input's size.
        (None, 1, 1, None) drops whole channels of images.
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> x = np.ones((1, 8), "float32")
    >>> layer = layers.Dropout(0.5, seed=1)
    >>> layer.forward(x)[0]
    array([[0., 2., 0., 0., 2., 0., 2., 0.]], dtype=float32)
    >>> layer.predict(x)
    array([[1., 1., 1., 1., 1., 1., 1., 1.]], dtype=float32)
    """

    operation: Callable[..., tuple[np.ndarray, Backward]] = staticmethod(noise.dropout)
    traits = Trait.IDLE | Trait.CALLS_KERNELS

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if noise_shape is not None and not (isinstance(noise_shape, (tuple, list)) and noise_shape and all(
                n is None or (is_integer(n) and n > 0) for n in noise_shape)):
            raise ArgumentError(f"{self}: expected noise_shape to be a tuple of positive integers and None, "
                                f"got {noise_shape!r}")
        self.rate = number(rate, self, "a rate with 0 <= rate < 1", lambda n: 0 <= n < 1)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = random.next_seed() if seed is None else integer(seed, self, "seed")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        mask = self._noise_shape(input_shape)
        if mask is not None and (len(mask) != len(input_shape) or any(
                n not in (1, None, size) for n, size in zip(mask[1:], input_shape[1:], strict=True))):
            raise ArgumentError(f"{self}: expected noise_shape to have 1 or None, or the input's size, for each "
                                f"dimension of {input_shape}, got {mask}")
        return input_shape

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if self.rate == 0 or not call.training:
            return x, lambda dy: dy
        return self.operation(x, self.rate, call.key(self.seed), self._mask_shape(x.shape))

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        return x

    def _noise_shape(self, shape: Sequence[Any]) -> tuple[Any, ...] | None:
        """Return the shape of the mask as it was given."""
        return self.noise_shape

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the shape of the mask for an input's, None if they are the same."""
        mask = self._noise_shape(shape)
        if mask is None:
            return None
        if mask[0] not in (None, 1, shape[0]):
            raise ArgumentError(f"{self}: expected a batch of {mask[0]}, as noise_shape says, got {shape[0]}")
        return tuple(size if n is None else n for n, size in zip(mask, shape, strict=True))


class _SpatialDropout(Dropout):
    """Channels, as wholes: a mask (N, 1, .., 1, C)."""

    _dimensions: int

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, None, seed, **kwargs)
        self.require_channels_last(data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != self._dimensions + 2:
            names = "DHW"[-self._dimensions:] if self._dimensions > 1 else "L"
            raise ArgumentError(f"{self}: expected input (N, {', '.join(names)}, C), got {input_shape}")
        return input_shape

    def _noise_shape(self, shape: Sequence[Any]) -> tuple[Any, ...]:
        return None, *(1,) * self._dimensions, None


class SpatialDropout1D(_SpatialDropout):
    """`Dropout` of whole channels of signals (N, L, C).

    Parameters
    ----------
    rate : float
        0 <= rate < 1.
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> layer = layers.SpatialDropout1D(0.5, seed=2)
    >>> y, backward = layer.forward(np.ones((1, 2, 4), "float32"))
    >>> y[0, 0], y[0, 1]
    (array([2., 2., 2., 0.], dtype=float32), array([2., 2., 2., 0.], dtype=float32))
    """

    traits = Trait.IDLE
    _dimensions = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, None, seed, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """`Dropout` of whole channels of images (N, H, W, C), since neighbouring pixels are alike.

    Tompson et al., "Efficient object localization using convolutional networks", 2015, section 3.2.

    Parameters
    ----------
    rate : float
        0 <= rate < 1.
    data_format : str, optional
        "channels_last", the only order that is offered.
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> layer = layers.SpatialDropout2D(0.5, seed=2)
    >>> y, backward = layer.forward(np.ones((1, 2, 2, 4), "float32"))
    >>> y[0, 0, 0], y[0, 1, 1]
    (array([2., 2., 2., 0.], dtype=float32), array([2., 2., 2., 0.], dtype=float32))
    """

    traits = Trait.IDLE
    _dimensions = 2


class SpatialDropout3D(_SpatialDropout):
    """`SpatialDropout2D` of volumes (N, D, H, W, C).

    Parameters
    ----------
    rate : float
        0 <= rate < 1.
    data_format : str, optional
        "channels_last", the only order that is offered.
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> layer = layers.SpatialDropout3D(0.5, seed=2)
    >>> y, backward = layer.forward(np.ones((1, 2, 2, 2, 4), "float32"))
    >>> y[0, 0, 0, 0], y[0, 1, 1, 1]
    (array([2., 2., 2., 0.], dtype=float32), array([2., 2., 2., 0.], dtype=float32))
    """

    traits = Trait.IDLE
    _dimensions = 3


class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance of inputs with mean 0 and variance 1, as `SELU` layers give.

        y = a (x if kept else p) + b,   p = -1.7581.. (what SELU tends to on the left),
        a = ((1 - rate) (1 + rate p^2))^(-1/2),   b = -a rate p

    in training. Klambauer et al., "Self-normalizing neural networks", 2017.

    Parameters
    ----------
    rate : float
        0 <= rate < 1.
    noise_shape : tuple of int, optional
    seed : int, optional
        As in `Dropout`.

    Examples
    --------
    >>> layer = layers.AlphaDropout(0.1, seed=1)
    >>> layer.predict(np.ones((1, 3), "float32"))
    array([[1., 1., 1.]], dtype=float32)
    """

    operation = staticmethod(noise.alpha_dropout)
    traits = Trait.IDLE


class GaussianNoise(Layer):
    """In training, add normal noise of mean 0 and standard deviation `stddev`.

    Its numbers are functions of (seed, step, index) alone, as those of `Dropout`.

    Parameters
    ----------
    stddev : float
        0 <= stddev <= 1.
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> layer = layers.GaussianNoise(0.1, seed=1)
    >>> layer.predict(np.ones((1, 3), "float32"))
    array([[1., 1., 1.]], dtype=float32)
    """

    traits = Trait.IDLE

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = number(stddev, self, "0 <= stddev <= 1", lambda n: 0 <= n <= 1)
        self.seed = random.next_seed() if seed is None else integer(seed, self, "seed")

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if self.stddev == 0 or not call.training:
            return x, lambda dy: dy
        return noise.gaussian_noise(x, self.stddev, call.key(self.seed))

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        return x


class GaussianDropout(Layer):
    """In training, multiply by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)).

    The mean and the variance that `Dropout` has; Srivastava et al., 2014, section 10.

    Parameters
    ----------
    rate : float
        0 <= rate < 1.
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> layer = layers.GaussianDropout(0.1, seed=1)
    >>> layer.predict(np.ones((1, 3), "float32"))
    array([[1., 1., 1.]], dtype=float32)
    """

    traits = Trait.IDLE

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = number(rate, self, "a rate with 0 <= rate < 1", lambda n: 0 <= n < 1)
        self.seed = random.next_seed() if seed is None else integer(seed, self, "seed")

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if self.rate == 0 or not call.training:
            return x, lambda dy: dy
        return noise.gaussian_dropout(x, self.rate, call.key(self.seed))

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        return x
