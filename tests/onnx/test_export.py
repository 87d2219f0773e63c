"""The names in a file that is written: those of the model, and no other value's."""

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.onnx import export
from tests.onnx.files import by_operators


def written(model, path, *arrays, **how):
    """Export a model, check the names, and return what the file computes."""
    proto = onnx.load(export(model, path, **how))
    assert [value.name for value in proto.graph.input] == model.input_names
    assert [value.name for value in proto.graph.output] == model.output_names
    return by_operators(proto, *arrays)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_an_output_may_be_an_input_and_made_up_names_are_free(tmp_path, layout):
    a, b = fc.Input((2, 2, 3), name="x_1"), fc.Input((2, 2, 3), name="x")
    model = fc.Model([a, b], [b, layers.Add(name="add")([a, b])])
    rng = np.random.default_rng(0)
    one = rng.random((2, *((2, 2, 3) if layout == "channels_last" else (3, 2, 2))), np.float32)
    two = one + 1
    y, total = written(model, tmp_path / "m.onnx", one, two, layout=layout)
    np.testing.assert_array_equal(y, two)
    np.testing.assert_allclose(total, one + two)


def test_the_nodes_of_a_layer_take_no_name_of_an_input_or_output(tmp_path):
    a = fc.Input((4,), name="Identity")
    b = fc.Input((4,), name="add/add")
    model = fc.Model([a, b], {"add/add_1": layers.Add(name="add")([a, b]), "relu": layers.ReLU(name="relu")(a)})
    x = np.ones((2, 4), np.float32)
    total, rectified = written(model, tmp_path / "m.onnx", x, -2 * x)
    np.testing.assert_array_equal(total, -x)
    np.testing.assert_array_equal(rectified, x)


def test_an_output_with_the_name_of_another_input_is_refused_by_name(tmp_path):
    a = fc.Input((4,), name="a")
    with pytest.raises(ArgumentError, match="other names than the inputs, got 'a'"):
        export(fc.Model(a, {"a": layers.ReLU()(a)}), tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_only_a_model_is_written(tmp_path):
    with pytest.raises(ArgumentError, match="export: expected a model, got None"):
        export(None, tmp_path / "m.onnx")
