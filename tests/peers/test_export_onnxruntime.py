"""onnxruntime computes what exported models predict: every row of the table of layers, and whole networks."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, layers
from tests.checks import ROWS
from tests.layers.test_blocks import scaled
from tests.layers.test_call import Residual
from tests.models.test_functional import MODELS, inputs_of, model_of
from tests.models.test_subclass import Net

ort = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.peers


def run(path, inputs, as_written=False):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    # Where only the weights of a dense layer have 8 bits, onnxruntime makes a MatMulNBits of it, which rounds its
    # input to 8 bits by default, too: 1 part in 200. Level 1 asks for products in float32, which is what the file says.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    if as_written:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
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
    # Its optimizer moves a Transpose past a cubic Resize to fewer pixels, which it cannot compute channels-last.
    shrinks = getattr(layer, "how", None) is not None and layer.how.mode == "cubic"
    config.set_winograd(False)
    try:
        agree(run(path, xs, as_written=shrinks), predicted(model, xs), 1e-5)
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


SIZES = {"AlexNet": 67, "GoogLeNet": 64, "InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71, "SqueezeNet": 48,
         "FaceNet": 65,
         "UNet": 32, "LeNet5": 28, "LeNet": 28, "ConvNet": 28, "Perceptron": 28, "LogisticRegression": 28, "MLP": 28}
#: What is written in a second.
SMALL = {"MLP", "ConvNet", "GoogLeNet", "LeNet", "LeNet5", "LinearRegression", "LogisticRegression", "Perceptron",
         "MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet18", "ResNet20", "ResNet50",
         "SqueezeNet", "UNet"}
#: What is made of the parts of the others, and takes gigabytes.
GIANT = {"EfficientNetV2M", "EfficientNetV2L", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge", "NASNetLarge"}
NETWORKS = [name for name in fc.applications.__all__
            if callable(getattr(fc.applications, name)) and name[0].isupper() and name not in GIANT | {"EfficientNet"}]


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in SMALL else pytest.mark.slow)
                                  for name in NETWORKS])
def test_onnxruntime_computes_every_application(name, tmp_path):
    fc.utils.set_random_seed(1)
    size = SIZES.get(name, 32)
    grey = size == 28 or name == "UNet"
    model = getattr(fc.applications, name)(input_shape=(size, size, 1 if grey else 3))
    draw = np.random.default_rng(0)
    for p in model.weights:  # statistics that are not 0 and 1, and signals that neither die nor grow
        if "mean" in p.name or "variance" in p.name:
            p.assign(0.1 * draw.standard_normal(p.shape) if "mean" in p.name else draw.uniform(0.5, 1.5, p.shape))
    x = draw.random((2, *model.input_shape[1:]), dtype=np.float32)
    path = fc.onnx.export(model, tmp_path / "m.onnx")
    agree(run(path, [x]), predicted(model, [x]), 1e-4)
    if name in ("VGG16", "ResNet50", "MobileNetV2", "AlexNet"):
        config.set_winograd(False)
        try:
            agree(run(path, [x]), predicted(model, [x]), 1e-5)
        finally:
            config.set_winograd(True)


def built_by_call():
    model = Net(4)
    model.build((None, 6, 6, 3))
    return model


COMPOSED = {"a block that writes itself": scaled, "a model with call": built_by_call,
            "a block with call": lambda: fc.Sequential([fc.Input((6, 6, 3)), Residual(norm=True)])}


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", COMPOSED)
def test_onnxruntime_computes_layers_and_models_made_of_layers(kind, layout, tmp_path):
    model = COMPOSED[kind]()
    x = np.random.default_rng(3).standard_normal((2, *model.input_shape[1:])).astype(np.float32)
    path = fc.onnx.export(model, tmp_path / "m.onnx", layout=layout)
    (found,) = run(path, [np.ascontiguousarray(np.moveaxis(x, -1, 1)) if layout == "channels_first" else x])
    found = np.moveaxis(found, 1, -1) if layout == "channels_first" and found.ndim > 2 else found
    agree([found], predicted(model, [x]), 1e-5)
