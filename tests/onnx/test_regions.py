"""Regions, grids and detections as nodes of a file: written, read back, refused where a model cannot have them."""

import numpy as np
import pytest

pytest.importorskip("onnx")

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ModelFileError
from fastcnn.onnx import backend
from fastcnn.onnx.operators import find
from tests.checks import TABLE
from tests.onnx.files import file, node

KINDS = ("GridSample", "NonMaxSuppression", "RoIAlign", "RoIPooling")
CASES = [pytest.param(case, id=f"{kind} {case.name}") for kind in KINDS for case in TABLE[kind]]


def _model(case):
    layer = case.layer("float32")
    inputs = [fc.Input(shape[1:]) for shape in layer.input_shape]
    return fc.Model(inputs, layer(inputs))


@pytest.mark.parametrize("case", CASES)
def test_a_layer_that_was_written_is_read_as_that_layer(case, tmp_path):
    model, xs = _model(case), case.input(3, "float32")
    path = fc.onnx.export(model, tmp_path / "m.onnx")
    again = fc.onnx.load(path)
    last = again.layers[-1]
    assert type(last) is type(model.layers[-1])
    for name in model.layers[-1].get_config().keys() - {"name", "dtype"}:
        assert getattr(last, name) == getattr(model.layers[-1], name), name
    expected = model.predict(list(xs))
    np.testing.assert_array_equal(again.predict(list(xs)), expected)
    ran = backend.prepare(path).run(list(xs))[0]
    np.testing.assert_allclose(ran, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_detector_with_its_suppression_goes_through_a_file(tmp_path):
    x = fc.Input((16, 16, 3))
    y = layers.Conv2D(10, 3, strides=4, padding="same")(x)
    boxes = layers.Reshape((32, 5))(y)
    corner, score = layers.Slice(0, 4)(boxes), layers.Slice(4, 5)(boxes)
    model = fc.Model(x, layers.NonMaxSuppression(12, 0.4)([corner, score]))
    again = fc.onnx.load(fc.onnx.export(model, tmp_path / "m.onnx"))
    image = np.random.default_rng(0).standard_normal((3, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(again.predict(image), model.predict(image), atol=1e-5)


@pytest.mark.parametrize(("operator", "inputs"), [
    ("RoiAlign", "x rois images"), ("MaxRoiPool", "x rois"),
])
def test_regions_of_any_number_are_refused_by_name_and_left_to_the_backend(operator, inputs):
    attributes = {"pooled_shape": [2, 2]} if operator == "MaxRoiPool" else {}
    constants = {"rois": np.zeros((2, 4 if operator == "RoiAlign" else 5), np.float32)}
    if operator == "RoiAlign":
        constants["images"] = np.zeros(2, np.int64)
    made = file([node(operator, inputs, **attributes)], (3, 8, 8), constants)
    with pytest.raises(ModelFileError, match=f"{operator} whose boxes are not as many of each image"):
        fc.onnx.load(made)


def test_suppression_of_nothing_is_an_empty_list():
    suppress = find("", "NonMaxSuppression").function
    boxes, scores = np.zeros((1, 3, 4), np.float32), np.full((1, 2, 3), 0.5, np.float32)
    for some, points in ((boxes[:, :0], scores[..., :0]), (boxes, scores[:, :0]), (boxes[:0], scores[:0])):
        assert suppress(some, points, np.array([5])).shape == (0, 3)
    assert suppress(boxes, scores).shape == (0, 3), "by default none is taken"
    assert suppress(boxes, scores, np.array([5]), np.array([0.5], np.float32),
                    np.array([0.5], np.float32)).shape == (0, 3), "a score has to be above the threshold"
