"""Operations on tensors in Keras's files: which layer does what each of them did, and which of them no layer does."""

import re

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ModelFileError
from tests.saving.keras_files import call, entry, functional, image, tensor, write_archive, write_h5_model

pytest.importorskip("h5py")

X = np.random.default_rng(1).uniform(-3, 3, (2, 4, 4, 2)).astype(np.float32)
REF = tensor("x")


def of_keras_3(tmp_path, kind, args, named=None, **config):
    told = {"class_name": kind, "config": {"name": "t"} | config, "name": "t",
            "inbound_nodes": [call(*args, **(named or {}))]}
    parts = [image("batch_shape", inbound=[]), told]
    path = write_archive(tmp_path / "m.keras", functional(parts, ["x", 0, 0], ["t", 0, 0]), {"layers/x": np.zeros(1)})
    return fc.saving.load_model(path)


def of_keras_2(tmp_path, function, node):
    parts = [image(inbound=[]), entry("TFOpLambda", "t", [node], function=function)]
    return fc.saving.load_model(write_h5_model(tmp_path / "m.h5", functional(parts, [["x", 0, 0]], [["t", 0, 0]]), {}))


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


#: Class, arguments by place and by name of the call, arguments of the operation, and what it gives.
KERAS_3 = {
    "a function": ("Relu", [REF], {}, {}, np.maximum(X, 0)), "exp": ("Exp", [REF], {}, {}, np.exp(X)),
    "an old name": ("Swish", [REF], {}, {}, X / (1 + np.exp(-X))),
    "softmax": ("Softmax", [REF], {}, {}, softmax(X, -1)),
    "an axis": ("Softmax", [REF], {}, {"axis": 1}, softmax(X, 1)),
    "log_softmax": ("LogSoftmax", [REF], {}, {"axis": 2}, np.log(softmax(X, 2))),
    "negative": ("Negative", [REF], {}, {}, -X),
    "x + x": ("Add", [REF, REF], {}, {}, X + X), "x - x": ("Subtract", [REF, REF], {}, {}, X - X),
    "x * x": ("Multiply", [REF, REF], {}, {}, X * X), "maximum": ("Maximum", [REF, REF], {}, {}, X),
    "by name": ("Add", [REF], {"x2": REF}, {}, X + X),
    "x + 2": ("Add", [REF, 2.0], {}, {}, X + 2), "2 + x": ("Add", [2.0, REF], {}, {}, X + 2),
    "x - 2": ("Subtract", [REF, 2.0], {}, {}, X - 2), "2 - x": ("Subtract", [2.0, REF], {}, {}, 2 - X),
    "3 * x": ("Multiply", [3, REF], {}, {}, 3 * X), "x / 4": ("TrueDivide", [REF, 4.0], {}, {}, X / 4),
    "above": ("Maximum", [REF, 0.5], {}, {}, np.maximum(X, 0.5)),
    "below": ("Minimum", [0.5, REF], {}, {}, np.minimum(X, 0.5)),
    "clip": ("Clip", [REF, -1.0, 0.5], {}, {}, np.clip(X, -1, 0.5)),
    "clip by name": ("Clip", [REF], {}, {"x_min": -1, "x_max": 0.5}, np.clip(X, -1, 0.5)),
    "concatenate": ("Concatenate", [[REF, REF]], {}, {"axis": 1}, np.concatenate([X, X], 1)),
    "an axis by place": ("Concatenate", [[REF, REF], -1], {}, {}, np.concatenate([X, X], -1)),
    "a tuple": ("Concatenate", [{"class_name": "__tuple__", "items": [REF, REF]}], {}, {"axis": 2},
                np.concatenate([X, X], 2)),
    "2 / x": ("TrueDivide", [2.0, REF], {}, {}, 2 / X), "x / x": ("Divide", [REF, REF], {}, {}, np.ones_like(X)),
    "gelu, nearly": ("Gelu", [REF], {}, {"approximate": True},
                     X / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)))),
    "x ** 2": ("Power", [REF, 2.0], {}, {}, X**2), "abs": ("Absolute", [REF], {}, {}, np.abs(X)),
    "mean": ("Mean", [REF], {}, {"axis": [1, 2], "keepdims": True}, X.mean((1, 2), keepdims=True)),
    "an array": ("Multiply", [REF, {"class_name": "__numpy__", "config": {"value": [2.0, 3.0], "dtype": "float32"}}],
                 {}, {}, X * np.array([2, 3])),
    "brackets": ("GetItem", [REF, [{"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}},
                                   1]], {}, {}, X[:, 1]),
    "reshape": ("Reshape", [REF], {}, {"newshape": [-1, 32]}, X.reshape(-1, 32)),
    "transpose": ("Transpose", [REF], {}, {"axes": [0, 2, 1, 3]}, X.transpose(0, 2, 1, 3)),
}  # fmt: skip


@pytest.mark.parametrize("case", KERAS_3)
def test_an_operation_of_keras_3_is_the_layer_that_does_the_same(tmp_path, case):
    kind, args, named, config, wanted = KERAS_3[case]
    np.testing.assert_allclose(of_keras_3(tmp_path, kind, args, named, **config).predict(X), wanted, rtol=1e-5,
                               atol=1e-6)


NODE = ["x", 0, 0]
KERAS_2 = {
    "a function": ("nn.relu6", [*NODE, {"name": None}], np.clip(X, 0, 6)),
    "softmax": ("nn.softmax", [*NODE, {"axis": 1, "name": "s"}], softmax(X, 1)),
    "x / 4": ("math.truediv", [*NODE, {"y": 4.0, "name": None}], X / 4),
    "2 - x": ("math.subtract", ["_CONSTANT_VALUE", -1, 2.0, {"y": NODE}], 2 - X),
    "x + x": ("__operators__.add", [*NODE, {"y": NODE, "name": None}], X + X),
    "clip": ("clip_by_value", [*NODE, {"clip_value_min": -1.0, "clip_value_max": 0.5}], np.clip(X, -1, 0.5)),
    "concat": ("concat", [[*NODE, {"axis": 1}], NODE], np.concatenate([X, X], 1)),
}  # fmt: skip


@pytest.mark.parametrize("case", KERAS_2)
def test_an_operation_of_keras_2_is_the_layer_that_does_the_same(tmp_path, case):
    function, node, wanted = KERAS_2[case]
    np.testing.assert_allclose(of_keras_2(tmp_path, function, node).predict(X), wanted, rtol=1e-5, atol=1e-6)


REFUSED = {
    "numbers alone": ("Add", [1.0, 2.0], {}, {}),
    "nothing": ("Relu", [], {}, {}), "a word": ("Add", [REF, "2"], {}, {}),
    "a sigmoid with an argument": ("Sigmoid", [REF], {}, {"beta": 2.0}),
    "a sum with an argument": ("Add", [REF, REF], {}, {"alpha": 2.0}),
    "a softmax with a temperature": ("Softmax", [REF], {}, {"temperature": 2.0}),
    "a negative with an argument": ("Negative", [REF], {}, {"alpha": 2.0}),
    "three tensors": ("Add", [REF, REF, REF], {}, {}), "one bound": ("Clip", [REF], {}, {"x_min": 0.0}),
    "a bound that is a word": ("Clip", [REF], {}, {"x_min": 0.0, "x_max": "1"}),
    "a clipped number": ("Clip", [2.0, 0.0, 1.0], {}, {}),
    "tensors side by side with an argument": ("Concatenate", [[REF, REF]], {}, {"axis": 1, "other": 2}),
    "a word for an axis": ("Sum", [REF], {}, {"axis": "rows"}), "no such function": ("Fft2", [REF], {}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_operation_that_no_layer_does_is_refused_by_name(tmp_path, case):
    kind, args, named, config = REFUSED[case]
    with pytest.raises(ModelFileError, match=re.escape(f'the operation {kind} "t"')):
        of_keras_3(tmp_path, kind, args, named, **config)
