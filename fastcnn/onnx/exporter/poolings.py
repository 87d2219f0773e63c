"""Poolings, borders and resizings as ONNX writes them."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.framing import NO_BORDER, with_border
from fastcnn.geometry.interpolation import Interpolation, scaled_length
from fastcnn.geometry.resize import adaptive_windows
from fastcnn.layers.open_sizes import is_open
from fastcnn.onnx.exporter import open_sizes
from fastcnn.onnx.exporter.convolutions import borders, padded, pads_of
from fastcnn.onnx.exporter.writer import FIRST, LAST, ExportedTensor, Writer

_END = 2**63 - 1  # whatever the length is


def _pool(operator: str, sign: bool = False) -> Callable[..., ExportedTensor]:
    def pool(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
        sides = borders(layer, layer.pool_size)
        more: dict[str, Any] = {"count_include_pad": int(layer.count_include_pad)} if operator == "AveragePool" else {}
        more |= {"p": 2} if operator == "LpPool" else {}
        # Written only where there are any: onnxruntime refuses a quantized AveragePool that tells of dilations of 1.
        more |= {"dilations": list(layer.dilation_rate)} if any(n > 1 for n in layer.dilation_rate) else {}
        x = w.get(inputs[0], FIRST)
        x = w.node("Neg", [x]) if sign else x
        # ONNX allows any border, onnxruntime only one that is narrower than the window.
        wide = any(max(pair) >= size for pair, size in zip(sides or (), layer.pool_size, strict=sides is not None))
        if wide:
            if operator == "AveragePool" and not layer.count_include_pad:
                raise ArgumentError(f"{layer}: expected a border narrower than the window {layer.pool_size} to export, "
                                    f"got {sides}; use count_include_pad=True or a layer of padding before it")
            border = w.scalar(-math.inf if operator == "MaxPool" else 0.0)
            x = w.node("Pad", [x, w.constant(pads_of([(0, 0), (0, 0), *sides]), "pads"), border])
            sides = [(0, 0)] * len(sides)
        y = w.node(operator, [x], kernel_shape=list(layer.pool_size), strides=list(layer.strides), **padded(sides),
                   ceil_mode=int(layer.ceil_mode), **more)
        if wide and layer.ceil_mode:  # what the border became may hold windows that hung over it
            lengths = list(layer.output_shape[1:-1])
            if None in lengths:
                raise open_sizes.not_offered(layer)
            axes = list(range(2, 2 + len(lengths)))
            y = w.node("Slice", [y, *(w.constant(v, n) for v, n in (([0] * len(lengths), "begin"), (lengths, "end"),
                                                                   (axes, "axes")))])
        y = w.node("Neg", [y]) if sign else y
        return w.value(y, layer.output_shape, FIRST)

    return pool


def _global(operator: str) -> Callable[..., ExportedTensor]:
    def pool(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
        x = inputs[0]
        if operator == "ReduceMin":
            y = w.node(operator, [w.get(x, FIRST), w.constant(list(range(2, x.rank)), "axes")], keepdims=1)
        else:
            y = w.node(operator, [w.get(x, FIRST)], **({"p": 2} if operator == "GlobalLpPool" else {}))
        if layer.keepdims:
            return w.value(y, layer.output_shape, FIRST)
        return w.value(w.node("Flatten", [y], axis=1), layer.output_shape, LAST)

    return pool


def _adaptive(operator: str) -> Callable[..., ExportedTensor]:
    def pool(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
        """Dimension by dimension: the mean of means of windows side by side is that of the whole window."""
        y = w.get(inputs[0], FIRST)
        for k, (length, outputs) in enumerate(zip(layer.input_shape[1:-1], layer.output_size, strict=True)):
            axis, parts = w.constant([k + 2], "axes"), []
            for begin, end in adaptive_windows(length, outputs):
                part = w.node("Slice", [y, w.constant([begin], "begin"), w.constant([end], "end"), axis])
                parts.append(w.node(operator, [part, axis], keepdims=1))
            y = w.node("Concat", parts, axis=k + 2)
        return w.value(y, layer.output_shape, FIRST)

    return pool


def _padding(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, order = inputs[0], inputs[0].order
    sides = [(0, 0), *layer.border, (0, 0)] if order == LAST else [(0, 0), (0, 0), *layer.border]
    mode = {"zero": "constant"}.get(layer.mode, layer.mode)
    value = [w.scalar(layer.value)] if layer.value else []
    y = w.node("Pad", [x.names[order], w.constant(pads_of(sides), "pads"), *value], mode=mode)
    return w.value(y, layer.output_shape, order)


def _cropping(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    return _cut(w, inputs[0], layer.border, layer.input_shape, layer.output_shape)


def _cut(w: Writer, x: ExportedTensor, sides: Sequence[Any], old: Sequence[Any], new: Any) -> ExportedTensor:
    order = x.order
    axes = [w.axis(x, k + 1, order) for k in range(len(sides))]
    begins = [pair[0] for pair in sides]
    ends = [(-pair[1] or _END) if length is None else length - pair[1]
            for length, pair in zip(old[1:-1], sides, strict=True)]
    y = w.node("Slice", [x.names[order], *(w.constant(v, n) for v, n in ((begins, "begin"), (ends, "end"),
                                                                        (axes, "axes")))])
    return w.value(y, new, order)


def _framed(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    if is_open(layer.input_shape):
        if type(layer).__name__ != "Resizing" or layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
            raise open_sizes.not_offered(layer)
        y = _by_size(w, layer, w.get(inputs[0], FIRST), layer.input_shape[1:3], layer.size, layer.how)
        return w.value(y, layer.output_shape, FIRST)
    x, border, (n, *size, c) = inputs[0], layer.border, layer.input_shape
    framed = (n, *with_border((size[0], size[1]), border), c)
    if min(map(min, border)) < 0:
        x = _cut(w, x, [(-before, -after) for before, after in border], layer.input_shape, framed)
    elif border != NO_BORDER:
        pads = w.constant(pads_of([(0, 0), (0, 0), *border]), "pads")
        x = w.value(w.node("Pad", [w.get(x, FIRST), pads, w.scalar(layer.fill_value)]), framed, FIRST)
    if framed[1:3] == layer.size:
        return x
    return w.value(_by_size(w, layer, w.get(x, FIRST), framed[1:3], layer.size, layer.how), layer.output_shape, FIRST)


def _upsampling(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    scales = w.constant([1.0, 1.0, *map(float, layer.size)], "scales", "float32")
    all_ways: dict[str, dict[str, Any]] = {
        "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
        "bicubic": {"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75},
    }
    how = all_ways[getattr(layer, "interpolation", "nearest")]
    return w.value(w.node("Resize", [w.get(inputs[0], FIRST), "", scales], **how), layer.output_shape, FIRST)


def _resize(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    how, old, new = layer.how, layer.input_shape[1:-1], list(layer.output_shape[1:-1])
    more: dict[str, Any] = {}
    if layer.scale is None:
        given = "sizes"
    else:
        scales = list(layer.scale) * (1 if len(layer.scale) > 1 else len(new))
        given = "scales" if all(n is None or scaled_length(n, s) == m for n, s, m in zip(
            old, scales, new, strict=True)) else "sizes"
        if given == "sizes":
            more = {"keep_aspect_ratio_policy": _policy(layer, old, new, scales)}
    x = w.get(inputs[0], FIRST)
    if more:  # the rule is for these dimensions alone
        more["axes"] = list(range(2, 2 + len(new)))
        y = _resize_node(w, x, ["", w.constant(new, "sizes")], how, **more)
    elif given == "sizes":
        y = _by_size(w, layer, x, old, new, how)
    else:
        y = _resize_node(w, x, [w.constant([1.0, 1.0, *scales], "scales", "float32")], how)
    return w.value(y, layer.output_shape, FIRST)


def _by_size(w: Writer, layer: Any, x: str, old: Sequence[Any], new: Sequence[int], how: Interpolation) -> str:
    """Write a Resize to a size and return the name of its output."""
    if None in old and how.mode == "cubic":  # onnxruntime has no cubic one by computed sizes
        raise open_sizes.not_offered(layer)
    if how.mode != "nearest" and None not in old:
        return _resize_node(w, x, [w.constant([1.0, 1.0, *map(_scale, old, new)], "scales", "float32")], how)
    # onnxruntime loses its way where it moves a Transpose past a Resize with `axes`
    whole = w.node("Concat", [w.node("Shape", [x], start=0, end=2), w.constant(list(new), "sizes")], axis=0)
    return _resize_node(w, x, ["", whole], how)


def _resize_node(w: Writer, x: str, wanted: list[str], how: Interpolation, **more: Any) -> str:
    return w.node("Resize", [x, "", *wanted], mode=how.mode, coordinate_transformation_mode=how.coordinates,
                  nearest_mode=how.rounding, cubic_coeff_a=how.a, antialias=int(how.antialias),
                  exclude_outside=int(how.exclude_outside), **more)


def _scale(old: int, new: int) -> float:
    """Return the scale of single precision that makes a length of another, rounding down in either precision."""
    scale = np.float32(new / old)
    return float(scale if old * float(scale) >= new else np.nextafter(scale, np.float32(np.inf)))


def _policy(layer: Any, old: Sequence[int], new: Sequence[int], scales: Sequence[float]) -> str:
    """Return the rule by which ONNX makes sizes and a scale of sizes: one scale, the smallest or the largest of all."""
    ratios = [m / n for n, m in zip(old, new, strict=True)]
    if len(set(scales)) == 1 and all(math.floor(n * scales[0] + 0.5) == m for n, m in zip(old, new, strict=True)):
        for name, scale in (("not_larger", min(ratios)), ("not_smaller", max(ratios))):
            if math.isclose(scale, scales[0], rel_tol=1e-6):
                return name
    raise ArgumentError(f"{layer}: expected a size that the scale {layer.scale} makes, to export, got {tuple(new)}; "
                        f"leave out one of the two")


TABLE: dict[str, Any] = {"Resize": _resize, "Resizing": _framed, "CenterCrop": _framed,
                         "RandomCrop": _framed}
for _n in (1, 2, 3):
    TABLE.update({
        f"MaxPooling{_n}D": _pool("MaxPool"), f"AveragePooling{_n}D": _pool("AveragePool"),
        f"MinPooling{_n}D": _pool("MaxPool", True), f"L2Pooling{_n}D": _pool("LpPool"),
        f"GlobalMaxPooling{_n}D": _global("GlobalMaxPool"), f"GlobalAveragePooling{_n}D": _global("GlobalAveragePool"),
        f"GlobalMinPooling{_n}D": _global("ReduceMin"), f"GlobalL2Pooling{_n}D": _global("GlobalLpPool"),
        f"AdaptiveMaxPooling{_n}D": _adaptive("ReduceMax"), f"AdaptiveAveragePooling{_n}D": _adaptive("ReduceMean"),
        f"ZeroPadding{_n}D": _padding, f"Padding{_n}D": _padding, f"Cropping{_n}D": _cropping,
        f"UpSampling{_n}D": _upsampling,
    })
