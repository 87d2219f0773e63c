"""onnxruntime computes what operations of a model are exported as: every row that ONNX has operators for."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, ops
from fastcnn.errors import ArgumentError
from tests.layers.test_own import Linear, Normalized
from tests.ops.table import TABLE
from tests.ops.test_laws import BATCHES

ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytestmark = pytest.mark.peers

#: Operations of which ONNX has none, as they are meant here; what is put together of them cannot be exported either.
NO_OPERATOR = {"mod", "floor_divide", "top_k", "conv_transpose", "argsort", "sort", "any", "all", "zeros_like",
               "ones_like", "full_like", "average"}


def node_of(name):
    """Return symbolic inputs and what the operation of a row makes of them."""
    row = TABLE[name]
    inputs = [fc.Input(x.shape[1:]) for x in row.arrays]
    return inputs, ops.cast(row.run(*inputs), "float32")


def is_exported(name):
    """Return whether ONNX has the operation, and its result is a batch, as that of a model is."""
    if name.partition(" ")[0].partition(",")[0] in NO_OPERATOR or name == "ravel":
        return False
    return node_of(name)[1].shape[:1] == (None,)


EXPORTED = [name for name in BATCHES if is_exported(name)]


def run(path, xs):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {one.name: x for one, x in zip(session.get_inputs(), xs, strict=True)})


@pytest.mark.parametrize("name", EXPORTED)
def test_onnxruntime_computes_every_operation(name, tmp_path):
    row, (inputs, result) = TABLE[name], node_of(name)
    model = fc.Model(inputs, result)
    xs = [np.ascontiguousarray(x, np.float32) for x in row.arrays]
    (found,) = run(fc.onnx.export(model, tmp_path / "m.onnx"), xs)
    expected = model.predict(xs if len(xs) > 1 else xs[0])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize(("function", "filters"), [(ops.conv, (3, 2, 4, 6)), (ops.conv, (3, 2, 2, 6)),
                                                   (ops.depthwise_conv, (3, 2, 4, 2))])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_convolutions_with_filters_of_a_layer_s_own(function, filters, padding, tmp_path):
    class Filtered(layers.Layer):
        def build(self, input_shape):
            self.filters = self.add_weight(shape=filters, name="filters")

        def call(self, x):
            return function(x, self.filters, strides=2, padding=padding)

    model = fc.Sequential([fc.Input((6, 5, 4)), Filtered()])
    x = np.random.default_rng(0).standard_normal((2, 6, 5, 4)).astype(np.float32)
    (found,) = run(fc.onnx.export(model, tmp_path / "m.onnx"), [x])
    np.testing.assert_allclose(found, model.predict(x), rtol=1e-4, atol=1e-5)


def test_layers_of_one_s_own_are_exported_by_what_their_call_does(tmp_path):
    model = fc.Sequential([fc.Input((5,)), Linear(4), Normalized(), layers.ReLU(), Linear(2)])
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    (found,) = run(fc.onnx.export(model, tmp_path / "m.onnx"), [x])
    np.testing.assert_allclose(found, model.predict(x), rtol=1e-4, atol=1e-5)


def test_an_operation_that_onnx_does_not_have_is_named(tmp_path):
    x = fc.Input((5,))
    with pytest.raises(ArgumentError, match="expected an operation that ONNX has to export, got 'mod'"):
        fc.onnx.export(fc.Model(x, x % 2.0), tmp_path / "m.onnx")
