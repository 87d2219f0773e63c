"""Layers that put a border around images, or cut one off."""

import numbers
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import Sides, explicit_padding, is_integer
from fastcnn.geometry.resize import pad3d
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import check_image
from fastcnn.operations.padding import crop, pad
from fastcnn.traits import Trait

_MODES = ("zero", "constant", "edge", "reflect", "wrap")


class _Bordered(Layer):
    """The widths of a border; `rank` is the number of dimensions that images have."""

    rank = 2
    mode = "zero"
    value = 0.0
    border: Sides

    def _take(self, value: Any, data_format: str | None, what: str) -> Sides:
        self.require_channels_last(data_format)
        if isinstance(value, (tuple, list)) and len(value) == 1 and is_integer(value[0]):
            raise ArgumentError(f"{self}: expected {what} to be an integer or (left, right), got {value!r}")
        self.border = explicit_padding(value, self.rank, f"{self}: {what}")
        return self.border

    def _geometry(self, inner: tuple[int, ...], who: str = "padding") -> np.ndarray:
        """Return the geometry of the border around `inner`; `who` is for the message, where a layer is built."""
        ones = 3 - self.rank
        mode = "zero" if self.mode == "constant" else self.mode
        return pad3d((inner[0], *(1,) * ones, *inner[1:]), ((0, 0),) * ones + self.border, mode, who, self.value)

    def _outer(self, shape: Shape) -> Shape:
        check_image(self, shape, self.rank)
        return None, *(n + sum(pair) for n, pair in zip(shape[1:-1], self.border, strict=True)), shape[-1]


class _Padding(_Bordered):
    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = self._outer(input_shape)
        self._geometry((1, *input_shape[1:]), str(self))  # complains of what does not fit
        return shape

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return pad(x, self._geometry(x.shape), (x.shape[0], *self.output_shape[1:]))


class ZeroPadding1D(_Padding):
    """Zeros around signals: (N, L, C) to (N, left + L + right, C). ONNX: Pad.

    Parameters
    ----------
    padding : int or (int, int)
        Both ends; (left, right).
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.ZeroPadding1D(1).compute_output_shape((None, 8, 3))
    (None, 10, 3)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = self._take(padding, data_format, "padding")


class ZeroPadding2D(_Padding):
    """Zeros around images: (N, H, W, C) to (N, top + H + bottom, left + W + right, C). ONNX: Pad.

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int))
        All sides; rows and columns; ((top, bottom), (left, right)).
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.ZeroPadding2D(1).compute_output_shape((None, 28, 28, 3))
    (None, 30, 30, 3)
    """

    traits = Trait.ZERO_BORDER2D | Trait.CALLS_KERNELS

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = self._take(padding, data_format, "padding")


class ZeroPadding3D(_Padding):
    """Zeros around volumes: (N, D, H, W, C) to (N, front + D + back, top + H + bottom, left + W + right, C). ONNX: Pad.

    Parameters
    ----------
    padding : int, three of them, or three pairs
        All sides; depth, rows and columns; ((front, back), (top, bottom), (left, right)).
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.ZeroPadding3D(1).compute_output_shape((None, 8, 8, 8, 3))
    (None, 10, 10, 10, 3)
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = self._take(padding, data_format, "padding")


class Padding2D(_Padding):
    """A border around images: (N, H, W, C) to (N, top + H + bottom, left + W + right, C). ONNX: Pad.

    The gradient of a pixel is the sum over its copies.

    Parameters
    ----------
    padding : int or tuple
        One number for all sides, one for each dimension, or a pair (before, after) for each.
    mode : str
        "zero", "constant" (of a `value`), "edge" (the nearest pixel), "reflect" (mirrored about the edge pixel, which
        is not repeated) or "wrap" (the image over again: PyTorch's circular).
    data_format : str, optional
        "channels_last", the only order that is offered.
    value : float
        What the border is filled with in mode "constant". It may be infinite.

    Examples
    --------
    >>> x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1)
    >>> layers.Padding2D((0, 2), mode="wrap").predict(x)[0, :, :, 0]
    array([[0., 1., 0., 1., 0., 1.],
           [2., 3., 2., 3., 2., 3.]], dtype=float32)
    """

    def __init__(self, padding: Any = 1, mode: str = "zero", data_format: str | None = None, value: float = 0.0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mode not in _MODES:
            raise ArgumentError(unknown(f"{self}: mode", mode, _MODES))
        if not isinstance(value, numbers.Real) or (value != 0 and mode != "constant"):
            raise ArgumentError(f'{self}: expected a number for value, and 0 but in mode "constant", '
                                f"got {value!r} in mode {mode!r}")
        self.mode, self.value = mode, float(value)
        self.padding = self._take(padding, data_format, "padding")


class Padding1D(Padding2D):
    """`Padding2D` for signals: (N, L, C) to (N, left + L + right, C). ONNX: Pad.

    Parameters
    ----------
    padding, mode, data_format, value : as `Padding2D`

    Examples
    --------
    >>> x = np.array([1, 2, 3], "float32").reshape(1, 3, 1)
    >>> layers.Padding1D(1, mode="reflect").predict(x)[0, :, 0]
    array([2., 1., 2., 3., 2.], dtype=float32)
    """

    rank = 1


class Padding3D(Padding2D):
    """`Padding2D` for volumes: (N, D, H, W, C) to (N, D', H', W', C). ONNX: Pad.

    Parameters
    ----------
    padding, mode, data_format, value : as `Padding2D`

    Examples
    --------
    >>> layers.Padding3D(1, mode="edge").compute_output_shape((None, 8, 8, 8, 3))
    (None, 10, 10, 10, 3)
    """

    rank = 3


class _Cropping(_Bordered):
    def compute_output_shape(self, input_shape: Shape) -> Shape:
        check_image(self, input_shape, self.rank)
        lengths = [n - sum(pair) for n, pair in zip(input_shape[1:-1], self.border, strict=True)]
        if min(lengths) < 1:
            raise ArgumentError(f"{self}: expected cropping smaller than the input {tuple(input_shape[1:-1])}, "
                                f"got {self.border}")
        return None, *lengths, input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        shape = x.shape[0], *self.output_shape[1:]
        return crop(x, self._geometry(shape), shape)


class Cropping1D(_Cropping):
    """Signals without their ends: (N, L, C) to (N, L - left - right, C). ONNX: Slice.

    Parameters
    ----------
    cropping : int or (int, int)
        Both ends; (left, right).

    Examples
    --------
    >>> layers.Cropping1D((0, 3)).compute_output_shape((None, 8, 3))
    (None, 5, 3)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = self._take(cropping, None, "cropping")


class Cropping2D(_Cropping):
    """Images without their borders: (N, H, W, C) to (N, H - top - bottom, W - left - right, C). ONNX: Slice.

    Parameters
    ----------
    cropping : int, (int, int) or ((int, int), (int, int))
        All sides; rows and columns; ((top, bottom), (left, right)).
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Cropping2D(((1, 1), (2, 2))).compute_output_shape((None, 28, 28, 3))
    (None, 26, 24, 3)
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = self._take(cropping, data_format, "cropping")


class Cropping3D(_Cropping):
    """Volumes without their borders, as `Cropping2D`: (N, D, H, W, C) to (N, D', H', W', C). ONNX: Slice.

    Parameters
    ----------
    cropping : int, three of them, or three pairs
        All sides; depth, rows and columns; ((front, back), (top, bottom), (left, right)).
    data_format : str, optional
        "channels_last", the only order that is offered.

    Examples
    --------
    >>> layers.Cropping3D(1).compute_output_shape((None, 8, 8, 8, 3))
    (None, 6, 6, 6, 3)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = self._take(cropping, data_format, "cropping")
