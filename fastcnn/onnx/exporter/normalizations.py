"""Normalizations as ONNX writes them."""

from typing import Any

import numpy as np

from fastcnn.onnx.exporter.writer import FIRST, Value, Writer


def _or(parameter: Any, size: int, default: float) -> np.ndarray:
    return np.full(size, default) if parameter is None else parameter.array


def _batch(w: Writer, layer: Any, inputs: list[Value]) -> Value:
    x, size = inputs[0], layer.input_shape[-1]
    numbers = {"gamma": _or(layer.gamma, size, 1.0), "beta": _or(layer.beta, size, 0.0),
               "mean": layer.moving_mean.array, "variance": layer.moving_variance.array}
    y = w.node("BatchNormalization", [w.get(x, FIRST), *(w.constant(a, n) for n, a in numbers.items())],
               epsilon=layer.epsilon)
    return w.value(y, layer.output_shape, FIRST)


TABLE = {"BatchNormalization": _batch}
