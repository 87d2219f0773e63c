"""Activation layers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.kernels import codes
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, laid_out
from fastcnn.onnx.convert.merge import in_memory, plain, scaled
from fastcnn.onnx.convert.norm import along
from fastcnn.onnx.operators.activations import SELU_ALPHA, SELU_GAMMA, aligned_slope
from fastcnn.operations.activation import Elementwise


def _simple(name: str, layer: Any, *args: Any) -> None:
    """Let an operator of single numbers without attributes become a layer."""

    def convert(im: Importer, x: View, *, node: OnnxNode) -> View:
        return x.on(im.apply(node, layer, x.tensor, *args))

    converter(name)(convert)


_simple("Relu", layers.ReLU)
_simple("Sigmoid", layers.Sigmoid)
_simple("Tanh", layers.Tanh)
_simple("Softplus", layers.Activation, "softplus")
_simple("Softsign", layers.Activation, "softsign")
_simple("Mish", layers.Activation, "mish")
_simple("HardSwish", layers.Activation, "hard_silu")
_simple("LogSigmoid", layers.Activation, "log_sigmoid")  # no operator of ONNX, but what several of them are
_simple("Exp", layers.Activation, "exponential")


@converter("LeakyRelu")
def leaky_relu(im: Importer, x: View, *, node: OnnxNode, alpha: float = 0.01) -> View:
    return x.on(im.apply(node, layers.LeakyReLU, x.tensor, plain(alpha)))


@converter("ThresholdedRelu")
def thresholded_relu(im: Importer, x: View, *, node: OnnxNode, alpha: float = 1.0) -> View:
    return x.on(im.apply(node, layers.ThresholdedReLU, x.tensor, plain(alpha)))


@converter("Elu")
def elu(im: Importer, x: View, *, node: OnnxNode, alpha: float = 1.0) -> View:
    return x.on(im.apply(node, layers.ELU, x.tensor, plain(alpha)))


@converter("Celu")
def celu(im: Importer, x: View, *, node: OnnxNode, alpha: float = 1.0) -> View:
    return x.on(im.apply(node, layers.CELU, x.tensor, plain(alpha)))


@converter("Selu")
def selu(im: Importer, x: View, *, node: OnnxNode, alpha: float = SELU_ALPHA, gamma: float = SELU_GAMMA) -> View:
    if abs(alpha - SELU_ALPHA) < 1e-4 and abs(gamma - SELU_GAMMA) < 1e-4:
        return x.on(im.apply(node, layers.SELU, x.tensor))
    return x.on(im.apply(node, layers.SELU, x.tensor, plain(alpha), plain(gamma)))


@converter("HardSigmoid")
def hard_sigmoid(im: Importer, x: View, *, node: OnnxNode, alpha: float = 0.2, beta: float = 0.5) -> View:
    return x.on(im.apply(node, layers.HardSigmoid, x.tensor, plain(alpha), plain(beta)))


@converter("Swish")
def swish(im: Importer, x: View, *, node: OnnxNode, alpha: float = 1.0) -> View:
    if alpha == 1:
        return x.on(im.apply(node, layers.SiLU, x.tensor))
    gate = im.apply(node, layers.Sigmoid, scaled(im, x, plain(alpha), 0.0).tensor)
    return x.on(im.apply(node, layers.Multiply, [x.tensor, gate]))


@converter("Gelu")
def gelu(im: Importer, x: View, *, node: OnnxNode, approximate: str = "none") -> View:
    return x.on(im.apply(node, layers.GELU, x.tensor, approximate == "tanh"))


@converter("Shrink")
def shrink(im: Importer, x: View, *, node: OnnxNode, bias: float = 0.0, lambd: float = 0.5) -> View:
    function = Elementwise("soft_shrink", codes.SHRINK, plain(lambd), plain(bias))
    return x.on(im.apply(node, layers.Activation, x.tensor, function))


@converter("Threshold")
def threshold(im: Importer, x: View, *, node: OnnxNode, theta: float, value: float) -> View:
    """x where it is larger than theta, else a value: no operator of ONNX, but what several of them are."""
    function = Elementwise("threshold", codes.THRESHOLD, plain(theta), plain(value))
    return x.on(im.apply(node, layers.Activation, x.tensor, function))


@converter("PRelu")
def prelu(im: Importer, x: View, slope: Any, *, node: OnnxNode, opset: int) -> View:
    rank = len(x.dims) + 1
    alpha = aligned_slope(im.constant(slope, "a slope"), (im.batch, *x.shape), opset)
    if alpha.ndim > rank or np.broadcast_shapes(alpha.shape, (1, *x.shape)) != (1, *x.shape):
        raise NotOfferedError(f"a slope of shape {alpha.shape} with a value of shape {(None, *x.shape)}")
    by_atom = in_memory(x, alpha)
    shared = tuple(axis for axis, n in enumerate(by_atom.shape, 1) if n == 1) or None
    tensor = im.shaped(x.tensor, x.sizes)
    return x.on(im.apply(node, layers.PReLU, tensor, shared_axes=shared, alpha_initializer="zeros", weights=[by_atom]))


@converter("Clip")
def clip(im: Importer, x: View, low: Any = None, high: Any = None, *, node: OnnxNode, min: float | None = None,
         max: float | None = None) -> View:
    lower, upper = (given if value is None else im.constant(value, "a bound").astype(np.float64).item()
                    for value, given in ((low, min), (high, max)))
    largest = float(np.finfo(np.float32).max)
    lower = None if lower is None or lower <= -largest else plain(lower)
    upper = None if upper is None or upper >= largest else plain(upper)
    if lower is None and upper is None:
        return x
    if lower == 0:
        return x.on(im.apply(node, layers.ReLU, x.tensor, upper))
    return x.on(im.apply(node, layers.Clip, x.tensor, lower, upper))


def _softmax(im: Importer, x: View, node: OnnxNode, layer: Callable[..., Any], axis: int | None, opset: int) -> View:
    if opset < 13:  # all dimensions from `axis` on together
        axis = x.axis(1 if axis is None else axis)
        if axis == 1:
            return x.on(im.apply(node, layer, im.flat(x)))
        if axis > 1 and any(n != 1 for n in x.shape[axis:]):
            return along(im, node, x, range(axis - 1, len(x.dims)), layer, [])
    axis = x.axis(-1 if axis is None else axis)
    if axis == 0:
        raise NotOfferedError("softmax over the batch")
    if len(x.dims) == 1:
        return laid_out(im.apply(node, layer, im.arranged(x, x.dims)))
    tensor, back = im.with_last(x, axis - 1)
    return back(im.apply(node, layer, tensor))


@converter("Softmax")
def softmax(im: Importer, x: View, *, node: OnnxNode, axis: int | None = None, opset: int) -> View:
    return _softmax(im, x, node, layers.Softmax, axis, opset)


@converter("LogSoftmax")
def log_softmax(im: Importer, x: View, *, node: OnnxNode, axis: int | None = None, opset: int) -> View:
    return _softmax(im, x, node, layers.LogSoftmax, axis, opset)
