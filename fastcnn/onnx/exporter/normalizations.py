"""Normalizations as ONNX writes them."""

from typing import Any

import numpy as np

from fastcnn.onnx.exporter.writer import FIRST, LAST, ExportedTensor, Writer, to_first


def _numbers(parameter: Any, shape: Any, default: float) -> np.ndarray:
    return np.full(shape, default) if parameter is None else parameter.array


def _batch(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    size = layer.input_shape[-1]
    numbers = {"gamma": _numbers(layer.gamma, size, 1.0), "beta": _numbers(layer.beta, size, 0.0),
               "mean": layer.moving_mean.array, "variance": layer.moving_variance.array}
    y = w.node("BatchNormalization", [w.get(inputs[0], FIRST), *(w.constant(a, n) for n, a in numbers.items())],
               epsilon=layer.epsilon)
    return w.value(y, layer.output_shape, FIRST)


def _layer(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    axes = len(layer.axis)
    shape = layer.input_shape[-axes:]
    numbers = {"gamma": _numbers(layer.gamma, shape, 1.0), "beta": _numbers(layer.beta, shape, 0.0)}
    y = w.node("LayerNormalization", [w.get(inputs[0], LAST), *(w.constant(a, n) for n, a in numbers.items())],
               axis=-axes, epsilon=layer.epsilon)
    return w.value(y, layer.output_shape, LAST)


def _group(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    """Groups side by side are channels of an instance normalization; scale and offset are a channel's own."""
    x, channels = inputs[0], layer.input_shape[-1]
    groups = layer.groups if layer.groups != -1 else channels
    first = w.get(x, FIRST)
    name = w.node("Reshape", [first, w.constant([0, groups, -1], "shape")])
    name = w.node("InstanceNormalization", [name, w.constant(np.ones(groups), "ones"),
                                            w.constant(np.zeros(groups), "zeros")], epsilon=layer.epsilon)
    shape = [x.shape[axis] for axis in to_first(x.rank)] if x.rank > 2 else x.shape
    whole = w.node("Shape", [first]) if None in shape[1:] else w.constant([0, *shape[1:]], "shape")
    y = w.value(w.node("Reshape", [name, whole]), layer.output_shape, FIRST)
    for operator, parameter in (("Mul", layer.gamma), ("Add", layer.beta)):
        if parameter is not None:
            y = w.elementwise(operator, y, w.per_channel(parameter.array.reshape(channels), y, parameter.name))
    return y


def _scale(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x = inputs[0]
    return w.elementwise("Mul", x, w.per_channel(layer.gamma.array, x, layer.gamma.name))


def _local_response(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, channels = inputs[0], layer.input_shape[-1]
    if layer.before == layer.after and x.rank > 2:
        size = 2 * layer.before + 1
        y = w.node("LRN", [w.get(x, FIRST)], size=size, alpha=layer.alpha * size, beta=layer.beta, bias=layer.k)
        return w.value(y, layer.output_shape, FIRST)
    # A window that is not the same on both sides: the sums are a product with a band of ones.
    distance = np.arange(channels)[None] - np.arange(channels)[:, None]  # [from, to]
    band = ((distance <= layer.after) & (-distance <= layer.before)).T.astype(w.dtype)
    name = w.get(x, LAST)
    sums = w.node("MatMul", [w.node("Mul", [name, name]), w.constant(band, "band")])
    whole = w.node("Add", [w.node("Mul", [sums, w.scalar(layer.alpha)]), w.scalar(layer.k)])
    return w.value(w.node("Div", [name, w.node("Pow", [whole, w.scalar(layer.beta)])]), layer.output_shape, LAST)


def _over_sample(w: Writer, operator: str, x: ExportedTensor, numbers: np.ndarray, hint: str) -> ExportedTensor:
    whole = numbers.reshape((1,) * (x.rank - 1 - numbers.ndim) + numbers.shape)
    return w.elementwise(operator, x, w.over_sample(whole, x, hint))


def _rescaling(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    y = _over_sample(w, "Mul", inputs[0], layer.scale, "scale")
    return _over_sample(w, "Add", y, layer.offset, "offset") if layer.offset.any() else y


def _normalization(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    shape = layer.input_shape
    kept = layer._kept(len(shape))
    around = [shape[axis] if axis in kept else 1 for axis in range(1, len(shape))]
    mean, variance = layer.given if layer.given is not None else (layer.mean.array, layer.variance.array)
    mean, variance = (np.broadcast_to(v, [shape[axis] for axis in kept]).reshape(around) for v in (mean, variance))
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    if layer.invert:
        return _over_sample(w, "Add", _over_sample(w, "Mul", inputs[0], deviation, "deviation"), mean, "mean")
    return _over_sample(w, "Div", _over_sample(w, "Sub", inputs[0], mean, "mean"), deviation, "deviation")


TABLE: dict[str, Any] = {
    "BatchNormalization": _batch, "GroupNormalization": _group, "LayerNormalization": _layer,
    "LayerScale": _scale, "LocalResponseNormalization": _local_response, "Normalization": _normalization,
    "Rescaling": _rescaling,
}
