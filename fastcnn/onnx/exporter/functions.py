"""Elementary functions, choices, and lengths as ONNX writes them."""

from collections.abc import Callable
from typing import Any

from fastcnn.onnx.exporter.elements import aligned, common
from fastcnn.onnx.exporter.writer import ExportedTensor, Writer

_BOOL = 9


def _function(operator: str) -> Callable[..., ExportedTensor]:
    return lambda w, layer, inputs: w.elementwise(operator, inputs[0])


def _is_zero(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    return w.elementwise("Cast", w.elementwise("Equal", inputs[0], w.scalar(0)), to=_float(w))


def _float(w: Writer) -> int:
    return 1 if w.dtype == "float32" else 11


def _power(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    return w.elementwise("Pow", inputs[0], w.scalar(layer.exponent, "exponent"))


def _where(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    values = aligned(w, inputs)
    order = common(values)
    condition, *others = (w.get(value, order) for value in values)
    y = w.node("Where", [w.node("Cast", [condition], to=_BOOL), *others])
    return w.value(y, layer.output_shape, order)


def _top(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, order = inputs[0], inputs[0].order
    y, at = w.node("TopK", [x.names[order], w.constant([layer.k], "k")], 2, axis=w.axis(x, layer.axis, order))
    if layer.indices:
        y = w.node("Cast", [at], to=_float(w))
    return w.value(y, layer.output_shape, order)


def _axes(w: Writer, layer: Any, x: ExportedTensor) -> str:
    return w.constant([w.axis(x, axis, x.order) for axis in layer.axis], "axes")


def _unit(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, order = inputs[0], inputs[0].order
    length = w.node("ReduceL2", [x.names[order], _axes(w, layer, x)], keepdims=1)
    return w.elementwise("Div", x, w.node("Max", [length, w.scalar(layer.epsilon, "epsilon")]))


def _root_mean_square(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x = inputs[0]
    square = w.elementwise("Mul", x, x.names[x.order]).names[x.order]
    mean = w.node("ReduceMean", [square, _axes(w, layer, x)], keepdims=1)
    root = w.node("Sqrt", [w.node("Add", [mean, w.scalar(layer.epsilon, "epsilon")])])
    axes = sorted(axis % x.rank for axis in layer.axis)
    shape = [n if axis in axes else 1 for axis, n in enumerate(x.shape)][1:]
    return w.elementwise("Mul", w.elementwise("Div", x, root),
                         w.over_sample(layer.scale.array.reshape(shape), x, "scale"))


TABLE: dict[str, Any] = {name: _function(name) for name in (
    "Abs", "Ceil", "Erf", "Floor", "Log", "Reciprocal", "Round", "Sign", "Sqrt")}
TABLE.update({"IsZero": _is_zero, "Power": _power, "RMSNormalization": _root_mean_square, "TopK": _top,
              "UnitNormalization": _unit, "Where": _where})
