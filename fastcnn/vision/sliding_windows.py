"""A classifier of windows becomes a network of pages: its dense layers become convolutions.

What two windows share is computed once, which is why one pass over a page is so much faster than a pass a window.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Input
from fastcnn.models import Model
from fastcnn.models.network import Network
from fastcnn.vision.seen_by_units import picture_shape

#: What moves nothing, so that it goes over a page as over a window.
_BY_POSITION = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Softmax, layers.Dropout,
                layers.BatchNormalization, layers.Rescaling, layers.Add, layers.Multiply, layers.Concatenate,
                layers.SpatialDropout2D, layers.GaussianNoise, layers.Subtract, layers.Average, layers.Maximum)
_WITH_WINDOWS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.MaxPooling2D,
                 layers.AveragePooling2D)


def to_convolutional(model: Network) -> Model:
    """Return a model of pages (N, H, W, C) of any size from a classifier of windows (N, h, w, C).

    Its output (N, H', W', classes) holds what the classifier answers to each window; neighbouring windows are
    `window_step` pixels apart. Convolutions and what has no shape of its own are shared with the classifier, dense
    layers become convolutions that have copies of their weights.

    Parameters
    ----------
    model : Model
        Convolutions and poolings without padding (a border of zeros inside a page would be another answer), then
        Flatten or a global pooling, then dense layers.

    Raises
    ------
    ArgumentError
        If a layer has padding, or is none that goes over a page.

    References
    ----------
    Sermanet et al.: OverFeat, 2013, section 3.5.

    Examples
    --------
    >>> window = fc.Sequential([fc.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2),
    ...                         layers.Flatten(), layers.Dense(10, activation="softmax")])
    >>> page = fc.vision.to_convolutional(window)
    >>> page.predict(np.zeros((1, 20, 16, 1), "float32"), verbose=0).shape
    (1, 7, 5, 10)
    """
    channels = picture_shape(model)[-1]
    page = Input((None, None, channels), dtype=model.array_dtype)
    graph = model.layer_graph()
    found: dict[int, Any] = {graph.inputs[0]: page}
    flattened: dict[int, tuple[int, ...]] = {}  # slots whose features are those of a whole window, and its size
    for step in graph.steps:
        node, at = step.node, step.inputs[0]
        given = [found[slot] for slot in step.inputs]
        if isinstance(node, layers.Flatten):
            y, flattened[step.outputs[0]] = given[0], tuple(node.input_shape[1:])
        elif isinstance(node, layers.Dense):
            y = _convolution(node, flattened.get(at))(given[0])
        elif isinstance(node, (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)):
            pool = layers.AveragePooling2D if isinstance(node, layers.GlobalAveragePooling2D) else layers.MaxPooling2D
            y = pool(node.input_shape[1:3], strides=1)(given[0])
        else:
            _require_movable(node)
            if at in flattened:
                flattened[step.outputs[0]] = flattened[at]
            y = node(given if node.many_inputs else given[0])
        found[step.outputs[0]] = y
    return Model(page, [found[slot] for slot in graph.outputs] if len(graph.outputs) > 1 else found[graph.outputs[0]])


def window_step(model: Network) -> tuple[int, int]:
    """Return how many rows and columns apart the windows of `to_convolutional` are: the product of all strides.

    Parameters
    ----------
    model : Model
        The classifier of windows.

    Examples
    --------
    >>> window = fc.Sequential([fc.Input((8, 8, 1)), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(2)])
    >>> fc.vision.window_step(window)
    (2, 2)
    """
    graph = model.layer_graph()
    steps: dict[int, tuple[int, int]] = {graph.inputs[0]: (1, 1)}
    for step in graph.steps:
        rows, columns = steps[step.inputs[0]]
        if isinstance(step.node, _WITH_WINDOWS):
            rows, columns = rows * step.node.strides[0], columns * step.node.strides[1]
        steps[step.outputs[0]] = rows, columns
    return steps[graph.outputs[0]]


def _convolution(dense: layers.Dense, window: tuple[int, ...] | None) -> Callable[[Any], Any]:
    """Return the convolution that a dense layer is: over the window that Flatten was given, else over one pixel."""
    height, width, channels = window or (1, 1, dense.input_shape[-1])
    activation: Any = dense.activation
    if len(dense.input_shape) != 2:
        return dense  # over the last axis: a convolution of 1 x 1 as it is
    conv = layers.Conv2D(dense.units, (height, width), activation=activation, use_bias=dense.bias is not None,
                         name=dense.name, dtype=dense.array_dtype)
    conv.build((None, height, width, channels))
    conv.kernel.assign(dense.kernel.value.reshape(height, width, channels, dense.units))
    if conv.bias is not None and dense.bias is not None:
        conv.bias.assign(np.asarray(dense.bias.value))
    return conv


def _require_movable(node: Any) -> None:
    """Refuse what would answer otherwise on a page than on a window.

    Raises
    ------
    ArgumentError
        If it would.
    """
    if isinstance(node, _WITH_WINDOWS):
        if node.padding == "same" or (not isinstance(node.padding, str) and any(map(any, node.padding))):
            raise ArgumentError(f"to_convolutional: expected layers without padding, since windows inside a page have "
                                f"no border of zeros, got {node} with padding {node.padding!r}; train with 'valid'")
    elif not isinstance(node, _BY_POSITION):
        raise ArgumentError(f"to_convolutional: expected convolutions, poolings, Flatten, dense layers and functions "
                            f"of single numbers, got {node}")
