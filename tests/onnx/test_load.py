"""A file of another program becomes a model: its layers, its outputs, and that it trains, is saved and exported."""

import glob
import os
import re

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import helper, numpy_helper

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.onnx import load
from tests.onnx.files import RNG, agrees, by_operators, draw, file, kinds, node, turned

LIGHT = sorted(glob.glob(os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light", "*.onnx")))


@pytest.fixture(autouse=True)
def _the_same_numbers_in_any_order_of_the_tests():
    RNG.bit_generator.state = np.random.default_rng(11).bit_generator.state


# --- whole networks -------------------------------------------------------------------------------------------------


def randomized(path):
    """Return a light model with random weights: its own are all alike."""
    model = onnx.load(path)
    sizes = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    variances = {n.input[4] for n in model.graph.node if n.op_type == "BatchNormalization"}
    for made in [n for n in model.graph.node if n.op_type == "ConstantOfShape"]:
        shape, name = sizes[made.input[0]].tolist(), made.output[0]
        if name in variances:
            value = 0.5 + RNG.random(shape, np.float32)
        else:
            value = RNG.random(shape, np.float32) - np.float32(0.5)
            value *= np.sqrt(24 / np.prod(shape[1:])) if len(shape) > 1 else 0.2
        model.graph.initializer.append(numpy_helper.from_array(value, name))
        model.graph.node.remove(made)
    return model


#: Of 60 to 140 million weights.
LARGE = re.compile("alexnet|vgg19|zfnet512")


@pytest.mark.parametrize("path", [
    pytest.param(path, id=re.sub(r".*light_|\.onnx", "", path), marks=pytest.mark.slow if LARGE.search(path) else ())
    for path in LIGHT])
def test_the_light_models_of_onnx_compute_what_the_backend_does(path):
    proto = randomized(path)
    model = load(proto)
    x = draw(1, 3, 224, 224)
    want = by_operators(proto, x)[0]
    got = model.predict(turned(x))
    # The model may take Winograd where the backend does not, and a softmax multiplies the difference.
    np.testing.assert_allclose(got, turned(want), rtol=0, atol=1e-4 * np.abs(want).max())
    assert model.predict(np.concatenate([turned(x)] * 2)).shape[0] == 2  # the file says a batch of 1
    permutes = kinds(model).count("Permute")
    assert permutes == (16 if "shufflenet" in path else 0)


def test_a_loaded_network_trains_is_saved_and_exported(tmp_path):
    proto = small_network()
    model = load(proto)
    x, labels = draw(16, 3, 8, 8), RNG.integers(0, 4, 16)
    before = [w.copy() for w in model.get_weights()]
    model.compile(optimizer="adam", loss=fc.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(turned(x), labels, epochs=5, batch_size=8, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "m.safetensors")
    again = fc.saving.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(turned(x)), model.predict(turned(x)))
    fc.onnx.export(model, tmp_path / "m.onnx")
    np.testing.assert_allclose(load(tmp_path / "m.onnx").predict(turned(x)), model.predict(turned(x)), atol=1e-5)
    assert "conv_a" in "".join(layer.name for layer in model.layers)


def small_network():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "conv_a", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "a s b m v", "n"), node("Relu", "n", "r"),
        node("Conv", "r d", "c", group=6, pads=[1, 0, 0, 1], kernel_shape=[2, 2]), node("Add", "c r", "e"),
        node("MaxPool", "e", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Shape", "p", "shape"), node("Gather", "shape zero", "n0"), node("Unsqueeze", "n0 zero1", "n1"),
        node("Concat", "n1 minus", "target", axis=0), node("Reshape", "p target", "f"),
        node("Gemm", "f k kb", "y", transB=1),
    ]
    weights = {"w": draw(6, 3, 3, 3), "s": draw(6), "b": draw(6), "m": draw(6), "v": 1 + draw(6) ** 2,
               "d": draw(6, 1, 2, 2), "zero": np.array(0), "zero1": np.array([0]), "minus": np.array([-1]),
               "k": draw(4, 96), "kb": draw(4)}
    return file(nodes, (3, 8, 8), weights)


def test_shapes_that_the_file_computes_are_folded_and_the_dense_layer_takes_its_rows_in_the_order_of_memory():
    model = agrees(small_network(), (3, 8, 8))
    assert kinds(model) == ["InputLayer", "Conv2D", "BatchNormalization", "ReLU", "DepthwiseConv2D", "Add",
                            "MaxPooling2D", "Reshape", "Dense"]


# --- the order of dimensions ----------------------------------------------------------------------------------------


def test_a_file_with_channels_last_keeps_them():
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "c"),
             node("Transpose", "c", "y", perm=[0, 2, 3, 1])]
    proto = file(nodes, (5, 6, 3), {"w": draw(4, 3, 2, 2)})
    model, x = load(proto), draw(2, 5, 6, 3)
    assert kinds(model) == ["InputLayer", "Conv2D"]
    np.testing.assert_allclose(model.predict(x), by_operators(proto, x)[0], atol=1e-5)


def test_channels_first_keeps_the_order_of_the_file_at_the_borders():
    proto, x = file([node("Conv", "x w")], (3, 5, 6), {"w": draw(4, 3, 2, 2)}), draw(2, 3, 5, 6)
    model = load(proto, layout="channels_first")
    np.testing.assert_allclose(model.predict(x), by_operators(proto, x)[0], atol=1e-5)
    assert kinds(model) == ["InputLayer", "Permute", "Conv2D", "Permute"]


def test_a_shuffle_of_channels_is_one_permutation():
    nodes = [node("Reshape", "x five", "a"), node("Transpose", "a", "b", perm=[0, 2, 1, 3, 4]),
             node("Reshape", "b four", "c"), node("Conv", "c w")]
    weights = {"five": np.array([0, 3, 2, 4, 4]), "four": np.array([-1, 6, 4, 4]), "w": draw(2, 6, 1, 1)}
    model = agrees(file(nodes, (6, 4, 4), weights), (6, 4, 4))
    assert kinds(model).count("Permute") == 1


@pytest.mark.parametrize(("nodes", "shape", "weights"), [
    ([node("Flatten", "x")], (3, 4, 5), {}),
    ([node("Reshape", "x s")], (4, 3, 5), {"s": np.array([0, 6, 10])}),
    ([node("Tanh", "x", "r"), node("Transpose", "r", "t", perm=[0, 2, 1]), node("Flatten", "t")], (3, 4), {}),
    ([node("Transpose", "x", "t", perm=[0, 3, 2, 1]), node("Add", "x t")], (4, 4, 4), {}),
    ([node("Flatten", "x", "f"), node("MatMul", "f k", "m"), node("Add", "m b")], (2, 3, 4),
     {"k": draw(24, 5), "b": draw(5)}),
    ([node("Tanh", "x", "r"), node("Transpose", "r", "t", perm=[0, 2, 1]), node("MatMul", "t k")], (3, 7),
     {"k": draw(3, 5)}),
    ([node("Flatten", "x", "f"), node("Tanh", "f", "r"), node("Mul", "r c")], (2, 3, 4), {"c": draw(24)}),
    ([node("Reshape", "x s", "r"), node("Slice", "r b e a", "t"), node("Reshape", "t u")], (6, 2, 2),
     {"s": np.array([0, 3, 2, 2, 2]), "b": np.array([1]), "e": np.array([2]), "a": np.array([1]),
      "u": np.array([0, 2, 2, 2])}),
    ([node("DepthToSpace", "x", "y", blocksize=2)], (8, 2, 3), {}),
    ([node("DepthToSpace", "x", "y", blocksize=2, mode="CRD")], (8, 2, 3), {}),
    ([node("SpaceToDepth", "x", "y", blocksize=2)], (3, 4, 6), {}),
    ([node("Softmax", "x", "y", axis=1)], (5, 3, 4), {}),
    ([node("Softmax", "x", "y", axis=2)], (5, 3, 4), {}),
    ([node("LogSoftmax", "x", "y", axis=-1)], (5, 3, 4), {}),
    ([node("Concat", "x x", "y", axis=1)], (2, 3, 4), {}),
    ([node("Concat", "x x", "y", axis=3)], (2, 3, 4), {}),
    ([node("Split", "x s", "a b", axis=1), node("Concat", "b a", "y", axis=1)], (5, 2, 2), {"s": np.array([2, 3])}),
    ([node("Gather", "x i", "y", axis=1)], (5, 2, 3), {"i": np.array(-2)}),
    ([node("Slice", "x b e a s", "y")], (5, 6, 7), {"b": np.array([1, -6]), "e": np.array([2**60, -1]),
                                                   "a": np.array([3, 2]), "s": np.array([3, 2])}),
    ([node("Pad", "x p", "y", mode="reflect")], (2, 4, 5), {"p": np.array([0, 0, 1, 2, 0, 0, 0, 3])}),
    ([node("Pad", "x p", "y")], (2, 4, 5), {"p": np.array([0, 0, -1, 2, 0, 0, 1, -1])}),
    ([node("ReduceMean", "x", "y", axes=[2, 3])], (3, 4, 5), {}),
    ([node("ReduceMean", "x", "y", axes=[1], keepdims=0)], (3, 4, 5), {}),
    ([node("ReduceMax", "x", "y", axes=[-1], keepdims=0)], (3, 4, 5), {}),
    ([node("ReduceSum", "x a", "y", keepdims=0)], (3, 4, 5), {"a": np.array([1, 3])}),
], ids=lambda value: "-".join(n.op_type for n in value) if isinstance(value, list) else "")
def test_what_moves_reshapes_and_reduces(nodes, shape, weights):
    model = agrees(file(nodes, shape, weights), shape)
    trains(model)
    agrees(file(nodes, shape, {**weights}, batch=1), shape, batch=1)


def trains(model):
    """The gradient of the input exists and is that of the differences along a random direction."""
    x = draw(2, *model.input_shape[1:])
    y, backward = model.forward(x)
    dy, direction, step = draw(*y.shape), draw(*x.shape), 1e-2
    slope = float((backward(dy) * direction).sum())
    ends = [float((model.forward(x + sign * step * direction)[0].astype(np.float64) * dy).sum()) for sign in (1, -1)]
    assert abs((ends[0] - ends[1]) / (2 * step) - slope) < 2e-2 * (1 + abs(slope))


# --- nodes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("nodes", "shape", "weights", "expected"), [
    ([node("Conv", "x w", "c"), node("Mul", "c s", "m"), node("Sub", "b m")], (3, 4, 4),
     {"w": draw(5, 3, 3, 3), "s": draw(5, 1, 1), "b": draw(1, 5, 1, 1)}, ["Conv2D"]),
    ([node("BatchNormalization", "x s b m v", "n"), node("Mul", "n g", "o"), node("Add", "o b1")], (4, 3, 3),
     {"s": draw(4), "b": draw(4), "m": draw(4), "v": 1 + draw(4) ** 2, "g": draw(4, 1, 1), "b1": draw(4, 1, 1)},
     ["BatchNormalization"]),
    ([node("Relu", "x", "r"), node("Mul", "r c")], (4, 3, 3), {"c": draw(4, 1, 1)}, ["ReLU", "DepthwiseConv2D"]),
    ([node("Sub", "x m", "c"), node("Div", "c s")], (3, 4, 4), {"m": draw(3, 1, 1), "s": 1 + draw(3, 1, 1) ** 2},
     ["Rescaling", "Rescaling"]),
    ([node("Add", "x p")], (3, 4, 4), {"p": draw(1, 3, 4, 4)}, ["Rescaling"]),
    ([node("Sigmoid", "x", "s"), node("Mul", "x s")], (3, 4, 4), {}, ["SiLU"]),
    ([node("Div", "x r", "d"), node("Erf", "d", "e"), node("Add", "e one", "p"), node("Mul", "x p", "q"),
      node("Mul", "q half")], (3, 4), {"r": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5)},
     ["GELU"]),
    ([node("Mul", "x h", "a"), node("Mul", "x r", "d"), node("Erf", "d", "e"), node("Add", "one e", "p"),
      node("Mul", "a p")], (3, 4), {"r": np.float32(0.5**0.5), "one": np.float32(1), "h": np.float32(0.5)}, ["GELU"]),
    ([node("HardSigmoid", "x", "s", alpha=1 / 6), node("Mul", "s x")], (3, 4, 4), {}, ["Activation"]),
    ([node("Softplus", "x", "s"), node("Tanh", "s", "t"), node("Mul", "x t")], (3, 4, 4), {}, ["Activation"]),
    ([node("Clip", "x a b")], (3, 4, 4), {"a": np.float32(0), "b": np.float32(6)}, ["ReLU"]),
    ([node("Clip", "x a b")], (3, 4, 4), {"a": np.float32(-1), "b": np.float32(0.5)}, ["Clip"]),
    ([node("PRelu", "x s")], (3, 4, 4), {"s": draw(3, 1, 1)}, ["PReLU"]),
    ([node("LeakyRelu", "x", "a"), node("Elu", "a", "b", alpha=0.5), node("HardSigmoid", "b")], (5,), {},
     ["LeakyReLU", "ELU", "HardSigmoid"]),
    ([node("LRN", "x", "y", size=4, alpha=0.1, bias=2.0)], (6, 3, 3), {}, ["LocalResponseNormalization"]),
    ([node("InstanceNormalization", "x s b")], (4, 3, 3), {"s": draw(4), "b": draw(4)}, ["GroupNormalization"]),
    ([node("Reshape", "x g", "a"), node("InstanceNormalization", "a s b", "n"), node("Reshape", "n f", "r"),
      node("Mul", "r w", "m"), node("Add", "m v")], (4, 3, 3),
     {"g": np.array([0, 2, -1]), "s": draw(2), "b": draw(2), "f": np.array([-1, 4, 3, 3]), "w": draw(4, 1, 1),
      "v": draw(4, 1, 1)}, ["GroupNormalization"]),
    ([node("AveragePool", "x", "a", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], count_include_pad=1),
      node("GlobalMaxPool", "a")], (3, 7, 6), {}, ["AveragePooling2D", "GlobalMaxPooling2D"]),
    ([node("AveragePool", "x", "a", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
      node("MaxPool", "a", "y", kernel_shape=[2, 2], dilations=[2, 1], auto_pad="SAME_LOWER")], (3, 8, 8), {},
     ["AveragePooling2D", "MaxPooling2D"]),
    ([node("LpPool", "x", "y", kernel_shape=[2, 2])], (3, 4, 4), {}, ["L2Pooling2D"]),
    ([node("ConvTranspose", "x w b", "y", strides=[2, 2], pads=[1, 0, 0, 1], output_padding=[1, 0], group=2)],
     (4, 3, 3), {"w": draw(4, 3, 3, 3), "b": draw(6)}, ["Conv2DTranspose"]),
    ([node("Conv", "x w", "y", strides=[2], dilations=[2], pads=[1, 2], group=2)], (4, 11), {"w": draw(6, 2, 3)},
     ["Conv1D"]),
    ([node("Conv", "x w", "c", pads=[1] * 6), node("MaxPool", "c", "y", kernel_shape=[2, 2, 2], strides=[2, 2, 2])],
     (2, 4, 4, 4), {"w": draw(3, 2, 3, 3, 3)}, ["Conv3D", "MaxPooling3D"]),
    ([node("Conv", "x w", "y", group=3)], (3, 4, 4), {"w": draw(6, 1, 3, 3)}, ["DepthwiseConv2D"]),
    ([node("Resize", "x  s", "y", mode="linear")], (3, 4, 4), {"s": np.array([1, 1, 2, 3], np.float32)},
     ["UpSampling2D"]),
    ([node("Upsample", "x s")], (3, 4, 4), {"s": np.array([1, 1, 2, 3], np.float32)}, ["UpSampling2D"]),
    ([node("Dropout", "x", "d"), node("Identity", "d", "i"), node("Neg", "i", "n"), node("Pow", "n two")], (3,),
     {"two": np.float32(2)}, ["Dropout", "Rescaling", "Multiply"]),
    ([node("Max", "x x", "a"), node("Min", "a x", "b"), node("Sum", "a b x", "c"), node("Mean", "c x")], (3, 2), {},
     ["Maximum", "Minimum", "Add", "Average"]),
    ([node("LayerNormalization", "x s b", "y", axis=-1)], (3, 5), {"s": draw(5), "b": draw(5)}, ["LayerNormalization"]),
], ids=lambda value: "-".join(n.op_type for n in value) if isinstance(value, list) and not isinstance(
    value[0], str) else "")
def test_every_node_becomes_its_layer(nodes, shape, weights, expected):
    for one in nodes:
        if one.op_type == "Resize":
            one.input[:] = ["x", "", "s"]
    opset = 9 if any(n.op_type == "Upsample" for n in nodes) else 18
    model = agrees(file(nodes, shape, weights, opset=opset), shape, tolerance=1e-5)
    assert [kind for kind in kinds(model)[1:] if kind not in ("Reshape", "Permute")] == expected


def test_a_gate_multiplies_an_image_and_several_outputs_keep_their_order():
    nodes = [node("GlobalAveragePool", "x", "g"), node("Sigmoid", "g", "s"), node("Mul", "x s", "y"),
             node("Flatten", "s", "z")]
    model = agrees(file(nodes, (3, 4, 4), outputs=("y", "z")), (3, 4, 4))
    assert model.output_shapes == [(None, 4, 4, 3), (None, 3)]


def test_a_condition_on_a_shape_is_decided():
    inner = [helper.make_graph([node("Squeeze", "x", "s", axes=[2])], "then", [], [onnx.ValueInfoProto(name="s")]),
             helper.make_graph([node("Identity", "x", "i")], "else", [], [onnx.ValueInfoProto(name="i")])]
    nodes = [node("Shape", "x", "sh"), node("Gather", "sh two", "d"), node("Equal", "d one", "c"),
             helper.make_node("If", ["c"], ["r"], "if", then_branch=inner[0], else_branch=inner[1]), node("Relu", "r")]
    model = agrees(file(nodes, (3, 1), {"two": np.array(2), "one": np.array(1)}, opset=11), (3, 1))
    assert model.output_shape == (None, 3)


# --- what is refused ------------------------------------------------------------------------------------------------


def test_all_nodes_without_a_layer_stand_in_one_error():
    nodes = [node("Sin", "x", "a"), node("Relu", "a", "b"),
             node("Resize", "x  s", "c", coordinate_transformation_mode="tf_crop_and_resize"), node("Cos", "x", "d"),
             node("Sum", "b c d", "e"), node("MatMul", "e x", "y")]
    nodes[2].input[:] = ["x", "", "s"]
    with pytest.raises(ModelFileError) as caught:
        load(file(nodes, (3, 4, 4), {"s": np.array([1, 1, 1.5, 1.5], np.float32)}))
    for word in ("Sin_a", "Cos_d", "Resize_c", "fastcnn.onnx.backend"):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_free_size_stays_open_or_is_given_and_asked_for_where_weights_need_it():
    proto = file([node("GlobalAveragePool", "x")], (3, "h", "w"))
    assert load(proto).input_shape == (None, None, None, 3)
    dense = file([node("Flatten", "x", "f"), node("Gemm", "f w", "y")], (3, "h", "w"),
                 {"w": np.ones((90, 2), np.float32)})
    with pytest.raises(ArgumentError, match=r"input_shapes=\{'x'.*--input-shape x=3,224,224"):
        load(dense)
    assert load(dense, input_shapes=(3, 5, 6)).output_shape == (None, 2)
    assert load(proto, input_shapes=(3, 5, 6)).input_shape == (None, 5, 6, 3)
    assert load(proto, input_shapes={"x": (3, 5, 6)}).input_shape == (None, 5, 6, 3)
    with pytest.raises(ArgumentError, match="'z' is not known"):
        load(proto, input_shapes={"z": (3, 5, 6)})
    for shape in (224, (), (3, 0, 4), (3, None, 4), (3, 2.5, 4), "abc", {"x": 224}):
        with pytest.raises(ArgumentError, match="positive integers such as"):
            load(proto, input_shapes=shape)
    with pytest.raises(ArgumentError, match="layout"):
        load(proto, layout="nchw")


def test_a_file_for_images_of_any_size_is_a_model_for_any_size():
    """Borders that the file makes of the size are those of odd and of even ones."""
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"], strides=[2, 2], auto_pad="SAME_UPPER"),
             helper.make_node("MaxPool", ["x"], ["b"], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
             node("Concat", "a b", "y", axis=1)]
    weights = {"w": draw(4, 3, 3, 3)}
    model = load(file(nodes, (3, "h", "w"), weights))
    assert model.input_shape == (None, None, None, 3)
    for size in ((6, 8), (7, 5), (6, 8)):
        fixed, x = load(file(nodes, (3, *size), weights)), draw(2, *size, 3)
        np.testing.assert_array_equal(model.predict(x), fixed.predict(x))


@pytest.mark.parametrize(("nodes", "word"), [
    ([node("Reshape", "x s")], "batch"), ([node("Transpose", "x", "y", perm=[1, 0, 2])], "batch"),
    ([node("ReduceMean", "x", "y", axes=[0])], "batch"), ([node("Concat", "x x", "y", axis=0)], "one after the other"),
])
def test_what_mixes_the_samples_of_a_batch_is_refused(nodes, word):
    with pytest.raises(ModelFileError, match=word):
        load(file(nodes, (2, 6), {"s": np.array([-1, 3])}))


def test_weights_may_not_depend_on_the_input():
    with pytest.raises(ModelFileError, match="filter bank"):
        load(file([node("Conv", "x x")], (3, 4, 4)))


def test_layers_have_the_names_of_nodes():
    nodes = [helper.make_node("Relu", ["x"], ["a"], "/block.1/act 1"), helper.make_node("Relu", ["a"], ["y"])]
    assert [layer.name for layer in load(file(nodes, (3,))).layers] == ["x", "block.1_act_1", "Relu_y"]
    assert isinstance(load(file(nodes, (3,)), name="mine").layers[1], layers.ReLU)
