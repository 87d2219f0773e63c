"""Layers that move numbers without changing them."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import integers, is_integer, positive
from fastcnn.layers.base import Backward, Call, Layer, Shape, elements
from fastcnn.operations.layout import repeat_vector, transpose
from fastcnn.traits import Trait


class _Reshaping(Layer):
    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        shape = x.shape
        return x.reshape(shape[0], *self.output_shape[1:]), lambda dy: dy.reshape(shape)


class Flatten(_Reshaping):
    """(N, ...) to (N, features), a view. ONNX: Flatten.

    Parameters
    ----------
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Flatten().compute_output_shape((None, 28, 28, 3))
    (None, 2352)
    """

    traits = Trait.RESHAPING | Trait.CALLS_KERNELS

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_channels_last(data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return None, elements(input_shape)


class Reshape(_Reshaping):
    """(N, ...) to (N, *target_shape), a view. ONNX: Reshape.

    Parameters
    ----------
    target_shape : tuple of int
        Without the batch. One entry may be -1 or None, which stands for the rest. 0 takes the input's size at that
        place, so ``(0, 0, 4, 16)`` splits the channels of images of any size.

    Examples
    --------
    >>> layers.Reshape((7, -1)).compute_output_shape((None, 28))
    (None, 7, 4)
    >>> layers.Reshape((0, 0, 4, 16)).compute_output_shape((None, 8, 8, 64))
    (None, 8, 8, 4, 16)
    """

    traits = Trait.RESHAPING | Trait.CALLS_KERNELS

    def __init__(self, target_shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        several = isinstance(target_shape, (tuple, list, np.ndarray))
        sizes = [-1 if n is None else n for n in target_shape] if several else []
        if not several or not all(is_integer(n) and n >= -1 for n in sizes) or sizes.count(-1) > 1:
            raise ArgumentError(f"{self}: expected a target_shape of positive integers, with -1 or None for one of "
                                f"them at most and 0 for a size as it comes, got {target_shape!r}")
        self.target_shape = tuple(map(int, sizes))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if any(n == 0 and k + 1 >= len(input_shape) for k, n in enumerate(self.target_shape)):
            raise ArgumentError(f"{self}: expected 0 in target_shape where the input {input_shape} has a size, "
                                f"got {self.target_shape}")
        target = tuple(input_shape[k + 1] if n == 0 else n for k, n in enumerate(self.target_shape))
        size, known = elements(input_shape), math.prod(n for n in target if n != -1)
        if size % known if -1 in target else size != known:
            raise ArgumentError(f"{self}: expected a target_shape of {size} elements, got {self.target_shape}")
        return None, *(size // known if n == -1 else n for n in target)


class Permute(Layer):
    """The dimensions of a sample in another order. ONNX: Transpose.

    Parameters
    ----------
    dims : tuple of int
        A permutation of 1, 2, ...: (3, 1, 2) makes (N, C, H, W) of (N, H, W, C).

    Examples
    --------
    >>> layers.Permute((3, 1, 2)).compute_output_shape((None, 28, 28, 3))
    (None, 3, 28, 28)
    """

    def __init__(self, dims: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = integers(dims, self, "dims")
        if not self.dims or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(f"{self}: expected dims to be a permutation of 1, 2, ..., got {dims!r}")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != len(self.dims) + 1:
            raise ArgumentError(f"{self}: expected an input with {len(self.dims)} dimensions besides the batch, "
                                f"as dims has, got {input_shape}")
        return input_shape[0], *(input_shape[d] for d in self.dims)

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return transpose(self.checked(x), (0, *self.dims), str(self))


class RepeatVector(Layer):
    """(N, features) to (N, n, features), each vector `n` times. ONNX: Expand.

    Parameters
    ----------
    n : int
        Positive.

    Examples
    --------
    >>> layers.RepeatVector(5).compute_output_shape((None, 8))
    (None, 5, 8)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        (self.n,) = positive(self, n=n)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            raise ArgumentError(f"{self}: expected input (N, features), got {input_shape}")
        return input_shape[0], self.n, input_shape[1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return repeat_vector(self.checked(x), self.n)
