"""Nodes that do not suit their inputs, or ask for all time or memory: one sentence from `load` and from the backend."""

import contextlib
import time

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper

from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.onnx import backend, load
from fastcnn.onnx.operators import control
from tests.onnx.files import draw, file, kinds, node


def ones(*shape):
    return np.ones(shape, np.float32)


def run(proto):
    shape = [n.dim_value for n in proto.graph.input[0].type.tensor_type.shape.dim[1:]]
    return backend.run_model(proto, [draw(2, *shape)])


def refused(proto, *words, by=(load, run)):
    for function in by:
        start = time.process_time()
        with pytest.raises(ModelFileError) as caught:
            function(proto)
        assert time.process_time() - start < 5
        assert "\n" not in str(caught.value)
        for word in words:
            assert word in str(caught.value), str(caught.value)


IMAGE = (4, 6, 6)
UNFIT = [
    (node("Add", "x w"), {"w": ones(5)}), (node("Transpose", "x", perm=[0, 1, 9, 2]), {}),
    (node("Transpose", "x", perm=[0, 1, 1, 2]), {}), (node("Conv", "x w"), {"w": np.float32(1)}),
    (node("Conv", "x w", strides="ab"), {"w": ones(4, 4, 1, 1)}),
    (node("Conv", "x w", strides=[1]), {"w": ones(4, 4, 1, 1)}),
    (node("Conv", "x w b"), {"w": ones(4, 4, 1, 1), "b": ones(5)}),
    (node("Conv", "x w", group=0), {"w": ones(4, 4, 1, 1)}),
    (node("ConvTranspose", "x w", strides=[1]), {"w": ones(4, 4, 1, 1)}),
    (node("ConvTranspose", "x w", strides=[0, 1]), {"w": ones(4, 4, 1, 1)}),
    (node("ConvTranspose", "x w", pads=[0, 1]), {"w": ones(4, 4, 1, 1)}),
    (node("Reshape", "x"), {}), (node("Reshape", "x", shape="ab"), {}), (node("DepthToSpace", "x", blocksize=0), {}),
    (node("DepthToSpace", "x", blocksize=3), {}), (node("SpaceToDepth", "x", blocksize=0), {}),
    (node("GroupNormalization", "x s s", num_groups=2), {"s": ones(0)}),
    (node("GroupNormalization", "x s s", num_groups=0), {"s": ones(4)}),
    (node("LayerNormalization", "x s"), {"s": ones(7)}), (node("Unsqueeze", "x a"), {"a": np.array([1, 1])}),
    (node("Squeeze", "x a"), {"a": np.array([1])}), (node("Clip", "x w"), {"w": ones(0)}),
    (node("BatchNormalization", "x s s s s"), {"s": ones(3)}), (node("BatchNormalization", "x s"), {"s": ones(4)}),
    (node("MaxPool", "x", kernel_shape=[0, 2]), {}), (node("AveragePool", "x", kernel_shape=[7, 7]), {}),
    (node("Softmax", "x", axis="last"), {}), (node("Slice", "x s"), {"s": np.array([0])}),
    (node("Slice", "x s s a"), {"s": np.array([0, 1]), "a": np.array([1, 1])}),
    (node("Slice", "x s s a z"), {"s": np.array([0, 1]), "a": np.array([1, 2]), "z": np.array([], int)}),
    (node("Clip", "x w"), {"w": ones(2)}), (node("Pad", "x p"), {"p": np.array([0, 1])}), (node("Pad", "x"), {}),
    (node("Resize", "x", mode="nearest"), {}), (node("PRelu", "x s"), {"s": ones(5)}),
    (node("Concat", "x w", axis=1), {"w": ones(2, 2)}), (node("Split", "x", "y", num_outputs=1 << 40, axis=1), {}),
    (node("Split", "x s", "y", axis=1), {"s": np.array([2, 2])}), (node("MatMul", "x"), {}),
    (node("Cast", "x", to=99), {}), (node("Pad", "x p", mode="mirror"), {"p": np.ones(8, np.int64)}),
    (node("Expand", "x s"), {"s": np.array([5, 5, 5, 5])}), (node("ReduceMean", "x", axes=[9]), {}),
    (node("InstanceNormalization", "x s s"), {"s": ones(3)}),
    (node("Gather", "x i", axis=2), {"i": np.array([9])}), (node("GatherND", "x i"), {"i": np.array([[9, 0]])}),
    (node("SplitToSequence", "x n", axis=1), {"n": np.array(0)}),
]  # fmt: skip


@pytest.mark.parametrize(("one", "weights"), UNFIT, ids=lambda value: getattr(value, "op_type", ""))
def test_a_node_that_does_not_suit_its_inputs(one, weights):
    refused(file([one], IMAGE, weights, opset=18), one.op_type)


@pytest.mark.parametrize("weights", [{"w": ones(144, 3), "b": ones(4)}, {"w": ones(143, 3), "b": ones(3)},
                                     {"w": ones(144), "b": ones(3)}, {"w": ones(145, 3), "b": np.float32(1)}])
def test_a_product_with_a_matrix_or_an_addend_of_the_wrong_size(weights):
    refused(file([node("Flatten", "x", "f"), node("Gemm", "f w b")], IMAGE, weights), "Gemm")


def test_a_long_chain_of_constants_and_one_of_layers():
    chain = [node("Identity", f"c{at}", f"c{at + 1}") for at in range(1200)]
    nodes = [node("Conv", "x w", "a"), *chain, node("Mul", "a c1200")]
    proto = file(nodes, IMAGE, {"w": ones(4, 4, 1, 1), "c0": ones(1)})
    assert kinds(load(proto)) == ["InputLayer", "Conv2D"]


@pytest.mark.parametrize(("nodes", "weights"), [
    ([node("MaxPool", "x", "p i", kernel_shape=[2, 2])], {}),
    ([node("LayerNormalization", "x s", "p i")], {"s": ones(6)}),
    ([node("Dropout", "x", "p i")], {}),
    ([node("BatchNormalization", "x s s s s", "p i v", is_test=1)], {"s": ones(4)}),
], ids=lambda value: value[0].op_type if isinstance(value, list) else "")
@pytest.mark.parametrize("is_read", [True, False])
def test_a_second_output_that_no_layer_gives(nodes, weights, is_read):
    opset = 6 if "is_test" in str(nodes[0]) else 17
    extra = [node("Cast", "i", "c", to=1), node("Relu", "c", "y")] if is_read else []
    proto = file(nodes + extra, IMAGE, weights, outputs=("p", "y" if is_read else "i"), opset=opset)
    refused(proto, "output 2", nodes[0].op_type, by=[load])
    unread = file([*nodes, node("Relu", "p")], IMAGE, weights, opset=opset)
    load(unread)


@pytest.mark.parametrize(("one", "weights"), [
    (node("Conv", "x w", pads=[1 << 30] * 4), {"w": ones(4, 4, 1, 1)}),
    (node("Conv", "x w", pads=[1 << 40] * 4, strides=[1 << 40] * 2), {"w": ones(4, 4, 1, 1)}),
    (node("ConvTranspose", "x w", strides=[1 << 30] * 2), {"w": ones(4, 4, 1, 1)}),
    (node("ConvTranspose", "x w", strides=[1 << 30] * 2, pads=[5 << 29] * 4), {"w": ones(4, 4, 1, 1)}),
    (node("ConvTranspose", "x w", output_padding=[1 << 30] * 2), {"w": ones(4, 4, 1, 1)}),
    (node("MaxPool", "x", kernel_shape=[2, 2], pads=[1 << 30] * 4), {}),
    (node("AveragePool", "x", kernel_shape=[2, 2], pads=[1 << 30] * 4), {}),
    (node("AveragePool", "x", kernel_shape=[2, 2], pads=[1 << 40] * 4, strides=[1 << 40] * 2), {}),
    (node("LpPool", "x", kernel_shape=[2, 2], pads=[1 << 30] * 4), {}),
    (node("Pad", "x p"), {"p": np.array([0, 0, 1 << 20, 1 << 20] * 2)}),
    (node("Resize", "x  s"), {"s": np.array([1, 1, 1 << 20, 1 << 20], np.float32)}),
    (node("Pad", "x p", mode="reflect"), {"p": np.array([0, 0, 1 << 34, 0] * 2)}),
    (node("Tile", "x r"), {"r": np.array([1, 1, 1 << 40, 1])}),
], ids=lambda value: getattr(value, "op_type", ""))
def test_a_border_or_a_stride_that_asks_for_all_memory(one, weights):
    if one.op_type == "Resize":
        one.input[:] = ["x", "", "s"]
    refused(file([one], IMAGE, weights), one.op_type)


def test_max_unpool_that_asks_for_all_memory():
    weights = {"i": np.zeros((2, 1, 2, 2), int), "s": np.array([1, 1, 1 << 30, 1 << 30])}
    for inputs, more in (("x i", {"pads": [-(1 << 30)] * 4}), ("x i", {"strides": [1 << 30] * 2}), ("x i s", {})):
        refused(file([node("MaxUnpool", inputs, kernel_shape=[2, 2], **more)], (1, 2, 2), weights), "MaxUnpool")


def test_a_window_over_channels_is_no_longer_than_the_channels():
    proto, x = file([node("LRN", "x", size=(1 << 40) + 1, alpha=float(1 << 40))], IMAGE), draw(2, *IMAGE)
    want = x / (1 + np.square(x).sum(1, keepdims=True)) ** 0.75
    np.testing.assert_allclose(backend.run_model(proto, [x])[0], want, rtol=1e-5)
    np.testing.assert_allclose(load(proto, layout="channels_first").predict(x), want, rtol=1e-5)


def endless(count):
    """Return a loop whose body always wants another round, and keeps its number."""
    value = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
    body = helper.make_graph(
        [node("Identity", "going", "more"), node("Identity", "round", "kept")], "body",
        [value("round", TensorProto.INT64, []), value("going", TensorProto.BOOL, [])],
        [value("more", TensorProto.BOOL, []), value("kept", TensorProto.INT64, [])])
    loop = helper.make_node("Loop", ["count" if count else "", "true"], ["kept"], "endless", body=body)
    nodes = [loop, node("ReduceSum", "kept", "sum", keepdims=0), node("Cast", "sum", "f", to=1), node("Mul", "x f")]
    return file(nodes, (3,), {"true": np.array(True)} | ({"count": np.array(count)} if count else {}))


def test_a_loop_without_an_end_is_refused_and_a_long_one_takes_time_in_proportion(monkeypatch):
    monkeypatch.setattr(control, "_MOST_ROUNDS", 20_000)
    for count in (None, 1 << 60, 20_001):
        refused(endless(count), "20,000 rounds", by=[run])
    x, times = ones(2, 3), []
    for count in (5_000, 20_000):
        start = time.process_time()
        np.testing.assert_allclose(backend.run_model(endless(count), [x])[0], x * sum(range(count)))
        times.append(time.process_time() - start)
    assert times[1] < 8 * times[0]
    refused(endless(5), "Loop", by=[load])


def test_a_tensor_of_a_node_beside_the_model_whose_name_is_no_text(tmp_path):
    value = helper.make_tensor("v", TensorProto.FLOAT, [1], [1])
    value.ClearField("float_data")
    value.data_location = TensorProto.EXTERNAL
    value.external_data.add(key="location", value="LOC")
    data = file([node("Constant", "", "c", value=value), node("Add", "x c")], (3,)).SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(data.replace(b"LOC", b"\xff\xfeC"))
    refused(path, "no text", by=[load, backend.prepare])


def test_every_flipped_byte_of_a_network_is_refused_or_harmless():
    nodes = [node("Conv", "x w", "c", pads=[1, 1, 1, 1]), node("Relu", "c", "r"),
             node("MaxPool", "r", "p", kernel_shape=[2, 2]), node("Flatten", "p", "f"), node("Gemm", "f k", transB=1)]
    data = bytearray(file(nodes, (1, 4, 4), {"w": ones(2, 1, 3, 3), "k": ones(3, 18)}).SerializeToString())
    assert load(onnx.load_from_string(bytes(data))).output_shape == (None, 3)
    for at in range(len(data)):
        data[at] ^= 1
        with contextlib.suppress(ModelFileError, ArgumentError):  # the latter for a size that the file leaves open now
            load(bytes(data))
        data[at] ^= 1
