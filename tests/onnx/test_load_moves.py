"""Borders, parts, sizes, and a batch that is turned away and back: what files of others do to images between layers."""

import numpy as np
import pytest
from onnx import helper

from fastcnn import Input, Model, layers
from fastcnn import onnx as fc_onnx
from fastcnn.errors import ModelFileError
from fastcnn.onnx import backend, load
from tests.onnx.files import agrees, draw, file, kinds, node, turned
from tests.onnx.test_load import trains

IMAGE = (3, 5, 6)


def reloaded(model, shape, tmp_path):
    """Export a model, load the file, and expect the same."""
    x = draw(2, *model.input_shape[1:])
    again = load(fc_onnx.export(model, tmp_path / "again.onnx", layout="channels_first"))
    np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-5)


@pytest.mark.parametrize(("mode", "pads", "value", "shape", "expected"), [
    ("constant", [0, 1, 0, 0, 0, 2, 0, 0], None, IMAGE, ["ZeroPadding3D"]),
    ("constant", [0, 0, 1, 2, 0, 0, 0, 1], 1.5, IMAGE, ["Padding2D"]),
    ("constant", [0, 1, 1, 2, 0, 0, 0, 1], -2.5, IMAGE, ["Padding3D", "Padding2D", "Padding2D"]),
    ("wrap", [0, 0, 2, 1, 0, 0, 3, 7], None, IMAGE, ["Padding2D"]),
    ("edge", [0, 1, 1, 0, 0, 0, 0, 3], None, IMAGE, ["Padding3D", "Padding2D", "Padding2D"]),
    ("reflect", [0, 2, 0, 0, 0, 1, 0, 0], None, IMAGE, ["Padding3D"]),
    ("reflect", [0, 0, 9, 0, 0, 0, 4, 2], None, IMAGE, ["Take", "Take"]),
    ("reflect", [0, -1, 2, 0, 0, 0, -2, 1], None, IMAGE, ["Slice", "Slice", "Padding2D"]),
    ("constant", [0, 2, 0, 1], 0.5, (7,), ["Padding1D"]),
    ("reflect", [0, 0, 4, 0, 0, 4], None, (1, 9), ["Padding1D"]),
], ids=str)
def test_a_border_of_any_dimension(mode, pads, value, shape, expected, tmp_path):
    weights = {"p": np.array(pads)} | ({} if value is None else {"v": np.float32(value)})
    proto = file([node("Pad", "x p" if value is None else "x p v", mode=mode)], shape, weights, opset=19)
    model = agrees(proto, shape)
    assert [kind for kind in kinds(model)[1:] if kind not in ("Reshape", "Permute")] == expected
    trains(model)
    reloaded(model, shape, tmp_path)


def test_a_border_of_what_no_maximum_takes():
    nodes = [node("Pad", "x p v", "a"), node("MaxPool", "a", "y", kernel_shape=[2, 2])]
    agrees(file(nodes, IMAGE, {"p": np.array([0, 0, 0, 0, 0, 0, 1, 1]), "v": np.float32(-np.inf)}), IMAGE)


@pytest.mark.parametrize(("nodes", "weights", "expected"), [
    ([node("Slice", "x b e a s")], {"b": [-1], "e": [-(2**60)], "a": [3], "s": [-1]}, ["Slice"]),
    ([node("Slice", "x b e a s")], {"b": [9, -2], "e": [-9, 0], "a": [1, 2], "s": [-2, -1]}, ["Slice", "Slice"]),
    ([node("Gather", "x i", axis=1)], {"i": [2, 1, 0]}, ["Slice"]),
    ([node("Gather", "x i", axis=1)], {"i": [1, 0, 2, -1]}, ["Take"]),
    ([node("Gather", "x i", axis=-1)], {"i": [[0, 1, 3], [1, 2, 4]]}, ["Take"]),
    ([node("Gather", "x i", axis=2)], {"i": [[0, 2], [4, 4]]}, ["Take"]),
    ([node("Gather", "x i", axis=2)], {"i": [3, 3]}, ["Take"]),
    ([node("Tile", "x r")], {"r": [1, 2, 1, 3]}, ["Concatenate", "Concatenate"]),
    ([node("GlobalAveragePool", "x", "g"), node("Tile", "g r")], {"r": [1, 1, 4, 2]},
     ["GlobalAveragePooling2D", "Take", "Take"]),
    ([node("SplitToSequence", "x n", "s", axis=3), node("SequenceAt", "s i")], {"n": [1, 3, 2], "i": -2},
     ["Slice"]),
    ([node("SplitToSequence", "x n", "s", axis=2), node("SequenceAt", "s i")], {"n": 2, "i": 2}, ["Slice"]),
    ([node("SplitToSequence", "x", "s", axis=1, keepdims=0), node("SequenceAt", "s i")], {"i": 1}, ["Slice"]),
], ids=lambda value: "-".join(n.op_type for n in value) if isinstance(value, list) and not isinstance(
    value[0], str) else "")
def test_parts_in_any_order(nodes, weights, expected, tmp_path):
    proto = file(nodes, IMAGE, {name: np.array(value) for name, value in weights.items()})
    model = agrees(proto, IMAGE)
    assert [kind for kind in kinds(model)[1:] if kind not in ("Reshape", "Permute")] == expected
    trains(model)
    reloaded(model, IMAGE, tmp_path)


HALF = {"coordinate_transformation_mode": "half_pixel"}


@pytest.mark.parametrize(("shape", "given", "how", "expected"), [
    (IMAGE, {"s": [1, 1, 2.5, 0.4]}, {"mode": "nearest", "coordinate_transformation_mode": "asymmetric",
                                      "nearest_mode": "floor"}, "Resize"),
    (IMAGE, {"z": [2, 3, 8, 4]}, {"mode": "linear", "coordinate_transformation_mode": "align_corners"}, "Resize"),
    (IMAGE, {"s": [1, 1, 2, 3]}, {"mode": "linear", "coordinate_transformation_mode": "align_corners"}, "Resize"),
    (IMAGE, {"z": [2, 3, 10, 6]}, {"mode": "nearest", **HALF}, "UpSampling2D"),
    (IMAGE, {"s": [1, 1, 3, 2]}, {"mode": "nearest", "nearest_mode": "ceil", **HALF}, "Resize"),
    (IMAGE, {"s": [1, 1, 1, 2]}, {"mode": "linear", **HALF}, "UpSampling2D"),
    (IMAGE, {"s": [1, 1, 1.3, 2]}, {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1}, "Resize"),
    (IMAGE, {"s": [1, 1, 0.5, 0.5]}, {"mode": "linear", "antialias": 1}, "Resize"),
    (IMAGE, {"s": [1, 2, 1, 1.5]}, {"mode": "linear"}, "Resize"),
    ((4, 7), {"s": [1, 1, 1.7]}, {"mode": "linear"}, "Resize"),
    ((2, 3, 4, 5), {"z": [2, 2, 5, 2, 9]}, {"mode": "linear"}, "Resize"),
    ((2, 3, 4, 5), {"s": [1, 1, 2, 1, 2]}, {"mode": "nearest", **HALF}, "UpSampling3D"),
    ((2, 3, 4, 5), {"s": [1, 1, 2, 1, 2]}, {"mode": "linear", **HALF}, "Resize"),
    (IMAGE, {"z": [9, 9]}, {"mode": "linear", "axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"}, "Resize"),
], ids=str)
def test_a_size_by_any_rule(shape, given, how, expected, tmp_path):
    made = helper.make_node("Resize", ["x", "", "s"] if "s" in given else ["x", "", "", "z"], ["y"], **how)
    weights = {name: np.array(value, np.float32 if name == "s" else np.int64) for name, value in given.items()}
    model = agrees(file([made], shape, weights, opset=19, batch=2), shape, batch=2, tolerance=1e-5)
    assert [kind for kind in kinds(model)[1:] if kind not in ("Reshape", "Permute")] == [expected]
    trains(model)
    reloaded(model, shape, tmp_path)


@pytest.mark.parametrize(("operator", "opset"), [("Upsample", 9), ("Resize", 10)])
def test_sizes_of_old_files(operator, opset):
    for scales, mode in (([1, 1, 2, 2], "linear"), ([1, 1, 1.6, 2], "nearest")):
        proto = file([node(operator, "x s", mode=mode)], IMAGE, {"s": np.array(scales, np.float32)}, opset=opset)
        assert kinds(agrees(proto, IMAGE, tolerance=1e-5))[1:] == ["Resize"]


def test_images_that_are_channels_last_in_the_file_are_resized_as_they_lie():
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "c"),
             node("Transpose", "c", "u", perm=[0, 2, 3, 1]), node("Tanh", "u", "v"),
             helper.make_node("Resize", ["v", "", "s"], ["y"], mode="linear")]
    proto = file(nodes, (5, 6, 3), {"w": draw(4, 3, 2, 2), "s": np.array([1, 1.5, 2, 1], np.float32)})
    model, x = load(proto), draw(2, 5, 6, 3)
    assert kinds(model) == ["InputLayer", "Conv2D", "Tanh", "Resize"]
    np.testing.assert_allclose(model.predict(x), backend.run_model(proto, [x])[0], atol=1e-5)


# --- a batch that is not the first dimension --------------------------------------------------------------------------


def picks(indices, batch="n"):
    """Return a file that picks pixels by index between two transposes, as PyTorch's exporter writes it."""
    nodes = [node("Transpose", "x", "t", perm=[2, 3, 0, 1]), node("GatherND", "t i", "g"),
             node("Transpose", "g", "y", perm=[indices.ndim - 1, indices.ndim, *range(indices.ndim - 1)])]
    return file(nodes, IMAGE, {"i": indices}, batch=batch)


def test_pixels_are_picked_row_by_row_where_the_indices_are_a_grid():
    grid = np.stack(np.meshgrid([0, 0, 2, 4], [5, -1, 1], indexing="ij"), -1)
    model = agrees(picks(grid), IMAGE)
    assert kinds(model)[1:] == ["Take", "Take"]
    trains(model)
    agrees(picks(grid, 2), IMAGE, batch=2)


def test_pixels_are_picked_one_by_one_where_the_indices_are_any():
    model = agrees(picks(np.array([[0, 5], [4, 4], [-1, 0], [0, 5]])), IMAGE)
    assert [kind for kind in kinds(model)[1:] if kind != "Reshape"] == ["Take"]


def test_channels_are_picked_between_two_transposes():
    nodes = [node("Transpose", "x", "t", perm=[1, 0, 2, 3]), node("Gather", "t i", "g"),
             node("Transpose", "g", "y", perm=[1, 0, 2, 3])]
    assert kinds(agrees(file(nodes, IMAGE, {"i": np.array([2, 1, 0])}), IMAGE))[1:] == ["Slice"]


def test_a_shuffle_for_a_batch_of_one_shuffles_every_sample():
    """ShuffleNet's, which puts the batch together with the channels, and takes its halves by index."""
    nodes = [node("Reshape", "x a", "r"), node("Transpose", "r", "t", perm=[1, 0, 2]), node("Reshape", "t b", "s"),
             node("Gather", "s zero", "u"), node("Gather", "s one", "v"), node("Conv", "v w", "c"),
             node("Concat", "u c", "y", axis=1)]
    weights = {"a": np.array([3, 2, 20]), "b": np.array([2, -1, 3, 4, 5]), "zero": np.array(0), "one": np.array(1),
               "w": draw(3, 3, 1, 1)}
    proto = file(nodes, (6, 4, 5), weights, batch=1)
    model, x = load(proto), draw(4, 6, 4, 5)
    want = np.concatenate([backend.run_model(proto, [one[None]])[0] for one in x])
    np.testing.assert_allclose(model.predict(turned(x)), turned(want), atol=1e-5)
    trains(model)


@pytest.mark.parametrize("batch", [2, "n"])
def test_pooled_numbers_that_are_read_by_stride(batch):
    """Flattened with their batch and picked in their order: PyTorch's channels-last pooling."""
    nodes = [node("GlobalAveragePool", "x", "g"), node("Reshape", "g flat", "f"), node("Shape", "x", "sh"),
             node("Gather", "sh zero", "n"), node("Range", "zero n one", "r"), node("Mul", "r three", "m"),
             node("Unsqueeze", "m axes", "u"), node("Add", "u within", "i"), node("Gather", "f i", "p"),
             node("Gemm", "p w", "y")]
    weights = {"flat": np.array([-1]), "zero": np.array(0), "one": np.array(1), "three": np.array(3),
               "axes": np.array([1]), "within": np.arange(3)[None], "w": draw(3, 4)}
    model = agrees(file(nodes, IMAGE, weights, batch=batch), IMAGE, batch=2)
    assert kinds(model)[-1] == "Dense"


def test_what_turns_the_batch_for_good_is_named_once_with_its_node():
    nodes = [node("Transpose", "x", "t", perm=[1, 0, 2, 3]), node("Relu", "t", "a"), node("Tanh", "t", "b"),
             node("Add", "a b")]
    with pytest.raises(ModelFileError) as caught:
        load(file(nodes, IMAGE))
    assert 'got Transpose of the batch (Transpose "Transpose_t"); fastcnn' in str(caught.value)
    with pytest.raises(ModelFileError, match="samples picked by index"):
        load(picks(np.zeros((2, 3), int)))
    with pytest.raises(ModelFileError, match="Pad of the batch"):
        load(file([node("Pad", "x p")], IMAGE, {"p": np.array([1, 0, 0, 0, 0, 0, 0, 0])}))
    for repeats, message in (([1, 2], "Tile of .* by"), ([2, 1, 1, 1], "Tile of the batch")):
        with pytest.raises(ModelFileError, match=message):
            load(file([node("Tile", "x r")], IMAGE, {"r": np.array(repeats)}))
    with pytest.raises(ModelFileError, match="place 3 of a sequence of 3"):
        load(file([node("SplitToSequence", "x", "s", axis=1), node("SequenceAt", "s i")], IMAGE, {"i": np.array(3)}))
    with pytest.raises(ModelFileError, match="got the sequence 'y'"):
        load(file([node("SplitToSequence", "x", "y", axis=1)], IMAGE))
    with pytest.raises(ModelFileError, match="tf_crop_and_resize"):
        load(file([helper.make_node("Resize", ["x", "", "s"], ["y"],
                                    coordinate_transformation_mode="tf_crop_and_resize")],
                  IMAGE, {"s": np.ones(4, np.float32)}))


# --- sizes that stay free ---------------------------------------------------------------------------------------------


def test_a_dimension_written_as_minus_one_is_free():
    proto = file([node("Relu", "x")], (3, -1, 6), batch=-1)
    assert load(proto).input_shape == (None, None, 6, 3)
    assert load(proto, input_shapes=(3, 4, 6)).input_shape == (None, 4, 6, 3)
    with pytest.raises(ModelFileError, match="dimension of -2"):
        load(file([node("Relu", "x")], (3, -2, 6)))


def test_a_shuffle_whose_sizes_the_file_computes_takes_images_of_other_sizes():
    nodes = [node("Shape", "x", "s"), node("Slice", "s two four", "hw"), node("Concat", "head hw", "a", axis=0),
             node("Concat", "tail hw", "b", axis=0), node("Reshape", "x a", "r"),
             node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]), node("Reshape", "t b", "u"),
             node("Slice", "u zero end three back", "v"), node("Reshape", "v flat", "y")]
    weights = {"two": [2], "four": [4], "head": [0, 3, 2], "tail": [0, 6], "zero": [-1], "end": [-99], "three": [3],
               "back": [-1], "flat": [0, 6, -1]}
    weights = {name: np.array(value) for name, value in weights.items()}
    model = agrees(file(nodes, (6, 4, 5), weights), (6, 4, 5))
    y = x = Input((3, 7, 6))
    for layer in model.layers[1:]:
        y = layer(y)
    larger, images = Model(x, y), draw(2, 6, 3, 7)
    want = backend.run_model(file(nodes, (6, 3, 7), weights), [images])[0]
    got = larger.predict(turned(images))
    assert any(np.array_equal(got, order) for order in (want, turned(want)) if order.shape == got.shape)


def test_layers_of_a_file_are_saved_and_loaded(tmp_path):
    nodes = [node("Pad", "x p v", "a"), helper.make_node("Resize", ["a", "", "s"], ["b"], mode="linear"),
             node("Gather", "b i", "y", axis=1)]
    weights = {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "v": np.float32(2), "s": np.array([1, 1, 1.5, 0.7], np.float32),
               "i": np.array([0, 2, 2])}
    model, x = load(file(nodes, IMAGE, weights)), draw(2, 5, 6, 3)
    model.save(tmp_path / "m.safetensors")
    from fastcnn.saving import load_model

    again = load_model(tmp_path / "m.safetensors")
    assert [type(layer) for layer in again.layers] == [layers.InputLayer, layers.Padding2D, layers.Resize, layers.Take]
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
