"""onnxruntime computes what exported models predict: every row of the table of layers, and whole networks."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, layers
from tests.checks import ROWS
from tests.models.test_functional import MODELS, inputs_of, model_of

ort = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.judges


def run(path, inputs):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {one.name: x for one, x in zip(session.get_inputs(), inputs, strict=True)})


def agree(found, expected, tolerance):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1e-30, np.abs(b).max(initial=0)))


def predicted(model, xs):
    y = model.predict(list(xs) if len(xs) > 1 else xs[0])
    return list(y.values()) if isinstance(y, dict) else y if isinstance(y, list) else [y]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{kind} {case.name}") for kind, case in ROWS
                                  if kind != "InputLayer"])
def test_onnxruntime_computes_every_layer(case, tmp_path):
    layer = case.layer("float32")
    shapes = [shape[1:] for shape in layer.input_shape] if layer.many_inputs else [layer.input_shape[1:]]
    inputs = [fc.Input(shape) for shape in shapes]
    model = fc.Model(inputs, layer(inputs if layer.many_inputs else inputs[0]))
    path = fc.onnx.export(model, tmp_path / "layer.onnx")
    x = case.input(3, "float32")
    xs = x if isinstance(x, tuple) else (x,)
    config.set_winograd(False)
    try:
        agree(run(path, xs), predicted(model, xs), 1e-5)
    finally:
        config.set_winograd(True)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", MODELS)
def test_onnxruntime_computes_whole_models_in_both_layouts(kind, layout, tmp_path):
    model = model_of(kind, "float32")
    xs = inputs_of(model, 2)
    path = fc.onnx.export(model, tmp_path / "m.onnx", layout=layout)
    first = [np.ascontiguousarray(np.moveaxis(x, -1, 1)) for x in xs] if layout == "channels_first" else xs
    agree(run(path, first), predicted(model, xs), 1e-4)


def test_between_convolutions_nothing_is_transposed(tmp_path):
    model = fc.Sequential([fc.Input((12, 12, 3)), layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU(),
                           layers.MaxPooling2D(), layers.Conv2D(8, 3), layers.Tanh(), layers.GlobalAveragePooling2D(),
                           layers.Dense(5, activation="softmax")])
    for layout, count in (("channels_last", 1), ("channels_first", 0)):
        graph = onnx.load(fc.onnx.export(model, tmp_path / "m.onnx", layout=layout)).graph
        assert [node.op_type for node in graph.node].count("Transpose") == count


def test_a_layer_that_is_called_twice_has_one_set_of_weights(tmp_path):
    path = fc.onnx.export(model_of("shared", "float32"), tmp_path / "m.onnx")
    kernels = [one for one in onnx.load(path).graph.initializer if len(one.dims) == 4]
    assert len(kernels) == 1


@pytest.mark.parametrize("opset", [20, 21, 22, 23])
def test_every_opset_that_is_offered_runs(opset, tmp_path):
    model = model_of("residual", "float32")
    xs = inputs_of(model)
    path = fc.onnx.export(model, tmp_path / "m.onnx", opset=opset)
    assert onnx.load(path).opset_import[0].version == opset
    agree(run(path, xs), predicted(model, xs), 1e-4)
