"""Random numbers: an array at once, or a node of the graph that draws others in each step (`fastcnn.random`)."""

import math
from typing import Any

import numpy as np

from fastcnn import device, random, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations import noise
from fastcnn.ops import types
from fastcnn.ops.shaping import UnknownLength

_ODD = 0x2545F4914F6CDD1D  # tells the draws of one generator apart
_REDRAWN = 16  # of a hundred numbers, five lie beyond two deviations


class RandomNumbers(Layer):
    """Numbers of a distribution as a layer, which draws others in each step of a training and in each prediction.

    `fastcnn.random.normal` and others make it where they are given symbolic shapes.

    Parameters
    ----------
    distribution : str
        "normal", "uniform" or "truncated_normal".
    lengths : list
        The shape; None for a length of a batch.
    batch : (int, int)
        Which axis of the input tells it, and what multiplies it.
    numbers : list of float
        Mean and deviation, or bounds.
    seed : int
    fixed : bool
        Whether all draws are alike, as Keras's of a seed that is an integer.

    Examples
    --------
    >>> x = fc.Input((3,))
    >>> fc.Model(x, x + fc.random.normal(fc.ops.shape(x))).output_shape
    (None, 3)
    """

    replayable = False

    def __init__(self, distribution: str, lengths: list[Any], batch: tuple[int, int], numbers: list[float], seed: int,
                 fixed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.distribution, self.lengths, self.batch = distribution, list(lengths), tuple(batch)
        self.numbers, self.seed, self.fixed = list(numbers), seed, fixed

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(self.lengths)

    def _drawn(self, x: np.ndarray, key: tuple[int, int]) -> np.ndarray:
        axis, factor = self.batch
        shape = tuple(x.shape[axis] * factor if n is None else n for n in self.lengths)
        return drawn(self.distribution, device.of(x), shape, self.array_dtype, self.numbers, key)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return self._drawn(x, (self.seed, 0) if self.fixed else call.key(self.seed)), lambda dy: None

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        return self._drawn(x, (self.seed, 0 if self.fixed else next(self._draws)))


def drawn(distribution: str, d: device.Device, shape: tuple[int, ...], dtype: Any, numbers: Any, key: tuple[int, int]
          ) -> np.ndarray:
    """Return numbers of a distribution.

    Parameters
    ----------
    distribution : str
        As of `RandomNumbers`.
    d : Device
    shape : tuple of int
    dtype : dtype
        float32 or float64.
    numbers : (float, float)
    key : (int, int)
        Seed and step.
    """
    first, second = map(float, numbers)
    if distribution == "uniform":
        return noise.uniform(d, shape, dtype, first, second, key)
    if distribution == "normal":
        return noise.normal(d, shape, dtype, first, second, key)
    seed, step = key
    z = device.get(noise.normal(d, shape, dtype, 0.0, 1.0, key)).copy()
    for k in range(1, _REDRAWN):
        beyond = np.abs(z) > 2
        if not beyond.any():
            break
        again = device.get(noise.normal(d, shape, dtype, 0.0, 1.0, (seed ^ k * _ODD & random.LARGEST, step)))
        z[beyond] = again[beyond]
    return d.put(np.clip(z, -2, 2) * z.dtype.type(second) + z.dtype.type(first))


def draw(distribution: str, shape: Any, numbers: tuple[float, float], dtype: Any, seed: Any) -> Any:
    """Return an array of random numbers, or a tensor where a length is a batch's, or a layer's `call` is being asked.

    Parameters
    ----------
    distribution : str
    shape : int or tuple
        As `fastcnn.ops.shape` tells it.
    numbers : (float, float)
    dtype : str, optional
    seed : int or SeedGenerator, optional
    """
    who = f"random.{distribution}"
    kind = np.dtype(types.floatx() if dtype is None else types.named(dtype, who))
    if kind not in types.FLOATS:
        raise ArgumentError(f"{who}: expected dtype float32 or float64, got {kind.name}")
    if not all(math.isfinite(float(n)) for n in numbers):
        raise ArgumentError(f"{who}: expected finite numbers, got {numbers}")
    lengths = [shape] if is_integer(shape) or isinstance(shape, UnknownLength) else list(shape)
    word, count = random.words_of(seed)
    fixed = is_integer(seed)
    batch = next((n for n in lengths if isinstance(n, UnknownLength)), None)
    if batch is None:
        if any(isinstance(one, Layer) for one in symbolic.tracing()):  # a function is asked anew each time
            raise ArgumentError(f"{who}: expected a shape with the batch of a tensor in call, as fc.ops.shape(x) has "
                                f"it, got {tuple(lengths)}, which would be drawn once for all")
        return device.get(drawn(distribution, device.current(), tuple(map(int, lengths)), kind, numbers, (word, count)))
    layer = RandomNumbers(distribution, [None if isinstance(n, UnknownLength) else int(n) for n in lengths],
                          (batch.axis, batch.factor), list(numbers), word ^ (count * _ODD & random.LARGEST), fixed,
                          dtype=batch.tensor.dtype.name)
    made = layer(batch.tensor)
    if made.dtype == kind:
        return made
    from fastcnn.ops.casting import cast

    return cast(made, kind.name)
