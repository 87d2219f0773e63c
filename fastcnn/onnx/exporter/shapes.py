"""Layers that move numbers, or pass them on as they are, as ONNX writes them."""

from typing import Any

from fastcnn.onnx.exporter.writer import LAST, ExportedTensor, Writer


def _same(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    return inputs[0]


def _reshape(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    if layer.output_shape == inputs[0].shape:
        return inputs[0]
    if None not in layer.output_shape[1:]:
        return w.reshape(inputs[0], layer.output_shape)
    target = getattr(layer, "target_shape", (-1,))  # where 0 is a size as it comes, in ONNX too
    known = [m if n == -1 and m is not None else n for n, m in zip(target, layer.output_shape[1:], strict=True)]
    y = w.node("Reshape", [w.get(inputs[0], LAST), w.constant([0, *known], "shape")])
    return w.value(y, layer.output_shape, LAST)


def _permute(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    y = w.node("Transpose", [w.get(inputs[0], LAST)], perm=[0, *layer.dims])
    return w.value(y, layer.output_shape, LAST)


def _repeat(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    longer = w.node("Unsqueeze", [w.get(inputs[0], LAST), w.constant([1], "axes")])
    y = w.node("Tile", [longer, w.constant([1, layer.n, 1], "repeats")])
    return w.value(y, layer.output_shape, LAST)


def _slice(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    axis = layer.axis % len(inputs[0].shape)
    start, stop, step = slice(layer.start, layer.stop, layer.step).indices(inputs[0].shape[axis])
    stop = stop if stop >= 0 else -1 - inputs[0].shape[axis]  # past the front: -1 alone would be the last
    bounds = [w.constant([n], name) for n, name in ((start, "starts"), (stop, "ends"), (axis, "axes"), (step, "steps"))]
    return w.value(w.node("Slice", [w.get(inputs[0], LAST), *bounds]), layer.output_shape, LAST)


def _take(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, order = inputs[0], inputs[0].order
    y = w.node("Gather", [x.names[order], w.constant(list(layer.indices), "indices")],
               axis=w.axis(x, layer.axis, order))
    return w.value(y, layer.output_shape, order)


TABLE: dict[str, Any] = dict.fromkeys((
    "ActivityRegularization", "AlphaDropout", "CutMix", "Dropout", "GaussianDropout", "GaussianNoise", "Identity",
    "InputLayer", "MixUp", "RandAugment",
    "RandomBrightness", "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing", "RandomFlip",
    "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomNoise", "RandomPCAColor", "RandomPerspective",
    "RandomRGBShift", "RandomRotation", "RandomSaturation", "RandomShear", "RandomTranslation", "RandomZoom",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
), _same)
TABLE.update({
    "Flatten": _reshape, "Permute": _permute, "RepeatVector": _repeat, "Reshape": _reshape,
    "Slice": _slice, "Take": _take,
})
