"""Quantized models beside onnxruntime, both ways, on one file."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers

ort = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
quantization = pytest.importorskip("onnxruntime.quantization")
pytestmark = pytest.mark.peers

DRAW = np.random.default_rng(0)
IMAGES = DRAW.standard_normal((32, 12, 12, 3)).astype(np.float32)


def network():
    fc.utils.set_random_seed(4)
    inputs = fc.Input((12, 12, 3), name="images")
    x = a = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(inputs)))
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, padding="same")(x))
    x = layers.ReLU()(layers.Add()([layers.Conv2D(16, 1)(x), a]))
    x = layers.MaxPooling2D(2)(x)
    x = layers.Concatenate()([layers.Conv2D(8, 1, activation="relu")(x),
                              layers.Conv2D(8, 3, padding="same", activation="relu")(x)])
    x = layers.Conv2D(24, 3, strides=2, padding="same", activation="relu")(x)
    return fc.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def run(path, x):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def optimized(path, to):
    """Return the operators that onnxruntime runs of a file."""
    options = ort.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(to), 3
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return {node.op_type for node in onnx.load(to).graph.node}


def test_onnxruntime_finds_integers_everywhere_in_an_exported_file_and_gives_the_same(tmp_path):
    quantized = fc.quantize(network(), IMAGES)
    path = fc.onnx.export(quantized, tmp_path / "model.onnx")
    found = optimized(path, tmp_path / "optimized.onnx")
    assert {"QLinearConv", "QLinearAdd", "QLinearConcat"} <= found
    assert not found & {"Conv", "Add", "Gemm"}
    # A sum that onnxruntime rounds to the byte beside ours moves an output by less.
    wanted = run(path, IMAGES)
    np.testing.assert_allclose(quantized.predict(IMAGES), wanted, atol=0.01 * np.abs(wanted).max())


class Reader(quantization.CalibrationDataReader):
    def __init__(self, name, images):
        self.batches = iter([{name: one} for one in images])

    def get_next(self):
        return next(self.batches, None)


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("kind", ["QUInt8", "QInt8"])
def test_a_file_that_onnxruntime_quantized_runs_on_bytes(form, kind, tmp_path):
    path, made = fc.onnx.export(network(), tmp_path / "model.onnx", layout="channels_first"), tmp_path / "int8.onnx"
    first = np.ascontiguousarray(np.moveaxis(IMAGES, -1, 1))
    types = quantization.QuantType
    quantization.quantize_static(
        path, made, Reader("images", first[:, None]), quant_format=quantization.QuantFormat[form], per_channel=True,
        activation_type=types[kind], weight_type=types.QInt8)
    model = fc.onnx.load(made)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("QuantizedConv2D") == 6
    steps = [type(step.node).__name__ for step in model.executables.get([IMAGES]).get(32, predicts=True).steps]
    assert "Conv2D" not in steps
    assert steps.count("ByteProduct") >= 6
    wanted = run(made, first)
    step = np.diff(np.unique(wanted.round(6))).min()  # outputs are bytes, too
    difference = np.abs(model.predict(IMAGES) - wanted)
    assert difference.max() <= 1.01 * step
    assert np.mean(difference > step / 2) < 0.1
