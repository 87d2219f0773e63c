"""Which part of the picture each unit of a layer sees: its receptive field, window by window from the input."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.geometry.arguments import padding_of
from fastcnn.graph import trace
from fastcnn.graph.steps import Graph
from fastcnn.layers import CropLike
from fastcnn.models.network import Network

Interval = tuple[np.ndarray, np.ndarray]  # first pixel, and one past the last, for each row (or column) of units


def receptive_fields(model: Network, layer: str) -> tuple[Interval, Interval]:
    """Return the rows and columns of the picture that the units of a layer see.

    A unit sees what can change it through windows: of convolutions, poolings and what moves pixels. What a
    normalization by the whole picture, or a squeeze and excitation, lets every unit know is the whole picture. A field
    is cut off at the picture's border.

    Parameters
    ----------
    model : Model
        Its first input is pictures (H, W, C).
    layer : str
        The name of a layer whose outputs are feature maps (H', W', K). One of a model inside goes by its path,
        ``inner/conv``, or by its name where no other layer has it.

    Returns
    -------
    rows, columns : pair of arrays of int
        For each row of units its first pixel row, and one past the last; the same for columns.

    Raises
    ------
    ArgumentError
        If there is no such layer, or its output is no feature map.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((9, 9, 1)), layers.Conv2D(2, 3, name="a"), layers.MaxPooling2D(name="b")])
    >>> (first, end), _ = fc.vision.receptive_fields(model, "b")
    >>> first, end
    (array([0, 2, 4]), array([4, 6, 8]))
    """
    picture_shape(model)
    graph, paths = opened(model)
    at = slot_of(paths, layer, f"{model}: layer")
    height, width = picture_shape(model)[:2]
    fields: dict[int, tuple[Interval, Interval]] = {graph.inputs[0]: (_each(height), _each(width))}
    shapes: dict[int, tuple[int, ...]] = {graph.inputs[0]: picture_shape(model)}
    for step in graph.steps:
        outputs = step.node.output_shape if isinstance(step.node.output_shape, list) else [step.node.output_shape]
        for slot, shape in zip(step.outputs, outputs, strict=False):
            shapes[slot] = tuple(shape[1:])
            # the other input of a CropLike says a size alone
            sources = step.inputs[:1] if isinstance(step.node, CropLike) else step.inputs
            seen = [(fields[one], shapes[one]) for one in sources if one in fields]
            if len(shapes[slot]) == 3 and seen:
                rows, columns = (_joined([_through(step.node, axis, field[axis], whole[axis] if len(whole) == 3 else 1,
                                                   shapes[slot][axis]) for field, whole in seen]) for axis in (0, 1))
                fields[slot] = rows, columns
            elif seen:
                fields[slot] = _all(height), _all(width)
    if at not in fields or len(shapes[at]) != 3:
        raise ArgumentError(f"receptive_fields: expected a layer with feature maps (H, W, K), got {layer!r} with "
                            f"{shapes.get(at)}")
    return fields[at]


def opened(model: Network) -> tuple[Graph, dict[str, int]]:
    """Return the layers of a model as steps, models inside opened, and the slots of their outputs by path.

    Parameters
    ----------
    model : Model

    Raises
    ------
    ArgumentError
        If it is not built.
    """
    paths: dict[str, int] = {}
    if model.traced is None:
        raise ArgumentError(f"{model}: expected a model that is built; call it with pictures first")
    return trace.opened(model.traced, training=False, paths=paths), paths


def slot_of(paths: Mapping[str, int], layer: str, who: str) -> int:
    """Return the slot of a layer's output by its path, ``inner/conv``, or by its name alone where one layer has it.

    Parameters
    ----------
    paths : mapping
        As `opened` returns them.
    layer : str
    who : str
        For errors.

    Raises
    ------
    ArgumentError
        If no layer has the name, or several have it in different models.
    """
    if layer in paths:
        return paths[layer]
    found = [path for path in paths if path.endswith(f"/{layer}")]
    if len(found) > 1:
        raise ArgumentError(f"{who}: expected the path of one layer, {' or '.join(map(repr, found))}, got {layer!r}")
    if not found:
        raise ArgumentError(unknown(who, layer, paths))
    return paths[found[0]]


def picture_shape(model: Network) -> tuple[int, ...]:
    """Return (H, W, C) of a model's first input.

    Raises
    ------
    ArgumentError
        If it is no picture, or its size is open.
    """
    shape = tuple(model.input_shapes[0][1:])
    if len(shape) != 3 or None in shape:
        raise ArgumentError(f"{model}: expected a model of pictures (H, W, C) of a known size, got input {shape}; "
                            f"`model.for_shape((None, H, W, C))` gives one")
    return shape


def _each(length: int) -> Interval:
    return np.arange(length), np.arange(1, length + 1)


def _all(length: int) -> Interval:
    return np.zeros(1, int), np.full(1, length)


def _joined(fields: list[Interval]) -> Interval:
    first, end = fields[0]
    for other_first, other_end in fields[1:]:
        first, end = np.minimum(first, other_first), np.maximum(end, other_end)
    return first, end


def _through(node: Any, axis: int, field: Interval, inputs: int, outputs: int) -> Interval:
    """Return the field of a node's units along an axis, given that of its inputs'."""
    low, high = _windows(node, axis, inputs, outputs)
    first, end = field
    return first[np.clip(low, 0, inputs - 1)], end[np.clip(high, 0, inputs - 1)]


def _windows(node: Any, axis: int, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last input that each output of a node sees."""
    at = np.arange(outputs)
    window = getattr(node, "kernel_size", None) or getattr(node, "pool_size", None)
    border = getattr(node, "border", None)
    if window is not None:
        strides, dilation = node.strides, getattr(node, "dilation_rate", (1, 1))
        reach = (window[axis] - 1) * dilation[axis]
        if outputs > inputs and "Transpose" in type(node).__name__:
            before = (reach + 1 + (inputs - 1) * strides[axis] - outputs) // 2 if node.padding == "same" else _first(
                node.padding, axis)
            return -((reach - at - before) // strides[axis]), (at + before) // strides[axis]
        size = node.input_shape[1:-1]
        before = padding_of(node.padding, size, window, strides, dilation, str(node))[axis][0]
        return at * strides[axis] - before, at * strides[axis] - before + reach
    if border is not None:
        before = border[axis][0] * (-1 if outputs < inputs else 1)
        return at - before, at - before
    if outputs == inputs:
        return at, at
    if inputs == 1 or outputs == 1:
        return np.zeros(outputs, int), np.full(outputs, inputs - 1)
    return at * inputs // outputs, -((-(at + 1) * inputs) // outputs) - 1  # a resize, or an adaptive pooling


def _first(padding: Any, axis: int) -> int:
    return 0 if isinstance(padding, str) else padding[axis][0]
