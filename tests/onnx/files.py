"""Small ONNX files for the tests, and what is asked of each."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fastcnn.onnx import load
from fastcnn.onnx._executor import Program
from fastcnn.onnx._file import read
from fastcnn.onnx._graph import graph_of

RNG = np.random.default_rng(7)


def draw(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def file(nodes, shape, weights=None, outputs=("y",), batch="n", opset=17):
    """Return a model with one input x of a batch of `shape`."""
    graph = helper.make_graph(
        nodes, "graph", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()])
    for output in graph.output:
        output.type.tensor_type.elem_type = TensorProto.FLOAT
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(operator, inputs, output="y", **attributes):
    return helper.make_node(operator, inputs.split(), output.split(), name=f"{operator}_{output.split()[0]}",
                            **attributes)


def turned(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim > 2 else x


def by_operators(proto, *arrays):
    """Return what the table of operators computes, with no layer in the place of any node."""
    return Program(graph_of(*read(proto))).run(arrays)


def agrees(proto, shape, count=3, batch=None, tolerance=2e-6):
    """Load a file, compare it with the operators, and return the model."""
    model = load(proto)
    x = draw(batch or count, *shape)
    want = by_operators(proto, x)
    got = model.predict(turned(x))
    got = got if isinstance(got, (list, tuple)) else [got]
    for one, other in zip(got, want, strict=True):
        # Channels-last, or as the file has it where that is how it lies in memory: never a third order.
        orders = [turned(other), other]
        error = min(np.abs(one - order).max() for order in orders if order.shape == one.shape)
        assert error <= tolerance * max(1, np.abs(other).max())
    return model


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]
