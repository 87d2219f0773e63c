"""Images of any other size, by interpolation."""

import math
import numbers
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import integers, number
from fastcnn.geometry.interpolation import (
    COORDINATES,
    MODES,
    ROUNDING,
    Interpolation,
    interpolation_taps,
    scaled_length,
)
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.operations.resize import resize


class Resize(Layer):
    """Signals, images or volumes of another size: (N, H, W, C) to (N, H', W', C). ONNX: Resize.

    Keras's ``Resizing`` is ``Resize((height, width))``. `UpSampling2D` is faster for whole factors.

    Parameters
    ----------
    size : int or tuple of int, optional
        The new lengths, one for all dimensions or one each.
    scale : float or tuple of float, optional
        In place of `size`: a dimension of length n becomes ``floor(scale n)`` long. With `size`, where outputs lie.
    interpolation : str
        "linear", "nearest" or "cubic" (Keys 1981).
    coordinate_transformation_mode : str
        Where output i lies on the input, as ONNX's operator spells it: "half_pixel", ``(i + 1/2) / scale - 1/2``
        (Keras, PyTorch with ``align_corners=False``); "align_corners", ``i (n - 1) / (n' - 1)``; "asymmetric",
        ``i / scale``; "pytorch_half_pixel", "half_pixel_symmetric" or "tf_half_pixel_for_nn".
    nearest_mode : str
        How the nearest pixel is rounded: "round_prefer_floor", "round_prefer_ceil", "floor" or "ceil".
    cubic_coeff_a : float
        The coefficient of cubic convolution: -3/4 in PyTorch and ONNX, -1/2 in TensorFlow and Pillow.
    antialias : bool
        Whether an output that covers several pixels is a mixture of all of them (linear and cubic).
    exclude_outside : bool
        Whether pixels outside have no weight, in place of the border's pixel.

    Examples
    --------
    >>> layers.Resize((14, 21)).compute_output_shape((None, 28, 28, 3))
    (None, 14, 21, 3)
    >>> layers.Resize(scale=0.5).compute_output_shape((None, 28, 28, 3))
    (None, 14, 14, 3)
    """

    def __init__(self, size: Any = None, scale: Any = None, interpolation: str = "linear",
                 coordinate_transformation_mode: str = "half_pixel", nearest_mode: str = "round_prefer_floor",
                 cubic_coeff_a: float = -0.75, antialias: bool = False, exclude_outside: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value, known in (("interpolation", interpolation, MODES), ("nearest_mode", nearest_mode, ROUNDING),
                                   ("coordinate_transformation_mode", coordinate_transformation_mode, COORDINATES)):
            if value not in known:
                raise ArgumentError(unknown(f"{self}: {name}", value, known))
        if size is None and scale is None:
            raise ArgumentError(f"{self}: expected a size such as (224, 224) or a scale such as 0.5, got neither")
        self.size = None if size is None else integers(size, self, "size")
        self.scale = None if scale is None else _numbers(scale)
        for name, given, values in (("size", size, self.size), ("scale", scale, self.scale)):
            if values is not None and (not 1 <= len(values) <= 3 or not all(0 < v < math.inf for v in values)):
                raise ArgumentError(f"{self}: expected {name} to be a positive number or up to three, got {given!r}")
        self.how = Interpolation(interpolation, coordinate_transformation_mode, nearest_mode,
                                 number(cubic_coeff_a, self, "a number for cubic_coeff_a"), bool(antialias),
                                 bool(exclude_outside))

    def _lengths(self, shape: Shape) -> list[tuple[int, int, float]]:
        """Return length, new length and scale of each dimension of an image."""
        old = shape[1:-1]
        if not 1 <= len(old) <= 3:
            raise ArgumentError(f"{self}: expected input (N, L, C), (N, H, W, C) or (N, D, H, W, C), got {shape}")
        sizes, scales = (self._spread(given, len(old), shape) for given in (self.size, self.scale))
        new = [scaled_length(n, s) if m is None else m for n, m, s in zip(old, sizes, scales, strict=True)]
        if min(new) < 1:
            raise ArgumentError(f"{self}: expected something to be left of {tuple(old)}, got scale {self.scale}")
        return [(n, m, m / n if s is None else float(s)) for n, m, s in zip(old, new, scales, strict=True)]

    def _spread(self, given: Any, rank: int, shape: Shape) -> Any:
        if given is None or len(given) == 1:
            return [None if given is None else given[0]] * rank
        if len(given) != rank:
            raise ArgumentError(f"{self}: expected a number for each of the {rank} dimensions of an image {shape}, "
                                f"got {given}")
        return given

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return None, *(m for _, m, _ in self._lengths(input_shape)), input_shape[-1]

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        return resize(x, [interpolation_taps(n, m, s, self.how, x.dtype.name) for n, m, s in self._lengths(x.shape)])


def _numbers(value: Any) -> tuple[float, ...]:
    """Return a number, or several, as a tuple; not a number for what is none."""
    values = value if isinstance(value, (tuple, list, np.ndarray)) else (value,)
    return tuple(float(v) if isinstance(v, numbers.Real) and not isinstance(v, bool) else math.nan for v in values)
