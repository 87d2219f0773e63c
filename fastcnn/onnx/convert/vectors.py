"""Normalizations that a file writes out by hand, as `fastcnn.onnx.rewrite.normalizations` found them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._fold_affine import composed
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, channels_last
from fastcnn.onnx.convert.norm import along, grouped, instance_normalization

_LEAST = float(np.finfo(np.float32).tiny)  # where a file adds nothing


def _axes(im: Importer, x: View, axes: list[int], values: tuple[Any, ...], given: Sequence[str]) -> list[int]:
    """Return the dimensions without the batch, where the shapes that parts of it were given are those of its kind.

    Parameters
    ----------
    im : Importer
    x : View
    axes : list of int
        The file's.
    values : tuple of array
    given : sequence of str
        What each is: the shape of an Expand, no larger than x's, or of a Reshape, x's with 1 for each of the axes; or
        the scale or offset.
    """
    over = sorted({x.axis(axis) - 1 for axis in axes})
    if over[0] < 0:
        raise NotOfferedError("a normalization over the batch")
    whole = (im.batch, *x.shape)
    around = (im.batch, *(1 if axis in over else n for axis, n in enumerate(x.shape)))
    shapes = [(v, what) for v, what in zip(values, given, strict=True) if what in ("Expand", "Reshape")]
    for shape, operator in ((tuple(im.constant(v, "a shape").tolist()), what) for v, what in shapes):
        fits = shape == around if operator == "Reshape" else np.broadcast_shapes(whole, shape) == whole
        if not fits:
            raise NotOfferedError(f"a normalization of {[None, *x.shape]} with {operator} to {list(shape)}")
    return over


def _numbers(im: Importer, node: OnnxNode, x: View, over: list[int], operators: tuple[str, ...],
             values: tuple[Any, ...], given: Sequence[str]) -> tuple[np.ndarray, np.ndarray, str]:
    """Return scale and offset: those of the node, with the constants, of no other dimensions, that follow it.

    Returns
    -------
    array, array
        Scale and offset, with all of the file's dimensions.
    str
        The name of the last value.
    """
    shape = (1, *(n if axis in over else 1 for axis, n in enumerate(x.shape)))
    own = {what: im.constant(v, f"a {what}").astype(np.float64) for v, what in zip(values, given, strict=True)}
    scale, offset = (np.broadcast_to(own.get(what, np.full(1, default)), shape)
                     for what, default in (("scale", 1.0), ("offset", 0.0)))
    name = node.outputs[0]
    while (after := im.following(name)) is not None and not after.domain and after.operator in operators and (
            len(after.inputs) == 2):
        other = after.inputs[0] if after.inputs[1] == name else after.inputs[1]
        value = im.known(other)
        if value is None or other == name or value.ndim > len(shape) or not im.is_for_any_batch(other) or (
                after.operator == "Div" and after.inputs[1] == name):
            break
        try:
            numbers = np.broadcast_to(value.astype(np.float64), shape)
        except ValueError:
            break
        scale, offset = composed(after, name, scale, offset, numbers)
        im.absorbed.add(id(after))
        name = after.outputs[0]
    return scale, offset, name


@converter("Standardize")
def standardize(im: Importer, x: View, *values: Any, node: OnnxNode, axes: list[int], epsilon: float,
                given: Sequence[str]) -> View:
    """Groups of channels, channels alone, or whole dimensions together."""
    over = _axes(im, x, axes, values, given)
    epsilon = epsilon or _LEAST
    positions = list(range(1, len(x.dims)))
    has_own = not {"scale", "offset"}.isdisjoint(given)
    if over == positions and len(x.dims) == 2 and len(x.order) > 2 and not has_own:  # (N, groups, the rest)
        ones = np.ones(x.shape[0])
        return instance_normalization(im, x, ones, 0 * ones, node=node, epsilon=epsilon)
    if over == positions and len(x.dims) > 2:
        return grouped(im, node, x, x.shape[0], epsilon, np.ones(x.shape[0]), np.zeros(x.shape[0]))
    scale, offset, later = _numbers(im, node, x, over, ("Add", "Sub", "Mul", "Div"), values, given)
    if len(over) > 1 and len(over) == len(x.dims) and all(_by_channel(v) for v in (scale, offset)):
        weights = [v.reshape(x.shape[0], -1)[:, 0] for v in (scale, offset)]
        y = channels_last(im.apply(node, layers.GroupNormalization, im.image(x), 1, epsilon=epsilon, weights=weights))
        return im.also(node, (later, ()), y)
    has = bool((scale != 1).any()), bool(offset.any())
    y = along(im, node, x, over, layers.LayerNormalization, [v for v, there in zip((scale, offset), has) if there],
              epsilon=epsilon, scale=has[0], center=has[1])
    return im.also(node, (later, ()), y)


def _by_channel(numbers: np.ndarray) -> bool:
    """Return whether numbers (1, C, ...) differ along the channels alone."""
    rows = numbers.reshape(numbers.shape[1], -1)
    return bool((rows == rows[:, :1]).all())


@converter("RootMeanSquare")
def root_mean_square(im: Importer, x: View, *values: Any, node: OnnxNode, axes: list[int], epsilon: float,
                     given: Sequence[str]) -> View:
    over = _axes(im, x, axes, values, given)
    scale, _, later = _numbers(im, node, x, over, ("Mul", "Div"), values, given)
    y = along(im, node, x, over, layers.RMSNormalization, [scale], epsilon=epsilon or _LEAST)
    return im.also(node, (later, ()), y)


@converter("UnitNormalize")
def unit(im: Importer, x: View, *values: Any, node: OnnxNode, axes: list[int], epsilon: float,
         given: Sequence[str]) -> View:
    over = _axes(im, x, axes, values, given)
    return along(im, node, x, over, layers.UnitNormalization, [], epsilon=max(epsilon, 1e-18))


@converter("LpNormalization")
def lp_normalization(im: Importer, x: View, *, node: OnnxNode, axis: int = -1, p: int = 2) -> View:
    if p != 2:
        raise NotOfferedError(f"LpNormalization with p={p}")
    return unit(im, x, node=node, axes=[axis], epsilon=0.0, given=())
