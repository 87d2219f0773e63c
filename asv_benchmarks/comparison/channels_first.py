"""An exported network as those write it who know no other layout than channels first: no detours that cost time.

fastcnn's export takes images (N, H, W, C) and turns them first; zeros around an image are a node of their own, and what
squeezes an image to a vector and calls it an image of one pixel again are three. Others' optimizers undo a part of that
at most, so it is undone here, lest a comparison flatter fastcnn.
"""

from typing import Any

import numpy as np

_TO_CHANNELS_FIRST = [0, 3, 1, 2]
_WITH_CONSTANT = ("Add", "Sub", "Mul", "Div")


def channels_first(model: Any) -> Any:
    """Return the model, changed in place: images (N, C, H, W), zeros within convolutions and pools, no detours."""
    graph = model.graph
    _take_images_channels_first(graph)
    _put_zeros_into_windows(graph)
    _leave_out_detours(graph)
    read = {name for node in graph.node for name in node.input}
    for unread in [one for one in graph.initializer if one.name not in read]:
        graph.initializer.remove(unread)
    return model


def attribute(node: Any, name: str, default: Any = None) -> Any:
    """Return an attribute of a node."""
    from onnx import helper

    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def constants(graph: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a graph, by name."""
    from onnx import numpy_helper

    return {one.name: numpy_helper.to_array(one) for one in graph.initializer}


def _replaced(graph: Any, old: str, new: str) -> None:
    """Let all that reads one value read another."""
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def _set(graph: Any, name: str, array: np.ndarray) -> None:
    from onnx import numpy_helper

    one = next(one for one in graph.initializer if one.name == name)
    one.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), name))


def _take_images_channels_first(graph: Any) -> None:
    """Take the Transpose away that the image meets first; what it meets before, works on channels first."""
    value, arrays = graph.input[0].name, constants(graph)
    while True:
        (node,) = [node for node in graph.node if value in node.input]
        if node.op_type == "Transpose":
            break
        if node.op_type == "Pad":
            pads = arrays[node.input[1]].reshape(2, 4)
            _set(graph, node.input[1], pads[:, _TO_CHANNELS_FIRST].reshape(-1))
        elif node.op_type in _WITH_CONSTANT:
            constant = node.input[1]
            _set(graph, constant, np.moveaxis(arrays[constant].reshape(1, 1, -1), 2, 0))
        else:
            raise ValueError(f"expected the image to be scaled, padded and turned, got {node.op_type}")
        value = node.output[0]
    sizes = graph.input[0].type.tensor_type.shape.dim
    told = [type(size).FromString(size.SerializeToString()) for size in sizes]
    for size, place in zip(sizes, _TO_CHANNELS_FIRST, strict=True):
        size.CopyFrom(told[place])
    _replaced(graph, node.output[0], value)
    graph.node.remove(node)


def _put_zeros_into_windows(graph: Any) -> None:
    """Make a Pad of zeros the pads of the convolution behind it, or of max pooling if nothing before is negative."""
    from onnx import helper

    arrays = constants(graph)
    maker = {name: node for node in graph.node for name in node.output}
    for pad in [node for node in graph.node if node.op_type == "Pad"]:
        (window,) = [node for node in graph.node if pad.output[0] in node.input]
        before = maker.get(pad.input[0])
        if window.op_type != "Conv" and not (window.op_type == "MaxPool" and before and before.op_type == "Relu"):
            continue
        outside, inside = arrays[pad.input[1]].reshape(2, 4)[:, 2:].reshape(-1), attribute(window, "pads", [0] * 4)
        kept = [a for a in window.attribute if a.name != "pads"]
        del window.attribute[:]
        window.attribute.extend([*kept, helper.make_attribute("pads", [int(a + b) for a, b in zip(outside, inside)])])
        window.input[0] = pad.input[0]
        graph.node.remove(pad)


def _leave_out_detours(graph: Any) -> None:
    """Let a pooled image of one pixel go to its convolution as it is, not as a vector that becomes an image again."""
    readers = {name: node for node in graph.node for name in node.input}
    for pool in [node for node in graph.node if node.op_type == "GlobalAveragePool"]:
        chain, value = [], pool.output[0]
        for kind in ("Flatten", "Reshape", "Transpose"):
            node = readers.get(value)
            if node is None or node.op_type != kind:
                break
            chain.append(node)
            value = node.output[0]
        if len(chain) == 3:
            _replaced(graph, value, pool.output[0])
            for node in chain:
                graph.node.remove(node)
