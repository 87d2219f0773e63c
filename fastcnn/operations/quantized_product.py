"""Products of bytes with weights of 8 bits: convolutions of images and dense layers.

sum[k] = bias[k] + sum (x - zero_x) w[k]        in integers of 32 bits
y[k] = scale_x scale_w[k] sum[k]                as a number, or rounded to a byte of y's quantization
"""

from typing import Any

import numpy as np

from fastcnn import device, geometry
from fastcnn.operations.activation import Clamp
from fastcnn.operations.quantized import BYTE, Quantization, bordered, result
from fastcnn.parameters import Parameter

_SLACK = 64  # bytes that the depthwise kernel may read beyond an image
_BY_CHANNEL, _IN_REGISTERS, _ON_TILES = "depthwise", "tile of registers", "tiles of a unit"

Shape = tuple[int, ...]


class QuantizedProduct:
    """A product of bytes, its weights packed as kernels take them until a parameter changes.

    Parameters
    ----------
    kernel : Parameter
        (KH, KW, C // groups, K), or (C, K), of int8.
    scale : Parameter
        (K,), what 1 in the kernel stands for.
    bias : Parameter, optional
        (K,), of numbers.
    source : Quantization
        Of x.
    target : Quantization, optional
        Of y; None for numbers.
    clamp : (float, float)
        The lowest and the highest result.
    """

    def __init__(self, kernel: Parameter, scale: Parameter, bias: Parameter | None, source: Quantization,
                 target: Quantization | None, clamp: Clamp) -> None:
        self.parameters = [one for one in (kernel, scale, bias) if one is not None]
        self._kernel, self._scale, self._bias = kernel, scale, bias
        self._source, self._target = source, target
        self._zero = -1 if target is None else target.zero_point
        self._bounds = np.array(clamp, np.float32) if target is None else target.bounds(clamp)
        self._made: tuple[Any, Any] = (None, None)  # the versions of the parameters, and what was packed of them

    def __call__(self, x: np.ndarray, g: np.ndarray, shape: Shape) -> np.ndarray:
        """Return y.

        Parameters
        ----------
        x : uint8 array
        g : CONV2D
            Padding with it.
        shape : tuple of int
        """
        d, f = device.of(x), {name: int(g[0][name]) for name in geometry.CONV2D.names or ()}
        sides = ((f["top"], f["bottom"]), (f["left"], f["right"]))
        size = f["n"], f["h"] + sum(sides[0]), f["w"] + sum(sides[1]), f["c"]
        inner = geometry.conv2d(size, f["k"], (f["kh"], f["kw"]), (f["sh"], f["sw"]), "valid", (f["dh"], f["dw"]),
                                f["groups"])
        is_depthwise = f["groups"] == f["c"] == f["k"] > 1 and self._target is not None
        on_tiles = not is_depthwise and d.library.quantized_tiles2d_suits(inner)
        slack = _SLACK if is_depthwise else 0 if on_tiles else d.library.byte_slack(inner)
        images = x.reshape(-1)
        if slack or size != (f["n"], f["h"], f["w"], f["c"]):
            images = bordered(x.reshape(f["n"], f["h"], f["w"], f["c"]), sides, self._source, slack)
        y, flat = result(d, shape, self._target is None)
        if on_tiles:
            scratch = d.empty((d.library.quantized_tiles2d_scratch(inner),), BYTE)
            d.kernels.quantized_tiles2d(flat, scratch, images, *self._packed(d, inner, _ON_TILES), self._bounds,
                                        self._zero, inner)
            return y
        kernel = d.kernels.quantized_depthwise2d if is_depthwise else d.kernels.quantized_conv2d
        packed = self._packed(d, inner, _BY_CHANNEL if is_depthwise else _IN_REGISTERS)
        kernel(flat, images, *packed, self._bounds, self._zero, inner)
        return y

    def integers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the weights, the bias as int32, and for each column what 1 in a sum stands for."""
        kernel, scale = device.get(self._kernel.array), device.get(self._scale.array).astype(np.float32)
        step = np.float32(self._source.scale) * scale
        bias = np.zeros(scale.size) if self._bias is None else device.get(self._bias.array).astype(np.float64)
        return kernel, integer_bias(bias, step), step

    def _packed(self, d: Any, g: np.ndarray, way: str) -> Any:
        """Return weights, start values and scales as a kernel takes them, as the parameters are now."""
        versions = way, *[one.version for one in self.parameters]
        known, made = self._made
        if versions != known:
            kernel, bias, step = self.integers()
            bank = kernel.reshape(int(g[0]["kh"]), int(g[0]["kw"]), -1, int(g[0]["k"]))
            start = bias.astype(np.int64) - self._source.zero_point * bank.sum((0, 1, 2), np.int64)
            scale = step if self._target is None else step / np.float32(self._target.scale)
            columns = start.astype(np.int32), scale.astype(np.float32)
            if way == _ON_TILES:
                made = d.library.quantized_tiles2d_packed(g, bank), d.library.quantized_tiles2d_columns(*columns)
            elif way == _BY_CHANNEL:
                weights = d.library.quantized_depthwise2d_packed(g, bank)
                made = weights, *map(d.library.quantized_channels, columns)
            else:
                weights = d.library.quantized_conv2d_packed(g, bank)
                made = weights, *(d.library.quantized_columns(g, one) for one in columns)
            made = tuple(map(d.put, made))
            self._made = versions, made  # in one assignment, since other threads read it
        return made


def dequantized_kernel(kernel: Parameter, scale: Parameter) -> np.ndarray:
    """Return weights as numbers: integers times scale, rounded once, on the device where the integers are.

    Parameters
    ----------
    kernel : Parameter
        (..., K), of int8.
    scale : Parameter
        (K,); its type is that of the numbers.
    """
    numbers = (kernel.value.astype(np.float64) * scale.value).astype(scale.dtype)
    return device.of(kernel.array).put(numbers)


def integer_bias(bias: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return biases as integers of 32 bits.

    Parameters
    ----------
    bias : (K,) array
    step : (K,) array
        What 1 stands for.
    """
    limits = np.iinfo(np.int32)
    return np.clip(np.rint(bias / step.astype(np.float64)), limits.min, limits.max).astype(np.int32)
