"""What runs on bytes in the place of layers, in prediction (`fastcnn.graph.lowering`)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.operations import quantized
from fastcnn.operations.activation import Clamp, activate_only
from fastcnn.operations.quantized import Quantization, QuantizedAverage, QuantizedSum
from fastcnn.operations.quantized_product import QuantizedProduct
from fastcnn.parameters import Parameter
from fastcnn.traits import NONE


class OnBytes:
    """What nodes on bytes have in common.

    Parameters
    ----------
    layer : Layer
        In whose place it stands.
    output_shape : tuple, optional
        Of the layer, if absent.
    """

    traits = NONE
    replayable = True
    parameters: Sequence[Parameter] = ()

    def __init__(self, layer: Any, output_shape: Any = None) -> None:
        self.name, self.input_shape, self.many_inputs = layer.name, layer.input_shape, layer.many_inputs
        self.output_shape = layer.output_shape if output_shape is None else output_shape

    def shape(self, x: np.ndarray) -> tuple[int, ...]:
        """Return the shape of the output for an input."""
        return len(x), *self.output_shape[1:]


class Quantize(OnBytes):
    """Numbers as bytes."""

    def __init__(self, layer: Any, target: Quantization) -> None:
        super().__init__(layer)
        self._target = target

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the bytes."""
        return quantized.quantize(x, self._target)


class Dequantize(OnBytes):
    """Bytes as numbers."""

    def __init__(self, layer: Any, source: Quantization) -> None:
        super().__init__(layer)
        self.input_shape, self.many_inputs, self._source = self.output_shape, False, source

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the numbers."""
        return quantized.dequantize(x, self._source)


class ByteTable(OnBytes):
    """A function of single numbers, from bytes to bytes."""

    def __init__(self, layer: Any, function: Callable[[np.ndarray], np.ndarray], source: Quantization,
                 target: Quantization) -> None:
        super().__init__(layer)
        self.input_shape, self.many_inputs = self.output_shape, False
        self._table = quantized.table(function, source, target)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the bytes."""
        return quantized.looked_up(x, self._table)


class ByteProduct(OnBytes):
    """A convolution or a dense layer, with what bounds its results after it."""

    def __init__(self, layer: Any, source: Quantization, target: Quantization | None, clamp: Clamp) -> None:
        super().__init__(layer)
        self.parameters = layer.parameters
        self._layer, self._activation = layer, layer.activation
        if self._activation is not None and self._activation.clamp is not None:
            self._activation = None
        self._product = QuantizedProduct(layer.integers, layer.scale, layer.bias, source, target, clamp)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return bytes, or numbers."""
        layer = self._layer
        g = (geometry.dense(x.size // x.shape[-1], x.shape[-1], layer.units) if layer.integers.ndim == 2
             else layer.geometry(x.shape))
        y = self._product(x, g, self.shape(x))
        return activate_only(y, self._activation)


class ByteSum(OnBytes):
    """The sum of two arrays of bytes, with what bounds it after it."""

    def __init__(self, layer: Any, sources: Sequence[Quantization], target: Quantization, clamp: Clamp) -> None:
        super().__init__(layer)
        self._sum = QuantizedSum(sources, target, clamp)

    def predict(self, x: Sequence[np.ndarray]) -> np.ndarray:
        """Infer: return the bytes."""
        return self._sum(*x)


class ByteMaxPool(OnBytes):
    """Max pooling."""

    def __init__(self, layer: Any, source: Quantization) -> None:
        super().__init__(layer)
        self._layer, self._source = layer, source

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the bytes."""
        return quantized.max_pool(x, self._layer.passes_of(x.shape)[0], self._source).reshape(self.shape(x))


class ByteAverage(OnBytes):
    """Average pooling."""

    def __init__(self, layer: Any, source: Quantization, target: Quantization | None) -> None:
        super().__init__(layer)
        self._layer, self._average = layer, QuantizedAverage(source, target)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return bytes, or numbers."""
        return self._average(x, self._layer.passes_of(x.shape)[0], self.shape(x))


class ByteBorder(OnBytes):
    """Zeros around images."""

    def __init__(self, layer: Any, source: Quantization) -> None:
        super().__init__(layer)
        self._sides, self._source = layer.border, source

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the bytes."""
        return quantized.bordered(x, self._sides, self._source).reshape(self.shape(x))


class BytesReshaped(OnBytes):
    """The same bytes in another shape."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Infer: return the bytes."""
        return x.reshape(self.shape(x))


class BytesJoined(OnBytes):
    """Arrays of bytes side by side."""

    def __init__(self, layer: Any) -> None:
        super().__init__(layer)
        self._axis = layer.axis % len(layer.output_shape)

    def predict(self, x: Sequence[np.ndarray]) -> np.ndarray:
        """Infer: return the bytes."""
        return quantized.concatenated(x, self._axis)

