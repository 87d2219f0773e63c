"""Normalization layers, and dropout."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, channels_last
from fastcnn.onnx.convert.merge import in_memory
from fastcnn.onnx.convert.shape import as_shape


@converter("BatchNormalization")
def batch_normalization(im: Importer, x: View, scale: Any, bias: Any, mean: Any, variance: Any, *, node: OnnxNode,
                        epsilon: float = 1e-5, momentum: float = 0.9, training_mode: int = 0, spatial: int = 1,
                        is_test: int = 1, consumed_inputs: Any = None) -> View:
    gamma, beta, mean, variance = (im.constant(v, "a statistic").astype(np.float64)
                                   for v in (scale, bias, mean, variance))
    if not spatial or training_mode:
        raise NotOfferedError("batch normalization in training mode, by the statistics of each batch" if training_mode
                              else "batch normalization with spatial=0")
    factor, offset, name = im.affine_after(node, len(x.dims) + 1, gamma.size)
    y = im.apply(node, layers.BatchNormalization, im.image(x), epsilon=epsilon, momentum=momentum,
                 weights=[gamma * factor, beta * factor + offset, mean, variance])
    return im.also(node, name, channels_last(y))


def grouped(im: Importer, node: OnnxNode, x: View, groups: int, epsilon: float, gamma: np.ndarray,
             beta: np.ndarray) -> View:
    factor, offset, name = im.affine_after(node, len(x.dims) + 1, gamma.size)
    y = im.apply(node, layers.GroupNormalization, im.image(x), groups, epsilon=epsilon,
                 weights=[gamma * factor, beta * factor + offset])
    return im.also(node, name, channels_last(y))


@converter("GroupNormalization")
def group_normalization(im: Importer, x: View, scale: Any, bias: Any, *, node: OnnxNode, num_groups: int,
                        epsilon: float = 1e-5, stash_type: int = 1) -> View:
    gamma, beta = (im.constant(v, "a scale").astype(np.float64) for v in (scale, bias))
    each = x.shape[0] // gamma.size
    return grouped(im, node, x, num_groups, epsilon, np.repeat(gamma, each), np.repeat(beta, each))


@converter("InstanceNormalization")
def instance_normalization(im: Importer, x: View, scale: Any, bias: Any, *, node: OnnxNode, epsilon: float = 1e-5,
                           consumed_inputs: Any = None) -> View:
    """A group for each channel; where the file has gathered channels in its groups before, those groups."""
    gamma, beta = (im.constant(v, "a scale").astype(np.float64) for v in (scale, bias))
    groups, channels = x.shape[0], x.dims[0]
    inner = [atom for dim in x.dims[1:] for atom in dim]
    # (N, G, C / G H W): the pieces of channels in memory are the last atoms, those of the groups before the rest.
    tail = tuple(range(len(x.sizes)))[-len(channels) - 1:]
    if channels and len(x.dims) == 2 and tail == (*channels, inner[0]) and len(inner) > 1:
        whole = View(x.tensor, x.sizes, ((*channels, inner[0]), *((atom,) for atom in inner[1:])))
        each = whole.shape[0] // groups
        factor, offset, after = _reshaped_back(im, node, whole.shape[0])
        y = im.apply(node, layers.GroupNormalization, im.image(whole), groups, epsilon=epsilon,
                     weights=[np.repeat(gamma, each) * factor, np.repeat(beta, each) * factor + offset])
        if after is not None:
            im.values[after[0]] = as_shape(im, x.on(y), after[1])
        return x.on(y)
    return grouped(im, node, x, groups, epsilon, gamma, beta)


def _reshaped_back(im: Importer, node: OnnxNode, channels: int) -> tuple[Any, Any, tuple[str, tuple[int, ...]] | None]:
    """Take the reshape to (N, C, H, W) behind a node, and the scale and offset by channel behind that."""
    back = im.following(node.outputs[0])
    if back is None or back.operator != "Reshape" or len(back.inputs) != 2:
        return 1.0, 0.0, None
    wanted = im.known(back.inputs[1])
    if wanted is None or len(wanted) < 3 or wanted[1] != channels or min(wanted[1:]) < 1 or (
            not im.is_for_any_batch(back.inputs[1], but_first=True)):
        return 1.0, 0.0, None
    factor, offset, (name, turns) = im.affine_after(back, len(wanted), channels)
    if turns:
        raise NotOfferedError("a group normalization that is transposed within")
    im.absorbed.add(id(back))
    return factor, offset, (name, tuple(wanted[1:].tolist()))


@converter("LayerNormalization")
def layer_normalization(im: Importer, x: View, scale: Any, bias: Any = None, *, node: OnnxNode, axis: int = -1,
                        epsilon: float = 1e-5, stash_type: int = 1) -> View:
    """Over the last dimensions together, in whatever order memory has them."""
    axis = x.axis(axis) - 1
    if axis < 0:
        raise NotOfferedError("layer normalization over the batch")
    numbers = []
    for value in (scale, bias):
        if value is not None:
            whole = np.broadcast_to(im.constant(value, "a scale"), x.shape[axis:])
            numbers.append(whole.reshape((1,) * (axis + 1) + whole.shape))
    return along(im, node, x, range(axis, len(x.dims)), layers.LayerNormalization, numbers, epsilon=epsilon,
                 center=bias is not None)


def along(im: Importer, node: OnnxNode, x: View, axes: Iterable[int], kind: Any, numbers: Sequence[np.ndarray],
          **kwargs: Any) -> View:
    """Return a layer over some dimensions together, as its last, in whatever order memory has them.

    Parameters
    ----------
    im : Importer
    node : OnnxNode
    x : View
    axes : iterable of int
        Without the batch.
    kind : layer class
    numbers : sequence of array
        The layer's weights, with all of the file's dimensions, the batch's too; those beside `axes` are 1.
    **kwargs
        The layer's arguments.
    """
    inside = tuple(sorted(atom for axis in axes for atom in x.dims[axis]))
    joined = replace(x, dims=(tuple(atom for atom in range(len(x.sizes)) if atom not in inside), inside))
    tensor, back = im.with_last(joined, 1)
    weights = [in_memory(x, value).reshape(-1) for value in numbers]
    y = back(im.apply(node, kind, tensor, **kwargs, weights=weights))
    place = {atom: at for at, atom in enumerate((*joined.dims[0], *inside))}
    if y.sizes == x.sizes and y.tensor.shape == x.tensor.shape:
        return x.on(y.tensor)
    return View(y.tensor, y.sizes, tuple(tuple(place[atom] for atom in dim) for dim in x.dims))


@converter("LRN")
def local_response_normalization(im: Importer, x: View, *, node: OnnxNode, size: int, alpha: float = 1e-4,
                                 beta: float = 0.75, bias: float = 1.0) -> View:
    sides = (size - 1) // 2, size // 2
    return channels_last(im.apply(node, layers.LocalResponseNormalization, im.image(x), sides, alpha / size, beta,
                                  bias))


@converter("Dropout")
def dropout(im: Importer, x: View, ratio_in: Any = None, training: Any = None, *, node: OnnxNode, ratio: float = 0.5,
            seed: int = 0, is_test: int = 1) -> View:
    rate = ratio if ratio_in is None else float(im.constant(ratio_in, "a dropout's rate").reshape(-1)[0])
    return x.on(im.apply(node, layers.Dropout, x.tensor, float(np.float32(rate).item()))) if 0 < rate < 1 else x
