"""Activations and merges as ONNX writes them."""

import math
from collections.abc import Callable
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.kernels import codes
from fastcnn.layers.twins import shape_text
from fastcnn.onnx.exporter.writer import FIRST, LAST, ExportedTensor, Writer

_SHORTEST = 1e-7  # a vector is scaled as if it had this length at least, as `layers.Dot` does

_Formula = Callable[[Writer, ExportedTensor, float, float], ExportedTensor]


def _plain(operator: str) -> _Formula:
    return lambda w, x, a, b: w.elementwise(operator, x)


def _alpha(operator: str) -> _Formula:
    return lambda w, x, a, b: w.elementwise(operator, x, alpha=a)


def _clip(w: Writer, x: ExportedTensor, high: float, low: float) -> ExportedTensor:
    return w.elementwise("Clip", x, *("" if math.isinf(bound) else w.scalar(bound) for bound in (low, high)))


def _times(w: Writer, x: ExportedTensor, factor: ExportedTensor) -> ExportedTensor:
    return w.elementwise("Mul", x, w.get(factor, x.order))


def _leaky(w: Writer, x: ExportedTensor, slope: float, threshold: float) -> ExportedTensor:
    """Y = x where threshold < x, else slope (x - threshold)."""
    if threshold == 0:
        return w.elementwise("LeakyRelu", x, alpha=slope)
    above = w.elementwise("Greater", x, w.scalar(threshold))
    below = w.elementwise("Mul", w.elementwise("Sub", x, w.scalar(threshold)), w.scalar(slope))
    order = x.order
    return w.value(w.node("Where", [above.names[order], x.names[order], below.names[order]]), x.shape, order)


def _threshold(w: Writer, x: ExportedTensor, threshold: float, default: float) -> ExportedTensor:
    if default == 0:
        return w.elementwise("ThresholdedRelu", x, alpha=threshold)
    above, order = w.elementwise("Greater", x, w.scalar(threshold)), x.order
    return w.value(w.node("Where", [above.names[order], x.names[order], w.scalar(default)]), x.shape, order)


def _step(w: Writer, x: ExportedTensor, a: float, b: float) -> ExportedTensor:
    kind = 1 if w.dtype == "float32" else 11
    return w.elementwise("Cast", w.elementwise("GreaterOrEqual", x, w.scalar(0)), to=kind)


def _silu(w: Writer, x: ExportedTensor, a: float, b: float) -> ExportedTensor:
    return _times(w, x, w.elementwise("Sigmoid", x))


def _squareplus(w: Writer, x: ExportedTensor, b: float, _: float) -> ExportedTensor:
    root = w.elementwise("Sqrt", w.elementwise("Add", _times(w, x, x), w.scalar(b)))
    return w.elementwise("Mul", w.elementwise("Add", x, w.get(root, x.order)), w.scalar(0.5))


def _sparse_plus(w: Writer, x: ExportedTensor, a: float, b: float) -> ExportedTensor:
    inner = w.elementwise("Add", _clip(w, x, 1.0, -1.0), w.scalar(1))
    square = w.elementwise("Mul", _times(w, inner, inner), w.scalar(0.25))
    return w.elementwise("Add", square, w.get(w.elementwise("Relu", w.elementwise("Sub", x, w.scalar(1))), x.order))


def _tanh_shrink(w: Writer, x: ExportedTensor, a: float, b: float) -> ExportedTensor:
    return w.elementwise("Sub", x, w.get(w.elementwise("Tanh", x), x.order))


def _log_sigmoid(w: Writer, x: ExportedTensor, a: float, b: float) -> ExportedTensor:
    return w.elementwise("Neg", w.elementwise("Softplus", w.elementwise("Neg", x)))


def _scaled_elu(w: Writer, x: ExportedTensor, alpha: float, scale: float) -> ExportedTensor:
    return w.elementwise("Selu", x, alpha=alpha, gamma=scale)


_FORMULAS: dict[int, _Formula] = {
    codes.LINEAR: lambda w, x, a, b: x,
    codes.RELU: _plain("Relu"), codes.STEP: _step, codes.SIGMOID: _plain("Sigmoid"), codes.TANH: _plain("Tanh"),
    codes.LEAKY_RELU: _leaky, codes.ELU: _alpha("Elu"), codes.SELU: _plain("Selu"), codes.SILU: _silu,
    codes.GELU: _plain("Gelu"), codes.GELU_TANH: lambda w, x, a, b: w.elementwise("Gelu", x, approximate="tanh"),
    codes.CLIP: _clip, codes.HARD_SIGMOID: lambda w, x, a, b: w.elementwise("HardSigmoid", x, alpha=a, beta=b),
    codes.HARD_SILU: _plain("HardSwish"), codes.MISH: _plain("Mish"), codes.SOFTPLUS: _plain("Softplus"),
    codes.LOG_SIGMOID: _log_sigmoid, codes.SOFTSIGN: _plain("Softsign"), codes.EXPONENTIAL: _plain("Exp"),
    codes.CELU: _alpha("Celu"), codes.SCALED_ELU: _scaled_elu,
    codes.SHRINK: lambda w, x, a, b: w.elementwise("Shrink", x, lambd=a, bias=b),
    codes.TANH_SHRINK: _tanh_shrink, codes.THRESHOLD: _threshold, codes.SQUAREPLUS: _squareplus,
    codes.SPARSE_PLUS: _sparse_plus,
}


def activated(w: Writer, function: Any, x: ExportedTensor) -> ExportedTensor:
    """Write an activation (`fastcnn.operations.activation`) after a value; None is none."""
    if function is None:
        return x
    for step in getattr(function, "functions", (function,)):
        if hasattr(step, "log"):
            x = _softmax(w, step, x)
        else:
            x = _FORMULAS[step.code](w, x, float(step.alpha), float(step.beta))
    return x


def _softmax(w: Writer, function: Any, x: ExportedTensor) -> ExportedTensor:
    axes = function.axes(x.rank, "softmax")
    operator = "LogSoftmax" if function.log else "Softmax"
    if len(axes) == 1:
        order = x.order
        return w.value(w.node(operator, [x.names[order]], axis=w.axis(x, axes[0], order)), x.shape, order)
    if None in x.shape[1:]:
        raise ArgumentError(f"softmax of several axes: expected known sizes to export, got {shape_text(x.shape)}; "
                            f"export model.for_shape((None, 224, 224, 3)), say")
    # Several axes together: laid side by side at the end, as one.
    rest = [k for k in range(x.rank) if k not in axes]
    turned = w.node("Transpose", [w.get(x, LAST)], perm=[*rest, *axes])
    flat = w.node("Reshape", [turned, w.constant([0, *(x.shape[k] for k in rest[1:]), -1], "shape")])
    y = w.node(operator, [flat], axis=-1)
    y = w.node("Reshape", [y, w.constant([0, *(x.shape[k] for k in [*rest[1:], *axes])], "shape")])
    back = [[*rest, *axes].index(k) for k in range(x.rank)]
    return w.value(w.node("Transpose", [y], perm=back), x.shape, LAST)


def _layer_of_activation(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    return activated(w, layer.function, inputs[0])


def _prelu(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    return w.elementwise("PRelu", inputs[0], w.over_sample(layer.alpha.array, inputs[0], "alpha"))


def _merge(operator: str) -> Callable[..., ExportedTensor]:
    def merge(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
        values = aligned(w, inputs)
        order = common(values)
        names = [w.get(value, order) for value in values]
        if operator == "Sub" or (len(names) == 2 and operator in ("Add", "Mul")):
            return w.value(w.node(operator, names), layer.output_shape, order)
        if operator == "Mul":
            y = names[0]
            for name in names[1:]:
                y = w.node("Mul", [y, name])
            return w.value(y, layer.output_shape, order)
        return w.value(w.node({"Add": "Sum"}.get(operator, operator), names), layer.output_shape, order)

    return merge


def aligned(w: Writer, inputs: list[ExportedTensor]) -> list[ExportedTensor]:
    """Return values of one rank: a gate (N, C) is (N, 1, .., 1, C) to an image."""
    rank = max(value.rank for value in inputs)
    return [value if value.rank == rank else
            w.reshape(value, (None, *(1,) * (rank - value.rank), *value.shape[1:])) for value in inputs]


def common(inputs: list[ExportedTensor]) -> str:
    """Return the order in which most of the inputs are there."""
    firsts = sum(FIRST in value.names for value in inputs)
    return FIRST if 2 * firsts >= len(inputs) else LAST


def _concatenate(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    order = common(inputs)
    y = w.node("Concat", [w.get(value, order) for value in inputs], axis=w.axis(inputs[0], layer.axis, order))
    return w.value(y, layer.output_shape, order)


def _dot(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    """A matrix product of each sample, its matrices turned so that the axes of the sum meet."""
    names = []
    for value, axis, last in zip(inputs, layer.axes, (True, False), strict=True):
        axis = axis % value.rank
        rest = [k for k in range(1, value.rank) if k != axis]
        name, size = w.get(value, LAST), value.shape[axis]
        if layer.normalize:
            length = w.node("ReduceL2", [name, w.constant([axis], "axes")], keepdims=1)
            name = w.node("Div", [name, w.node("Max", [length, w.scalar(_SHORTEST)])])
        turned = w.node("Transpose", [name], perm=[0, *rest, axis] if last else [0, axis, *rest])
        names.append(w.node("Reshape", [turned, w.constant([0, -1, size] if last else [0, size, -1], "shape")]))
    y = w.node("MatMul", names)
    return w.value(w.node("Reshape", [y, w.constant([0, *layer.output_shape[1:]], "shape")]), layer.output_shape, LAST)


TABLE: dict[str, Any] = dict.fromkeys((
    "Activation", "CELU", "Clip", "ELU", "GELU", "HardSiLU", "HardSigmoid", "LeakyReLU", "Linear", "LogSoftmax",
    "Mish", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softplus", "Softsign", "Step", "Tanh",
    "ThresholdedReLU",
), _layer_of_activation)
TABLE.update({
    "Add": _merge("Add"), "Average": _merge("Mean"), "Concatenate": _concatenate, "Dot": _dot, "Maximum": _merge("Max"),
    "Minimum": _merge("Min"), "Multiply": _merge("Mul"), "PReLU": _prelu, "Subtract": _merge("Sub"),
})
