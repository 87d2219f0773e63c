"""What a file means where it is easily misread: ONNX's reference decides, or the file is refused in one sentence."""

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from fastcnn.errors import ModelFileError
from fastcnn.onnx import backend, load
from tests.onnx.files import draw, file, kinds, node


def means(proto, shape, count=2):
    """The backend and the model compute what ONNX's reference does."""
    x = draw(count, *shape)
    want = ReferenceEvaluator(proto).run(None, {"x": x})[0]
    np.testing.assert_allclose(backend.run_model(proto, [x])[0], want, atol=1e-5)
    np.testing.assert_allclose(load(proto, layout="channels_first").predict(x), want, atol=1e-5)


def refused(proto, *words, by=load):
    with pytest.raises(ModelFileError) as caught:
        by(proto)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value), str(caught.value)


# --- branches -------------------------------------------------------------------------------------------------------


def branch(*nodes, **weights):
    return helper.make_graph(list(nodes), "branch", [], [onnx.ValueInfoProto(name=nodes[-1].output[0])],
                             [numpy_helper.from_array(np.asarray(w, np.float32), name) for name, w in weights.items()])


def conditions(*branches, **weights):
    """A chain of nodes If whose condition is true."""
    names = ["x", *(f"v{at}" for at in range(1, len(branches))), "y"]
    nodes = [helper.make_node("If", ["true"], [output], f"if{at}", then_branch=inner,
                              else_branch=branch(node("Identity", names[0], "same")))
             for at, (inner, output) in enumerate(zip(branches, names[1:]))]
    return file(nodes, (3, 4, 4), {"true": np.array(True), **weights})


def test_branches_that_use_the_same_names_inside_do_not_mix():
    inner = lambda x, conv: branch(node("Conv", f"{x} w", conv), node("Identity", "c", "k"),
                                   node("Mul", f"{conv} k", "b"), w=draw(3, 3, 1, 1), c=draw(3, 1, 1))
    proto = conditions(inner("x", "a"), inner("v1", "other"), inner("v2", "a"))
    means(proto, (3, 4, 4))
    assert kinds(load(proto)) == ["InputLayer", *["Conv2D"] * 3]


def test_the_names_of_a_branch_end_with_it():
    inner = branch(node("Add", "x k", "s"), k=2)
    nodes = [helper.make_node("If", ["true"], ["r"], "if", then_branch=inner, else_branch=inner),
             node("Identity", "c", "k"), node("Mul", "r k")]
    means(file(nodes, (3,), {"true": np.array(True), "c": np.float32(7)}), (3,))


# --- numbers computed from the batch --------------------------------------------------------------------------------

BATCH = [node("Shape", "x", "shape"), node("Gather", "shape zero", "n"), node("Cast", "n", "f", to=1)]
ZERO = {"zero": np.array(0)}


@pytest.mark.parametrize(("nodes", "weights"), [
    ([node("Div", "x f")], {}),
    ([node("Conv", "x w", "c"), node("Mul", "c f")], {"w": np.ones((3, 3, 1, 1), np.float32)}),
    ([node("Min", "n five", "m"), node("Cast", "m", "few", to=1), node("Mul", "x few")], {"five": np.array(5)}),
    ([node("Size", "x", "size"), node("Cast", "size", "s", to=1), node("Sub", "x s")], {}),
    ([node("Reshape", "n one", "n1"), node("Concat", "o o n1 o o o o o", "p", axis=0), node("Pad", "x p")],
     {"one": np.array([1]), "o": np.array([0])}),
    ([node("Reshape", "n one", "n1"), node("Slice", "x start n1 axes")],
     {"one": np.array([1]), "start": np.array([0]), "axes": np.array([2])}),
    ([node("Greater", "n five", "more"), helper.make_node(
        "If", ["more"], ["y"], "if", then_branch=branch(node("Neg", "x", "t")),
        else_branch=branch(node("Identity", "x", "e")))], {"five": np.array(5)}),
    ([helper.make_node("If", ["true"], ["r"], "if", then_branch=branch(node("Identity", "f", "t")),
                       else_branch=branch(node("Neg", "f", "e"))), node("Mul", "x r")], {"true": np.array(True)}),
], ids=lambda value: value[-1].op_type if isinstance(value, list) else "")
def test_a_number_computed_from_a_free_batch_reaches_no_layer(nodes, weights):
    refused(file(BATCH + nodes, (3, 4, 4), ZERO | weights), nodes[-1].op_type, "computed from the batch")


def test_a_shape_may_begin_with_the_batch_and_what_cancels_out_is_a_constant():
    whole = [node("Unsqueeze", "n axis", "n1"), node("Concat", "n1 rest", "target", axis=0)]
    proto = file([*BATCH, *whole, node("Reshape", "x target", "r"), node("Div", "f f", "one"), node("Add", "r one")],
                 (3, 4, 4), ZERO | {"axis": np.array([0]), "rest": np.array([6, 8])})
    means(proto, (3, 4, 4))
    assert "Rescaling" in kinds(load(proto))
    means(file([node("Shape", "x", "s"), node("Expand", "x s")], (3, 4)), (3, 4))
    fixed = file([*BATCH, node("Div", "x f")], (3,), ZERO, batch=4)
    means(fixed, (3,), count=4)


def test_inputs_of_different_batches_are_refused_with_the_file_s_name(tmp_path):
    proto = file([node("Add", "x z")], (4,), batch=1)
    proto.graph.input.append(helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, [3, 4]))
    onnx.save(proto, tmp_path / "two.onnx")
    refused(tmp_path / "two.onnx", "two.onnx", "one batch, got [1, 3]", "backend")


# --- nodes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [[], [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Relu", "t", "in")]])
def test_no_border_around_the_batch(nodes):
    pads = np.zeros(8, np.int64)
    pads[[0, 2]] = 1
    refused(file([*nodes, node("Pad", "in p" if nodes else "x p")], (3, 4, 4), {"p": pads}), "Pad of the batch")


@pytest.mark.parametrize(("shape", "slopes"), [((3, 3, 3), 3), ((3, 2, 4), 4), ((3, 2, 2), 3), ((3, 5), 5), ((4,), 4),
                                               ((3, 2, 2), 1)])
def test_a_slope_of_one_dimension_belongs_to_the_last_axis_and_to_channels_only_where_it_does_not_fit(shape, slopes):
    means(file([node("PRelu", "x s")], shape, {"s": draw(slopes)}, opset=16), shape)


def test_before_operator_set_7_a_slope_belongs_to_channels():
    proto, x = file([node("PRelu", "x s")], (3, 2, 3), {"s": draw(3)}, opset=6), draw(2, 3, 2, 3)
    slope = numpy_helper.to_array(proto.graph.initializer[0])
    want = np.where(x < 0, x * slope[:, None, None], x)
    np.testing.assert_allclose(backend.run_model(proto, [x])[0], want, atol=1e-6)
    np.testing.assert_allclose(load(proto, layout="channels_first").predict(x), want, atol=1e-6)


@pytest.mark.parametrize("side", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 2), (1, 3), (2, 3), (2, 2), (4, 2), (4, 3)])
def test_a_transposed_convolution_with_a_window_smaller_than_its_stride(kernel, stride, side):
    """As large as in ONNX's reference; nothing is cut away, so zeros stand behind, as TensorFlow has it."""
    w, x = draw(1, 1, kernel, kernel), draw(1, 1, 4, 4)
    proto = file([node("ConvTranspose", "x w", "y", auto_pad=side, strides=[stride] * 2)], (1, 4, 4), {"w": w})
    got, want = backend.run_model(proto, [x])[0], ReferenceEvaluator(proto).run(None, {"x": x})[0]
    assert got.shape == want.shape == (1, 1, 4 * stride, 4 * stride)
    if kernel >= stride:
        np.testing.assert_allclose(got, want, atol=1e-5)
    else:
        plain = file([node("ConvTranspose", "x w", "y", strides=[stride] * 2)], (1, 4, 4), {"w": w})
        full = ReferenceEvaluator(plain).run(None, {"x": x})[0]
        rest = [(0, 0), (0, 0), *[(0, n - m) for n, m in zip(got.shape[2:], full.shape[2:])]]
        np.testing.assert_allclose(got, np.pad(full, rest), atol=1e-5)


def test_batch_normalization_by_the_batch_is_no_layer_that_predicts():
    weights = {"s": draw(3), "b": draw(3), "m": draw(3), "v": draw(3) ** 2}
    proto = file([node("BatchNormalization", "x s b m v", "y rm rv", training_mode=1)], (3, 4, 4), weights)
    refused(proto, "training mode", "BatchNormalization_y")


@pytest.mark.parametrize(("nodes", "weights"), [
    ([node("Split", "x s", "a b", axis=1), node("Concat", "a b", "y", axis=1)], {"s": np.array([3, 4])}),
    ([node("Split", "x s", "a b", axis=1), node("Concat", "a b", "y", axis=1)], {"s": np.array([-1, 5])}),
    ([node("Gather", "x i", "y", axis=1)], {"i": np.array([4])}),
    ([node("Gather", "x i", "y", axis=1)], {"i": np.array(-5)}),
    ([node("Conv", "x w", "y", kernel_shape=[3, 3])], {"w": np.ones((2, 4, 1, 1), np.float32)}),
    ([node("Conv", "x w", "y")], {"w": np.ones((2, 3, 1, 1), np.float32)}),
    ([node("ConvTranspose", "x w", "y", kernel_shape=[3, 3])], {"w": np.ones((4, 2, 1, 1), np.float32)}),
    ([node("LayerNormalization", "x s", "y", axis=5)], {"s": np.ones(4, np.float32)}),
    ([node("ReduceMean", "x", "y", axes=[4])], {}),
    ([node("Softmax", "x", "y", axis=-5)], {}),
    ([node("Concat", "x x", "y", axis=4)], {}),
    ([node("Transpose", "x", "y", perm=[0, 1, 1, 2])], {}),
    ([node("Transpose", "x", "y", perm=[0, 1, 2])], {}),
], ids=lambda value: value[0].op_type if isinstance(value, list) else "")
def test_what_does_not_suit_is_refused_by_both(nodes, weights):
    proto = file(nodes, (4, 4, 4), weights)
    refused(proto, nodes[0].op_type)
    refused(proto, nodes[0].op_type, by=lambda proto: backend.run_model(proto, [draw(2, 4, 4, 4)]))


def test_layer_normalization_over_the_batch_is_no_layer():
    refused(file([node("LayerNormalization", "x s", "y", axis=0)], (4,), {"s": np.ones(4, np.float32)}), "batch")
