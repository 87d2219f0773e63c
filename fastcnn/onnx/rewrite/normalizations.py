"""Functions of vectors along axes, written out by hand::

    Standardize       (x - mean(x)) / sqrt(variance(x) + epsilon)         layer, group and instance normalization
    RootMeanSquare    x / sqrt(mean(x^2) + epsilon)
    UnitNormalize     x / max(|x|, epsilon)

A vector of the file's may be multiplied and another one added among the nodes. They are no operators of ONNX: what the
importer makes of them depends on which axes they name.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx.rewrite.numbers import REDUCTIONS
from fastcnn.onnx.rewrite.patterns import Patterns
from fastcnn.onnx.rewrite.regions import SHAPING, Region, axes_of, is_elementwise, regions

_LAST = ("Add", "Div", "Mul", "Sub")

#: The operator, the axes, epsilon, and the names of vectors by what they are: "scale", "offset".
_Found = tuple[str, tuple[int, ...], float, list[tuple[str, str]]]

_TINY = 1e-6  # below which it makes no difference whether a length is at least that, or has it added


def normalization(p: Patterns, node: OnnxNode) -> bool:
    """Put one node in the place of the longest chain that ends with this one and is a function above."""
    best: tuple[Region, _Found, list[tuple[str, str]]] | None = None
    for region in regions(p, node, _is_known) if node.operator in _LAST else ():
        found = _recognized(region)
        shapes = None if found is None else _shapes(p, region, found[1])
        if found is not None and shapes is not None:
            best = region, found, shapes
    if best is None:
        return False
    region, (operator, axes, epsilon, vectors), shapes = best
    given = [*shapes, *vectors]
    p.put(node, [other for other in region.nodes if other is not node],
          replace(node, operator=operator, inputs=(region.source, *(name for _, name in given)),
                  attributes={"axes": list(axes), "epsilon": epsilon, "given": [kind for kind, _ in given]}))
    return True


def _is_known(p: Patterns, node: OnnxNode) -> bool:
    if node.domain or node.operator not in (*REDUCTIONS, *SHAPING):
        return is_elementwise(p, node) or (not node.domain and node.operator in _LAST and all(
            name in p.moving or p.number(name) is not None or p.vector(name) is not None for name in node.inputs))
    return axes_of(p, node) is not None if node.operator in REDUCTIONS else len(node.inputs) == 2


def _shapes(p: Patterns, region: Region, axes: tuple[int, ...]) -> list[tuple[str, str]] | None:
    """Return the constant shapes of nodes, which the importer checks, with their operators; None if one is unknown."""
    found = []
    for node in (node for node in region.nodes if node.operator in SHAPING):
        name = node.inputs[1]
        value, maker = p.constant(name), p.maker.get(name)
        if node.operator == "Unsqueeze":
            if value is None or set(value.tolist()) != set(axes):
                return None
        elif value is not None:
            found.append((node.operator, name))
        elif node.operator == "Reshape" or maker is None or maker.operator != "Shape" or maker.attributes or (
                maker.inputs[0] != region.source):
            return None
    return found


def _recognized(region: Region) -> _Found | None:
    axes = set(region.axes.values())
    if len(axes) != 1 or not region.has_its_axes():
        return None
    over = axes.pop()
    vectors = {name: v for name, v in region.numbers.items() if isinstance(v, np.ndarray)}
    shape = _shape(over, list(vectors.values()))
    if shape is None:
        return None
    epsilons = [n for name, n in region.numbers.items() if name not in vectors and 0 < n < 0.1]
    scales = [1.0, 20.0, *(near * e**power for e in epsilons for near, power in ((1, 0.5), (0.01, 0.5), (0.01, 1)))]
    draw = np.random.default_rng(0)
    inputs = [scale * (0.5 + draw.standard_normal(shape)) for scale in scales]
    outputs = [region(x) for x in inputs]
    if any(y is None or np.shape(y) != shape for y in outputs):
        return None
    for operator, epsilon, function in _candidates(over, [*epsilons, 0.0]):
        plain = [function(x) for x in inputs]
        for names in _choices(operator, list(vectors)):
            of = dict(names)
            scale, offset = vectors.get(of.get("scale", ""), 1.0), vectors.get(of.get("offset", ""), 0.0)
            if all(np.allclose(scale * z + offset, y, rtol=1e-4, atol=1e-5) for z, y in zip(plain, outputs)):
                return operator, over, epsilon, names
    return None


def _shape(over: tuple[int, ...], vectors: list[np.ndarray]) -> tuple[int, ...] | None:
    """Return the shape of values to try: vectors lie along the one axis, whose place tells the number of dimensions."""
    if not vectors:
        return (2, 3, 4, 3, 2) if all(-5 <= axis < 5 for axis in over) else None
    (axis, *others), ranks = over, set()
    for value in vectors:
        behind = value.ndim - next(at for at, n in enumerate(value.shape) if n != 1)
        ranks.add(axis + behind if axis >= 0 else max(4, behind) if behind == -axis else 0)
    rank = ranks.pop()
    if others or ranks or len({value.size for value in vectors}) > 1 or not 2 <= rank <= 6 or not -rank <= axis < rank:
        return None
    shape = [2, 3, 2, 3, 2, 3][:rank]
    shape[axis] = vectors[0].size
    return tuple(shape)


def _choices(operator: str, names: list[str]) -> Iterator[list[tuple[str, str]]]:
    """Yield which vector may be the scale, and which the offset."""
    if operator == "UnitNormalize":
        yield []
        return
    for scale in (None, *names):
        for offset in (None, *names) if operator == "Standardize" else (None,):
            yield [(kind, name) for kind, name in (("scale", scale), ("offset", offset)) if name is not None]


def _candidates(axes: tuple[int, ...], epsilons: list[float]) -> Iterator[tuple[str, float, Callable[[Any], Any]]]:
    mean = lambda x: x.mean(axes, keepdims=True)
    length = lambda x: REDUCTIONS["ReduceL2"](x, axes)

    def of(epsilon: float) -> list[tuple[str, float, Callable[[Any], Any]]]:
        found: list[tuple[str, float, Callable[[Any], Any]]] = [
            ("Standardize", epsilon, lambda x: (x - mean(x)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)),
            ("RootMeanSquare", epsilon, lambda x: x / np.sqrt(mean(x * x) + epsilon)),
            ("UnitNormalize", epsilon, lambda x: x / np.maximum(length(x), epsilon))]
        floor = math.sqrt(epsilon)
        found.append(("UnitNormalize", floor, lambda x: x / np.maximum(length(x), floor)))
        if epsilon <= _TINY:
            found.append(("UnitNormalize", epsilon, lambda x: x / (length(x) + epsilon)))
        return found

    for epsilon in epsilons:
        yield from of(epsilon)
