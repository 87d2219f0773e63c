"""Quantized models as files, and files of others as quantized models."""

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto, helper, numpy_helper

import fastcnn as fc
from fastcnn import layers
from fastcnn.onnx import backend

DRAW = np.random.default_rng(0)
IMAGES = DRAW.standard_normal((12, 9, 9, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def quantized():
    fc.utils.set_random_seed(3)
    inputs = fc.Input((9, 9, 3))
    x = a = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(x))
    x = layers.MaxPooling2D(2)(layers.ReLU()(layers.Add()([x, a])))
    x = layers.Concatenate()([x, layers.Conv2D(4, 3, padding="same", activation="relu6")(x)])
    x = layers.AveragePooling2D(2)(x)
    model = fc.Model(inputs, layers.Dense(5)(layers.Flatten()(x)))
    return fc.quantize(model, IMAGES)


def operators(proto):
    return [node.op_type for node in proto.graph.node]


def test_a_quantized_model_is_written_with_its_integers_and_read_again_to_the_same_bits(quantized, tmp_path):
    path = fc.onnx.export(quantized, tmp_path / "model.onnx")
    proto = onnx.load(path)
    constants = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer}
    kernels = [one for one in constants.values() if one.dtype == np.int8 and one.ndim > 1]
    assert len(kernels) == 4
    assert sum(one.dtype == np.int32 for one in constants.values()) == 8  # four biases and their zero points
    assert "BatchNormalization" not in operators(proto)
    again = fc.onnx.load(path)
    assert [type(layer).__name__ for layer in again.layers].count("QuantizedConv2D") == 3
    np.testing.assert_array_equal(again.predict(IMAGES), quantized.predict(IMAGES))


def test_the_operators_of_the_table_tell_the_same(quantized, tmp_path):
    path = fc.onnx.export(quantized, tmp_path / "model.onnx")
    (y,) = backend.prepare(onnx.load(path)).run([IMAGES])
    np.testing.assert_allclose(y, quantized.predict(IMAGES), atol=0.02)


def file_of(node, constants, shape, result):
    """Return a file of one node between a quantization of its input and one that takes its output back."""
    quantize = helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["q"])
    dequantize = helper.make_node("DequantizeLinear", ["p", "ys", "yz"], ["y"])
    graph = helper.make_graph(
        [quantize, node, dequantize], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def scales(zero=None):
    zero = np.uint8(117) if zero is None else zero
    return {"xs": np.float32(0.03), "xz": zero, "ys": np.float32(0.2), "yz": np.asarray(zero) - zero.dtype.type(9)}


CONV = helper.make_node("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["p"], pads=[1, 1, 1, 1])
FILTERS = DRAW.integers(-127, 128, (6, 3, 3, 3)).astype(np.int8)
WEIGHTS = {"w": FILTERS, "ws": (0.01 + 0.01 * DRAW.random(6)).astype(np.float32), "wz": np.zeros(6, np.int8),
           "b": DRAW.integers(-900, 900, 6).astype(np.int32)}


@pytest.mark.parametrize(("constants", "is_exact"), [
    (scales() | WEIGHTS, True), (scales(np.int8(-11)) | WEIGHTS, True),
    (scales() | WEIGHTS | {"w": (FILTERS.astype(int) + 128).astype(np.uint8), "wz": np.full(6, 128, np.uint8)}, True),
    (scales() | WEIGHTS | {"wz": np.full(6, 3, np.int8)}, False),
], ids=["bytes", "signed", "weights without a sign", "weights that are not symmetric"])
def test_a_quantized_convolution_of_others_becomes_a_layer_with_the_same_integers(constants, is_exact):
    proto = file_of(CONV, constants, [2, 3, 9, 9], [2, 6, 9, 9])
    x = np.ascontiguousarray(np.moveaxis(IMAGES[:2], -1, 1))
    (wanted,) = backend.prepare(proto).run([x])
    model = fc.onnx.load(proto)
    assert any(type(layer).__name__ == "QuantizedConv2D" for layer in model.layers) == is_exact
    y = np.moveaxis(model.predict(IMAGES[:2]), -1, 1)
    np.testing.assert_allclose(y, wanted, atol=1e-6 if is_exact else 0.2001)
    assert np.ptp(wanted) > 5


def test_a_quantized_product_of_matrices_becomes_a_dense_layer_with_the_same_integers():
    node = helper.make_node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["p"])
    constants = scales() | {"w": DRAW.integers(-127, 128, (7, 4)).astype(np.int8), "ws": np.float32(0.01),
                            "wz": np.int8(0)}
    proto = file_of(node, constants, [3, 7], [3, 4])
    x = IMAGES.reshape(-1)[:21].reshape(3, 7)
    (wanted,) = backend.prepare(proto).run([x])
    model = fc.onnx.load(proto)
    assert type(model.layers[-2]).__name__ == "QuantizedDense"
    np.testing.assert_allclose(model.predict(x), wanted, atol=1e-6)


@pytest.mark.parametrize(("changed", "message"), [
    ({"yz": np.uint16(4)}, "a tensor quantized to uint16"),
    ({"xs": np.full(3, 0.03, np.float32), "xz": np.zeros(3, np.uint8)}, "scale for each channel|QLinearConv"),
])
def test_quantized_tensors_that_no_layer_stands_for_are_named(changed, message):
    proto = file_of(CONV, scales() | WEIGHTS | changed, [2, 3, 9, 9], [2, 6, 9, 9])
    with pytest.raises(fc.errors.ModelFileError, match=message):
        fc.onnx.load(proto)
