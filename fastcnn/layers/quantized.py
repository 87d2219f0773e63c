"""Layers of models whose predictions run in 8 bits: numbers as bytes stand for them, and products with small integers.

A model with them computes in floating point as any other does. Its predictions on a CPU are lowered to bytes
(`fastcnn.graph.bytes`): what lies between two `QuantizeDequantize` runs on bytes then. `fastcnn.quantize` makes such
models of others.
"""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer, number
from fastcnn.layers.base import Backward, Call, Layer, Shape
from fastcnn.layers.conv import Conv2D
from fastcnn.layers.dense import Dense
from fastcnn.operations.quantized import Quantization, quantize_dequantize, straight_through
from fastcnn.operations.quantized_product import dequantized_kernel
from fastcnn.parameters import Parameter, entered
from fastcnn.traits import Trait


class QuantizeDequantize(Layer):
    """Numbers as those that bytes stand for: y = scale (clip(round(x / scale) + zero_point, 0, 255) - zero_point).

    Rounding is half to even. The gradient is that of y = x within the range, and zero outside. ONNX: QuantizeLinear and
    DequantizeLinear.

    Parameters
    ----------
    scale : float
        Above 0; rounded to float32.
    zero_point : int
        The byte that stands for 0, from 0 to 255.

    Examples
    --------
    >>> x = np.array([[-1, 0.26, 0.8, 200]], "float32")
    >>> layers.QuantizeDequantize(0.5, 1).predict(x)
    array([[ -0.5,   0.5,   1. , 127. ]], dtype=float32)
    """

    traits = Trait.QUANTIZATION

    def __init__(self, scale: float, zero_point: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        scale = float(np.float32(number(scale, self, "a scale above 0", lambda n: n > 0)))
        if not (scale > 0 and np.isfinite(scale)):
            raise ArgumentError(f"{self}: expected a scale that float32 holds, got {scale}")
        if not is_integer(zero_point) or not 0 <= zero_point <= 255:
            raise ArgumentError(f"{self}: expected a zero_point from 0 to 255, got {zero_point!r}")
        self.quantization = Quantization(scale, int(zero_point))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        return straight_through(self.checked(x), self.quantization)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return quantize_dequantize(self.checked(x), self.quantization)


class _QuantizedProduct:
    """What products with weights of 8 bits have in common: `integers`, `scale` and `bias`, none of which is trained.

    The floating-point layer that a class derives from computes with `kernel`, integers times scale.
    """

    integers: Parameter
    scale: Parameter
    bias: Parameter | None

    def _make_integers(self, layer: Any, shape: tuple[int, ...], use_bias: bool) -> None:
        integers = Parameter(entered(np.zeros(shape, np.int8)), "kernel", f"{layer.name}/kernel", trainable=False)
        layer.parameters.append(integers)
        self.integers = integers
        self.scale = layer.add_weight("scale", shape[-1:], "ones", trainable=False)
        self.bias = layer.add_weight("bias", shape[-1:], "zeros", trainable=False) if use_bias else None

    @property
    def kernel(self) -> Any:
        """The weights as numbers: integers times scale."""
        versions = self.integers.version, self.scale.version
        known = self.integers.derived.get("numbers")
        if known is None or known[0] != versions:
            numbers = dequantized_kernel(self.integers, self.scale)
            known = versions, Parameter(numbers, "kernel", self.integers.path, trainable=False)
            self.integers.derived["numbers"] = known
        return known[1]


class QuantizedConv2D(_QuantizedProduct, Conv2D):  # type: ignore[override]
    """`Conv2D` with a filter bank of 8 bits: kernel = scale integers, with a scale for each filter. ONNX: QLinearConv.

    Its weights are `kernel` (integers of 8 bits), `scale` and `bias`; they are not trained. `fastcnn.quantize` sets
    them. A depthwise convolution is one with as many groups as channels.

    Parameters
    ----------
    filters : int
    kernel_size, strides, dilation_rate : int or (int, int)
    padding : str, int or tuple
    groups : int
    activation : str, optional
    use_bias : bool
        All as `Conv2D`.

    Examples
    --------
    >>> layer = layers.QuantizedConv2D(16, 3)
    >>> layer.compute_output_shape((None, 28, 28, 3))
    (None, 26, 26, 16)
    """

    traits = Trait.QUANTIZED_PRODUCT
    replayable = True

    def __init__(self, filters: int, kernel_size: int | tuple[int, ...], strides: int | tuple[int, ...] = 1,
                 padding: Any = "valid", dilation_rate: int | tuple[int, ...] = 1, groups: int = 1,
                 activation: str | None = None, use_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, strides, padding, dilation_rate=dilation_rate, groups=groups,
                         activation=activation, use_bias=use_bias, **kwargs)

    def _make_weights(self, kernel_shape: tuple[int, ...]) -> None:
        self._make_integers(self, kernel_shape, self.use_bias)


class QuantizedDense(_QuantizedProduct, Dense):  # type: ignore[override]
    """`Dense` with weights of 8 bits: kernel = scale integers, with a scale for each unit. ONNX: QLinearMatMul.

    Its weights are `kernel` (integers of 8 bits), `scale` and `bias`; they are not trained. `fastcnn.quantize` sets
    them.

    Parameters
    ----------
    units : int
    activation : str, optional
    use_bias : bool
        All as `Dense`.

    Examples
    --------
    >>> layers.QuantizedDense(10).compute_output_shape((None, 32))
    (None, 10)
    """

    traits = Trait.QUANTIZED_PRODUCT
    replayable = True

    def __init__(self, units: int, activation: str | None = None, use_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(units, activation, use_bias, **kwargs)

    def create_weights(self, input_shape: Shape) -> None:
        self._make_integers(self, (input_shape[-1], self.units), self.use_bias)
