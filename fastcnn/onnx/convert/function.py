"""Elementary functions, powers and quotients, comparisons, and choices between two values."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View
from fastcnn.onnx.convert.merge import affine, arithmetic, together

_ONE, _ZERO = np.ones(()), np.zeros(())


def _simple(name: str, layer: Any) -> None:
    """Let an operator of single numbers without attributes become a layer."""

    def convert(im: Importer, x: View, *, node: OnnxNode) -> View:
        return x.on(im.apply(node, layer, x.tensor))

    converter(name)(convert)


for _name, _layer in (("Abs", layers.Abs), ("Sqrt", layers.Sqrt), ("Log", layers.Log), ("Round", layers.Round),
                      ("Reciprocal", layers.Reciprocal), ("Sign", layers.Sign), ("Floor", layers.Floor),
                      ("Ceil", layers.Ceil), ("Erf", layers.Erf), ("Not", layers.IsZero)):
    _simple(_name, _layer)


# --- powers and quotients ---------------------------------------------------------------------------------------------


@converter("Pow")
def power(im: Importer, x: Any, exponent: Any, *, node: OnnxNode) -> View:
    if not isinstance(x, View):  # b^x = exp(x log b)
        base = im.constant(x, "a base").astype(np.float64)
        if base.min(initial=1) <= 0:
            raise NotOfferedError(f"a power of {base.min()}")
        y = affine(im, exponent, np.log(base), _ZERO, node)
        return y.on(im.apply(node, layers.Activation, y.tensor, "exponential"))
    value = im.constant(exponent, "an exponent")
    if value.size != 1:
        raise NotOfferedError("a power whose exponent is not one number")
    return raised(im, x, float(str(value.reshape(-1)[0])), node)


def raised(im: Importer, x: View, exponent: float, node: OnnxNode) -> View:
    """Return x^exponent, by the simplest layers."""
    if exponent == 2:
        return x.on(im.apply(node, layers.Multiply, [x.tensor, x.tensor]))
    if exponent in (0.5, -0.5):
        y = x.on(im.apply(node, layers.Sqrt, x.tensor))
        return y if exponent > 0 else raised(im, y, -1, node)
    if exponent == -1:
        return x.on(im.apply(node, layers.Reciprocal, x.tensor))
    return x if exponent == 1 else x.on(im.apply(node, layers.Power, x.tensor, exponent))


@converter("Div")
def quotient(im: Importer, a: Any, b: Any, *, node: OnnxNode, axis: int | None = None, broadcast: int = 0) -> View:
    """a / b; by a computed value as a product with its reciprocal."""
    if not isinstance(b, View):
        return arithmetic(im, a, b, node=node, axis=axis, broadcast=broadcast)
    inverse = raised(im, b, -1, node)
    if not isinstance(a, View):
        return affine(im, inverse, a.astype(np.float64), _ZERO, node)
    tensors, back = together(im, (a, inverse))
    return back(im.apply(node, layers.Multiply, tensors))


# --- comparisons ------------------------------------------------------------------------------------------------------


def _difference(im: Importer, a: Any, b: Any, node: OnnxNode) -> View:
    if isinstance(a, View) and isinstance(b, View):
        tensors, back = together(im, (a, b))
        return back(im.apply(node, layers.Subtract, tensors))
    if isinstance(a, View):
        return affine(im, a, _ONE, -b.astype(np.float64), node)
    return affine(im, b, -_ONE, a.astype(np.float64), node)


def _is_zero(im: Importer, x: View, node: OnnxNode) -> View:
    return x.on(im.apply(node, layers.IsZero, x.tensor))


def _at_least(im: Importer, a: Any, b: Any, node: OnnxNode) -> View:
    """Return 1 where a >= b, else 0."""
    difference = _difference(im, a, b, node)
    return difference.on(im.apply(node, layers.Step, difference.tensor))


_COMPARISONS: dict[str, Callable[..., View]] = {
    "GreaterOrEqual": _at_least,
    "LessOrEqual": lambda im, a, b, node: _at_least(im, b, a, node),
    "Greater": lambda im, a, b, node: _is_zero(im, _at_least(im, b, a, node), node),
    "Less": lambda im, a, b, node: _is_zero(im, _at_least(im, a, b, node), node),
    "Equal": lambda im, a, b, node: _is_zero(im, _difference(im, a, b, node), node),
    "Xor": lambda im, a, b, node: _is_zero(im, _is_zero(im, _difference(im, a, b, node), node), node),
}


@converter(*_COMPARISONS)
def comparison(im: Importer, a: Any, b: Any, *, node: OnnxNode) -> View:
    """1 where it is so, else 0; without a gradient."""
    return _COMPARISONS[node.operator](im, a, b, node)


@converter("And", "Or")
def both(im: Importer, a: Any, b: Any, *, node: OnnxNode) -> View:
    if not isinstance(a, View) or not isinstance(b, View):
        raise NotOfferedError(f"{node.operator} of values and constants")
    tensors, back = together(im, (a, b))
    return back(im.apply(node, layers.Multiply if node.operator == "And" else layers.Maximum, tensors))


# --- choices ----------------------------------------------------------------------------------------------------------


@converter("Where")
def where(im: Importer, condition: Any, a: Any, b: Any, *, node: OnnxNode) -> View:
    """A choice of two values; with constants, number by number, as a sum of products with the condition."""
    if not isinstance(condition, View):
        return _where_known(im, condition.astype(bool), a, b, node)
    if not isinstance(a, View) and not isinstance(b, View):  # a c + b (1 - c)
        a, b = (v.astype(np.float64) for v in (a, b))
        return affine(im, condition, a - b, b, node)
    # A constant stands beside the condition, in the condition's shape: 0 times x would be no number where x is none.
    views = [v if isinstance(v, View) else affine(im, condition, _ZERO, v.astype(np.float64), node) for v in (a, b)]
    tensors, back = together(im, (condition, *views))
    return back(im.apply(node, layers.Where, tensors))


def _where_known(im: Importer, condition: np.ndarray, a: Any, b: Any, node: OnnxNode) -> View:
    """Return what a constant condition chooses: one of the two, or the sum of both with 0 in place of the rest."""
    if condition.size == 1 and isinstance(chosen := a if condition.all() else b, View):
        return chosen
    parts = [(v, mask.astype(np.float64)) for v, mask in ((a, condition), (b, ~condition))]
    (x, mask), *others = sorted(parts, key=lambda part: not isinstance(part[0], View))
    other, rest = others[0]
    if not isinstance(other, View):
        return affine(im, x, mask, np.where(rest != 0, other.astype(np.float64), 0), node)
    tensors, back = together(im, [affine(im, v, m, _ZERO, node) for v, m in parts])
    return back(im.apply(node, layers.Add, tensors))
