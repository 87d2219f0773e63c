"""Functions of single numbers, however they are written out: x Sigmoid(x), x Min(Max(x + 3, 0), 6) / 6, ...

    Swish, HardSwish, Mish, Gelu (erf and tanh), Softplus, Softsign, LogSigmoid, Sigmoid, Tanh, Relu, Clip, LeakyRelu,
    Elu, HardSigmoid, Shrink, Threshold

A function with parameters is asked at a few places for them, and then tried as the others are.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx.rewrite.numbers import elu, gelu, hard_sigmoid, leaky_relu, sigmoid, softplus
from fastcnn.onnx.rewrite.patterns import Patterns
from fastcnn.onnx.rewrite.regions import Region, is_elementwise, regions

_FAR = 1e4
_FEW = np.array([-9.5, -3.1, -1.3, -0.4, 0.3, 1.1, 2.7, 6.4])
_EVERYWHERE = np.concatenate([np.linspace(-12, 12, 481), *(s * np.geomspace(1e-3, _FAR, 40) for s in (-1, 1))])

#: A function of ONNX's: operator, attributes, and the function of arrays.
_Candidate = tuple[str, dict[str, Any], Callable[[Any], Any]]

_FIXED: list[_Candidate] = [
    ("Relu", {}, lambda x: np.maximum(x, 0)), ("Sigmoid", {}, sigmoid), ("Tanh", {}, np.tanh),
    ("Softplus", {}, softplus), ("Softsign", {}, lambda x: x / (1 + np.abs(x))),
    ("LogSigmoid", {}, lambda x: -softplus(-x)), ("Swish", {}, lambda x: x * sigmoid(x)),
    ("HardSwish", {}, lambda x: x * hard_sigmoid(x, alpha=1 / 6)), ("Mish", {}, lambda x: x * np.tanh(softplus(x))),
    ("Gelu", {}, gelu), ("Gelu", {"approximate": "tanh"}, lambda x: gelu(x, approximate="tanh")),
]


def gate(p: Patterns, node: OnnxNode) -> bool:
    """Put one node in the place of the longest chain that ends with this one and is a function above."""
    best: tuple[Region, _Candidate] | None = None
    for region in regions(p, node, is_elementwise):
        candidate = _recognized(region)
        best = best if candidate is None else (region, candidate)
    if best is None:
        return False
    region, (operator, attributes, _) = best
    if (operator, attributes) == (node.operator, node.attributes):  # a rectifier of a rectifier
        return False
    p.put(node, [other for other in region.nodes if other is not node],
          replace(node, operator=operator, inputs=(region.source,), attributes=attributes))
    return True


def _recognized(region: Region) -> _Candidate | None:
    constants = sorted({abs(number) for number in region.numbers.values() if 1e-4 < abs(number) < 1e3})
    left = _agreeing(region, _FEW, list(_candidates(region, constants)))  # which is none, mostly
    if not left:
        return None
    places = [sign * c * near for sign in (-1, 1) for c in constants for near in (1, 0.999, 1.001)]
    found = _agreeing(region, np.concatenate([_EVERYWHERE, places]), left)
    return found[0] if found else None


def _agreeing(region: Region, x: np.ndarray, candidates: list[_Candidate]) -> list[_Candidate]:
    """Return the candidates that are what a region makes of numbers, to a hundred thousandth of its values."""
    y = region(x)
    if y is None or np.shape(y) != x.shape or np.asarray(y).dtype.kind != "f":
        return []
    finite = np.isfinite(y)  # log(1 + exp(x)) is infinite where softplus is not
    if finite.mean() < 0.8:
        return []
    x, y = x[finite], y[finite]
    bound = 1e-5 * np.maximum(min(1.0, float(np.ptp(y))), np.abs(y))
    with np.errstate(all="ignore"):
        return [one for one in candidates if np.all(np.abs(one[2](x) - y) <= bound)]


def _candidates(region: Region, constants: list[float]) -> Iterator[_Candidate]:
    yield from _FIXED
    probes = region(np.array([-_FAR, _FAR, -1, 0, -1 / 1024, 1 / 1024]))
    if np.shape(probes) != (6,):
        return
    low, high, below, zero, before, after = map(float, probes)
    if not all(map(math.isfinite, (low, high, below, zero))):
        return
    if low < high and (low > -_FAR or high < _FAR):
        bounds = {"min": low} if high == _FAR else {"max": high} if low == -_FAR else {"min": low, "max": high}
        yield "Clip", bounds, lambda x: np.clip(x, bounds.get("min"), bounds.get("max"))
    if 0 < -below < 1:
        yield "LeakyRelu", {"alpha": -below}, lambda x: leaky_relu(x, alpha=-below)
    if low < 0:
        yield "Elu", {"alpha": -low}, lambda x: elu(x, alpha=-low)
    alpha = 512 * (after - before)
    if 0 < zero < 1 and alpha > 0:
        yield "HardSigmoid", {"alpha": alpha, "beta": zero}, lambda x: hard_sigmoid(x, alpha=alpha, beta=zero)
    for c in constants:
        yield _threshold(c, low)
        yield _threshold(-c, low)
        yield _shrink(c, _FAR - high)


def _threshold(theta: float, value: float) -> _Candidate:
    return "Threshold", {"theta": theta, "value": value}, lambda x: np.where(x <= theta, value, x)


def _shrink(size: float, bias: float) -> _Candidate:
    return ("Shrink", {"lambd": size, "bias": bias},
            lambda x: np.where(np.abs(x) <= size, 0, x - bias * np.sign(x)))
