"""Layers that bring data into the range networks want: by given numbers, or by the data's own mean and variance."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import axes
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.running_statistics import RunningStatistics, batches_of
from fastcnn.operations.batch_normalization import normalization
from fastcnn.traits import Trait

_SMALLEST = 1e-7  # a standard deviation is taken for at least this, as in Keras

Tables = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # gamma, beta, mean, variance


class _Mapping(Layer):
    """y = gamma (x - mean) / sqrt(variance) + beta, with a number for each of the last dimensions' elements."""

    _made: tuple[Any, Tables] | None = None

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return normalization(x, *self._tables(x.shape))

    def _tables(self, shape: tuple[int, ...]) -> Tables:
        """Return what `_map` does, made anew where the shape of a sample or a parameter has changed."""
        state = shape[1:], [p.version for p in self.parameters]
        made = self._made
        if made is None or made[0] != state:
            made = self._made = state, self._map(shape)  # one attribute, which other threads see change whole
        return made[1]

    def _map(self, shape: tuple[int, ...]) -> Tables:
        """Return gamma, beta, mean and variance, flat, of an input's last dimensions; the first two may be absent."""
        raise NotImplementedError

    def _filled(self, values: Any, shape: tuple[int, ...]) -> np.ndarray:
        """Return values broadcast to `shape`, flat, in the layer's type; a copy, since kernels want it writable."""
        filled = np.empty(shape, self.array_dtype)
        filled[...] = values
        return filled.reshape(-1)


class Rescaling(_Mapping):
    """y = scale x + offset, in training and inference: ``Rescaling(1 / 255)`` for pixels. ONNX: Mul, Add.

    Parameters
    ----------
    scale, offset : float or array
        One number, or what broadcasts with a sample, such as one for each channel.

    Examples
    --------
    >>> layers.Rescaling(1 / 255).predict(np.array([[0, 51, 255]], "float32")).round(2)
    array([[0. , 0.2, 1. ]], dtype=float32)
    """

    traits = Trait.CHANNEL_AFFINE | Trait.CALLS_KERNELS

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = (self._numbers(name, v) for name, v in (("scale", scale), ("offset", offset)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for name, values in (("scale", self.scale), ("offset", self.offset)):
            sample = input_shape[1:]
            missing = len(sample) - values.ndim
            if missing < 0 or any(n not in (1, m) for n, m in zip(values.shape, sample[missing:], strict=True)):
                raise ArgumentError(f"{self}: expected {name} to broadcast with a sample {tuple(sample)}, "
                                    f"got the shape {values.shape}")
        return input_shape

    @property
    def is_by_channel(self) -> bool:
        """Whether all positions have the same factors and summands."""
        return max(self.scale.ndim, self.offset.ndim) <= 1

    def channel_affine(self) -> tuple[Any, Any]:
        """Return the factor and the summand of each channel, in double precision."""
        return self.scale.astype(np.float64), self.offset.astype(np.float64)

    def _numbers(self, name: str, values: Any) -> np.ndarray:
        try:
            found = np.asarray(values)
        except ValueError:  # rows of different lengths
            found = np.empty(0)
        if found.dtype.kind not in "buif" or not found.size or not np.isfinite(found).all():
            raise ArgumentError(f"{self}: expected {name} to be a finite number or an array of them, got {values!r}")
        return found.astype(self.array_dtype)

    def _map(self, shape: tuple[int, ...]) -> Tables:
        last = max(1, self.scale.ndim, self.offset.ndim)
        part = shape[-last:] if len(shape) > 1 else (1,)
        count = math.prod(part)
        return (self._filled(self.scale, part), self._filled(self.offset, part), np.zeros(count, self.array_dtype),
                np.ones(count, self.array_dtype))


class Normalization(_Mapping):
    """y = (x - mean) / sqrt(variance), with the mean and the variance of data: given, or found by `adapt`.

    It does the same in training and inference. A standard deviation below 1e-7 is raised to 1e-7. Its weights are not
    trained: mean, variance, and a count that is always zero (Keras keeps it for old files).

    Parameters
    ----------
    axis : int, tuple of int or None
        The axes that have a mean and a variance for each index: -1, the channels, by default. None means one mean and
        one variance of all numbers.
    mean, variance : float or array, optional
        Give both or neither. They broadcast with the sizes of the axes. Without them, call `adapt` or set the weights.
    invert : bool
        Whether to undo the normalization: y = mean + x sqrt(variance).

    Examples
    --------
    >>> layer = layers.Normalization()
    >>> layer.adapt(np.array([[1], [3]], "float32"))
    >>> layer.predict(np.array([[1], [2], [5]], "float32"))
    array([[-1.],
           [ 0.],
           [ 3.]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ArgumentError(f"{self}: expected mean and variance, or none of them, got mean={mean!r} and "
                                f"variance={variance!r}")
        self.axis = () if axis is None else axes(axis, self, "axis", empty=True)
        kind = self.array_dtype
        self.given = None if mean is None else (np.asarray(mean, kind), np.asarray(variance, kind))
        if self.given is not None and self.given[0].shape != self.given[1].shape:
            raise ArgumentError(f"{self}: expected mean and variance of one shape, got {self.given[0].shape} and "
                                f"{self.given[1].shape}")
        if self.given is not None and self.given[0].ndim > len(self.axis):
            raise ArgumentError(f"{self}: expected mean and variance of at most {len(self.axis)} dimensions, one an "
                                f"axis, got the shape {self.given[0].shape}")
        self.invert = bool(invert)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        kept = self._kept(len(input_shape))
        if self.given is not None:
            sizes = tuple(input_shape[axis] for axis in kept)
            try:
                np.broadcast_to(self.given[0], sizes)
            except ValueError:
                raise ArgumentError(f"{self}: expected mean and variance to broadcast with {sizes}, the sizes of the "
                                    f"axes {self.axis}, got the shape {self.given[0].shape}") from None
        return input_shape

    def create_weights(self, input_shape: Shape) -> None:
        if self.given is None:
            shape = tuple(input_shape[axis] for axis in self._kept(len(input_shape)))
            self.mean = self.add_weight("mean", shape, "zeros", trainable=False)
            self.variance = self.add_weight("variance", shape, "ones", trainable=False)
            self.add_weight("count", (), "zeros", trainable=False)

    def adapt(self, data: Any) -> None:
        """Set mean and variance to those of data, computed in float64.

        Parameters
        ----------
        data : array, or batches
            Samples, of any integer or floating type. An iterable, such as a list of arrays, a generator or a loader,
            gives batches of them: x, (x, y) or (x, y, sample_weight), of which x counts.

        Raises
        ------
        ArgumentError
            If mean and variance were given to the constructor, or the shape does not suit the layer.
        DataError
            If the data are no numbers, or empty.
        """
        if self.given is not None:
            raise ArgumentError(f"{self}: expected a layer without a mean of its own to adapt; leave mean and variance "
                                f"out when you make it")
        found = None
        for x in batches_of(data, str(self)):
            if self.input_shape is None:
                self.build((None, *x.shape[1:]))
            kept = self._kept(len(self.input_shape))
            if x.ndim != len(self.input_shape) or any(x.shape[axis] != self.input_shape[axis] for axis in kept):
                raise ArgumentError(f"{self}: expected data like its input {self.input_shape}, got {x.shape}")
            if found is None:
                found = RunningStatistics(kept, tuple(x.shape[axis] for axis in kept))
            found.add(x)
        assert found is not None
        self.mean.assign(found.mean)
        self.variance.assign(found.variance)

    def _kept(self, rank: int) -> tuple[int, ...]:
        kept = tuple(sorted(axis + rank if axis < 0 else axis for axis in self.axis))
        if len(set(kept)) != len(kept) or not all(1 <= axis < rank for axis in kept):
            raise ArgumentError(f"{self}: expected axis to name dimensions of an input with {rank}, without the batch, "
                                f"got {self.axis}; None takes one mean of all numbers")
        return kept

    def _map(self, shape: tuple[int, ...]) -> Tables:
        kept = self._kept(len(shape))
        part = shape[kept[0]:] if kept else shape[-1:] if len(shape) > 1 else (1,)
        first = len(shape) - len(part)
        sizes = tuple(shape[axis] for axis in kept)
        around = tuple(shape[axis] if axis in kept else 1 for axis in range(first, first + len(part)))
        mean, variance = self.given if self.given is not None else (self.mean.value, self.variance.value)
        mean, variance = (np.broadcast_to(values, sizes).reshape(around) for values in (mean, variance))
        kind, count = self.array_dtype, math.prod(part)
        variance = np.maximum(variance, kind.type(_SMALLEST) ** 2)
        if not self.invert:
            return np.empty(0, kind), np.empty(0, kind), self._filled(mean, part), self._filled(variance, part)
        return (self._filled(np.sqrt(variance), part), self._filled(mean, part), np.zeros(count, kind),
                np.ones(count, kind))
