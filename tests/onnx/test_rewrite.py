"""Functions that a file writes out in many nodes become the one layer that they are, in whatever order they stand."""

import itertools
import time

import numpy as np
import pytest

pytest.importorskip("onnx")

from fastcnn import layers
from fastcnn.onnx import load
from fastcnn.onnx._file import Source
from fastcnn.onnx._graph import graph_of
from fastcnn.onnx._simplify import simplified
from tests.onnx.files import agrees, draw, file, kinds, node

C = {name: np.float32(value) for name, value in {
    "zero": 0, "one": 1, "two": 2, "three": 3, "six": 6, "half": 0.5, "third": 1 / 6, "tenth": 0.1, "minus": -1,
    "cubic": 0.044715, "root": (2 / np.pi)**0.5, "cap": 20, "big": 5000, "exponent": 3}.items()}


def used(nodes):
    return {name: value for name, value in C.items() if any(name in one.input for one in nodes)}


def becomes(nodes, kind, function=None, shape=(3, 4), tolerance=2e-6):
    """The nodes are one layer, which computes what they do and, where it is told, one function of fastcnn's."""
    model = agrees(file(nodes, shape, used(nodes)), shape, tolerance=tolerance)
    assert kinds(model) == ["InputLayer", kind]
    if function is not None:
        assert model.layers[1].get_config()["activation"] == function
    return model.layers[1]


HARD = [
    [node("Add", "x three", "a"), node("Clip", "a zero six", "b"), node("Mul", "x b", "c"), node("Div", "c six")],
    [node("Add", "three x", "a"), node("Relu", "a", "r"), node("Min", "r six", "b"), node("Div", "b six", "c"),
     node("Mul", "c x")],
    [node("Mul", "x third", "m"), node("Add", "m half", "a"), node("Max", "a zero", "b"), node("Min", "one b", "c"),
     node("Mul", "x c")],
]


@pytest.mark.parametrize("nodes", HARD, ids=range(3))
def test_hard_swish(nodes):
    becomes(nodes, "Activation", "hard_silu")
    gate = [*nodes[:-2], node("Div", "b six")] if nodes is not HARD[2] else [*nodes[:-2], node("Min", "one b")]
    assert becomes(gate, "HardSigmoid").get_config()["beta"] == 0.5


def test_silu_of_exponentials():
    becomes([node("Neg", "x", "n"), node("Exp", "n", "e"), node("Add", "e one", "s"), node("Div", "x s")], "SiLU")
    becomes([node("Neg", "x", "n"), node("Exp", "n", "e"), node("Add", "one e", "s"), node("Reciprocal", "s")],
            "Sigmoid")


def test_softplus_with_a_bound_against_overflow_and_what_is_made_of_it():
    soft = [node("Exp", "x", "e"), node("Add", "e one", "s"), node("Log", "s", "l")]
    becomes([*soft, node("Greater", "x cap", "g"), node("Where", "g x l")], "Activation", "softplus")
    becomes([*soft, node("Tanh", "l", "t"), node("Mul", "t x")], "Activation", "mish")
    becomes([node("Neg", "x", "n"), node("Softplus", "n", "s"), node("Neg", "s")], "Activation", "log_sigmoid")
    plain = load(file([*soft[:2], node("Log", "s")], (3,), used(soft)))
    assert plain.predict(np.full((1, 3), 200, np.float32))[0, 0] == 200, "which the file's nodes make infinite"


def test_softsign_and_gelu_with_tanh():
    becomes([node("Abs", "x", "a"), node("Add", "one a", "s"), node("Div", "x s")], "Activation", "softsign")
    inner = [node("Pow", "x exponent", "p"), node("Mul", "cubic p", "q"), node("Add", "x q", "r"),
             node("Mul", "r root", "u"), node("Tanh", "u", "t"), node("Add", "t one", "v")]
    layer = becomes([*inner, node("Mul", "x v", "w"), node("Mul", "w half")], "GELU", tolerance=1e-5)
    assert layer.get_config()["approximate"] is True
    becomes([*inner, node("Mul", "half x", "w"), node("Mul", "v w")], "GELU", tolerance=1e-5)


@pytest.mark.parametrize("nodes", [
    [node("Mul", "x tenth", "m"), node("Max", "m x")],
    [node("Greater", "x zero", "g"), node("Mul", "tenth x", "m"), node("Where", "g x m")],
    [node("Relu", "x", "r"), node("Neg", "x", "n"), node("Relu", "n", "s"), node("Mul", "s tenth", "t"),
     node("Sub", "r t")],
], ids=["max", "where", "two halves"])
def test_leaky_relu(nodes):
    assert becomes(nodes, "LeakyReLU").get_config()["negative_slope"] == pytest.approx(0.1, rel=1e-6)


def test_shrinks_and_a_threshold():
    soft = [node("Sign", "x", "s"), node("Abs", "x", "a"), node("Sub", "a half", "d"), node("Relu", "d", "r"),
            node("Mul", "s r")]
    assert becomes(soft, "Activation").get_config()["activation"] == "soft_shrink"
    hard = [node("Abs", "x", "a"), node("LessOrEqual", "a tenth", "g"), node("Where", "g zero x")]
    assert becomes(hard, "Activation").get_config()["activation"]["alpha"] == pytest.approx(0.1)
    step = [node("LessOrEqual", "x tenth", "g"), node("Where", "g cap x")]
    assert becomes(step, "Activation").get_config()["activation"]["name"] == "threshold"


def test_bounds_of_min_and_max_are_one_clip():
    layer = becomes([node("Max", "x minus", "a"), node("Min", "half a")], "Clip")
    assert (layer.get_config()["min_value"], layer.get_config()["max_value"]) == (-1, 0.5)
    becomes([node("Min", "x six", "a"), node("Relu", "a")], "ReLU")


def test_a_part_that_somebody_else_reads_stays():
    nodes = [node("Sigmoid", "x", "s"), node("Mul", "x s", "m"), node("Add", "m s")]
    assert kinds(agrees(file(nodes, (3,)), (3,)))[1:] == ["Sigmoid", "Multiply", "Add"]
    both = [node("Sigmoid", "x", "s"), node("Mul", "x s")]
    assert kinds(agrees(file(both, (3,), outputs=("y", "s")), (3,)))[1:] == ["Sigmoid", "Multiply"]


def test_a_file_of_many_nodes_is_not_tried_for_ever():
    names = ["x", *(f"v{at}" for at in range(4000)), "y"]
    nodes = [node(("Neg", "Exp", "Abs")[at % 3], a, b) for at, (a, b) in enumerate(itertools.pairwise(names))]
    graph = graph_of(file(nodes, (3,)), Source("many.onnx", None))
    start = time.process_time()
    assert len(simplified(graph).nodes) == len(nodes)
    assert time.process_time() - start < 10  # of which it takes two


def test_what_differs_from_a_gate_far_from_zero_is_none():
    nodes = [node("Sigmoid", "x", "s"), node("Mul", "x s", "m"), node("Min", "m big")]
    assert kinds(agrees(file(nodes, (3,), used(nodes)), (3,)))[1:] == ["SiLU", "Clip"]
    weird = [node("Mul", "x x", "q"), node("Mul", "q q", "r"), node("Min", "r tenth", "s"), node("Add", "x s")]
    assert kinds(agrees(file(weird, (3,), used(weird)), (3,)))[1:] == ["Multiply", "Multiply", "Clip", "Add"]


# --- vectors ----------------------------------------------------------------------------------------------------------

SMALL = {"e": np.float32(1e-3), "two": np.float32(2)}


def standardized(axes):
    return [node("ReduceMean", "x", "m", axes=axes), node("Sub", "x m", "d"), node("Pow", "d two", "q"),
            node("ReduceMean", "q", "v", axes=axes), node("Add", "v e", "w"), node("Sqrt", "w", "s")]


@pytest.mark.parametrize(("axes", "gamma", "beta", "expected"), [
    ([1], (6, 1, 1), (6, 1, 1), "LayerNormalization"), ([-1], (5,), None, "LayerNormalization"),
    ([2, 3], (6, 1, 1), (6, 1, 1), "GroupNormalization"), ([1, 2, 3], (6, 1, 1), (1,), "GroupNormalization"),
    ([1, 2, 3], (6, 4, 5), (6, 4, 5), "LayerNormalization"), ([1, 3], None, (1, 5), "LayerNormalization"),
], ids=str)
def test_a_normalization_by_mean_and_variance(axes, gamma, beta, expected):
    nodes, weights = [*standardized(axes), node("Div", "d s", "z0")], dict(SMALL)
    for operator, shape, name in (("Mul", gamma, "g"), ("Add", beta, "b")):
        if shape is not None:
            nodes.append(node(operator, f"z{len(weights) - 2} {name}", f"z{len(weights) - 1}"))
            weights[name] = draw(*shape)
    nodes.append(node("Identity", f"z{len(weights) - 2}"))
    model = agrees(file(nodes, (6, 4, 5), weights), (6, 4, 5), tolerance=2e-6)
    assert [kind for kind in kinds(model)[1:] if kind not in ("Permute", "Reshape")] == [expected]
    layer = next(layer for layer in model.layers if type(layer).__name__ == expected)
    assert layer.get_config()["epsilon"] == pytest.approx(1e-3)
    assert len(layer.trainable_weights) == (2 if expected[0] == "G" else (gamma is not None) + (beta is not None))


@pytest.mark.parametrize("axis", [3, -1, 1])
def test_a_normalization_whose_numbers_stand_among_its_nodes(axis):
    """x k + (beta - mean k) with k = gamma / deviation, as TensorFlow computes it."""
    size, turn = ((6, 1, 1), [0, 1, 2, 3]) if axis == 1 else ((6,), [0, 2, 3, 1])
    nodes = [node("Transpose", "x0", "x", perm=turn), *standardized([axis])[:-1], node("Sqrt", "w", "s"),
             node("Reciprocal", "s", "r"), node("Mul", "r g", "k"), node("Mul", "x k", "p"), node("Mul", "m k", "o"),
             node("Sub", "b o", "z"), node("Add", "p z")]
    weights = {**SMALL, "g": draw(*size), "b": draw(*size)}
    proto = file(nodes, (6, 4, 5), weights)
    proto.graph.input[0].name = "x0"
    model, x = load(proto, layout="channels_first"), draw(2, 6, 4, 5)
    turned = x.transpose(turn)
    deviation = np.sqrt(turned.var(axis, keepdims=True) + 1e-3)
    want = (turned - turned.mean(axis, keepdims=True)) / deviation * weights["g"] + weights["b"]
    np.testing.assert_allclose(model.predict(x), want, atol=5e-6)
    assert [kind for kind in kinds(model)[1:] if kind != "Permute"] == ["LayerNormalization"]


def test_a_normalization_of_groups_that_a_file_gathers_itself():
    axes, weights = [2], {**SMALL, "in": np.array([0, 3, -1]), "out": np.array([0, 6, 4, 5])}
    nodes = [node("Reshape", "x0 in", "x"), *standardized(axes), node("Div", "d s", "z"), node("Reshape", "z out")]
    proto = file(nodes, (6, 4, 5), weights)
    proto.graph.input[0].name = "x0"
    model = load(proto)
    x = draw(2, 6, 4, 5)
    groups = x.reshape(2, 3, -1)
    want = (groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-3)
    got = model.predict(np.ascontiguousarray(np.moveaxis(x, 1, -1)))
    np.testing.assert_allclose(np.moveaxis(got, -1, 1), want.reshape(x.shape), atol=2e-6)
    assert kinds(model) == ["InputLayer", "GroupNormalization"]


def test_a_root_mean_square_with_its_scale():
    nodes = [node("Mul", "x x", "q"), node("ReduceMean", "q", "m", axes=[1]), node("Add", "m e", "a"),
             node("Sqrt", "a", "s"), node("Reciprocal", "s", "r"), node("Mul", "x r", "z"), node("Mul", "g z", "k"),
             node("Add", "k b")]
    weights = {"e": SMALL["e"], "g": draw(6, 1, 1), "b": draw(6, 1, 1)}
    model = agrees(file(nodes, (6, 4, 5), weights), (6, 4, 5))
    assert kinds(model)[1:] == ["RMSNormalization", "DepthwiseConv2D"]


@pytest.mark.parametrize("tail", [
    [node("ReduceL2", "x", "n", axes=[1]), node("Clip", "n tiny", "c"), node("Expand", "c shape", "k"),
     node("Div", "x k")],
    [node("ReduceL2", "x", "n", axes=[1]), node("Add", "n tiny", "c"), node("Div", "x c")],
    [node("Mul", "x x", "q"), node("ReduceSum", "q axis", "s"), node("Sqrt", "s", "n"), node("Max", "n tiny", "c"),
     node("Div", "x c")],
    [node("LpNormalization", "x", "y", axis=1)],
    [node("ReduceSumSquare", "x", "q", axes=[1]), node("Max", "tiny q", "c"), node("Sqrt", "c", "s"),
     node("Reciprocal", "s", "r"), node("Mul", "x r")],
], ids=["expanded", "added", "by hand", "LpNormalization", "the square bounded"])
def test_vectors_of_length_1(tail):
    weights = {"tiny": np.float32(1e-12), "shape": np.array([3, 6, 4, 5]), "axis": np.array([1])}
    model = agrees(file(tail, (6, 4, 5), weights, batch=3, opset=13), (6, 4, 5))
    assert kinds(model) == ["InputLayer", "UnitNormalization"]
    assert not model.predict(np.zeros((1, 4, 5, 6), np.float32)).any()
    assert model.layers[1].epsilon == {"Mul": pytest.approx(1e-6), "LpNormalization": 1e-18}.get(
        tail[-1].op_type, pytest.approx(1e-12))


def test_a_length_that_is_expanded_to_more_than_the_vectors_is_no_normalization():
    nodes = [node("ReduceL2", "x", "n", axes=[1]), node("Expand", "n shape", "k"), node("Div", "x k")]
    with pytest.raises(ValueError, match="Expand to"):
        load(file(nodes, (6, 1), {"shape": np.array([3, 6, 4])}, batch=3))


def test_a_mean_without_its_axis_that_meets_the_values_in_other_places_is_no_normalization():
    nodes = [node("ReduceMean", "x", "m", axes=[1], keepdims=0), node("Sub", "x m", "d"), node("Mul", "d d", "q"),
             node("ReduceMean", "q", "v", axes=[1], keepdims=0), node("Add", "v e", "w"), node("Sqrt", "w", "s"),
             node("Div", "d s")]
    with pytest.raises(ValueError, match="different numbers of dimensions"):
        load(file(nodes, (4, 4), SMALL, batch=4))


def test_an_instance_normalization_with_tracked_statistics_is_a_batch_normalization():
    c = [draw(6), draw(6), draw(6), 1 + draw(6) ** 2]
    weights = {name: np.tile(value, 2) for name, value in zip("sbmv", c)} | {
        "in": np.array([1, 12, 4, 5]), "out": np.array([2, 6, 4, 5])}
    nodes = [node("Reshape", "x in", "f"), node("BatchNormalization", "f s b m v", "n"), node("Reshape", "n out")]
    model = agrees(file(nodes, (6, 4, 5), weights, batch=2), (6, 4, 5), batch=2, tolerance=1e-5)
    assert kinds(model) == ["InputLayer", "BatchNormalization"]
    for got, want in zip(model.get_weights(), c, strict=True):
        np.testing.assert_array_equal(got, want)
    weights["s"] = draw(12)  # each sample has numbers of its own
    with pytest.raises(ValueError, match="mixes the samples"):
        load(file(nodes, (6, 4, 5), weights, batch=2))


def test_weights_that_a_file_standardizes_are_computed_when_it_is_loaded():
    nodes = [node("ReduceMean", "w", "m", axes=[1, 2, 3]), node("Sub", "w m", "d"), node("Mul", "d d", "q"),
             node("ReduceMean", "q", "v", axes=[1, 2, 3]), node("Sqrt", "v", "s"), node("Div", "d s", "k"),
             node("Conv", "x k")]
    model = agrees(file(nodes, (3, 6, 6), {"w": draw(5, 3, 3, 3)}), (3, 6, 6), tolerance=1e-5)
    assert kinds(model) == ["InputLayer", "Conv2D"]
    assert isinstance(model.layers[1], layers.Conv2D)


def windows(length, outputs):
    """Return which pixels the windows cover, of one size, as an exporter lists them."""
    begins = [at * length // outputs for at in range(outputs)]
    size = -(-length // outputs)
    return np.array([[begin + k for k in range(size)] for begin in begins])


@pytest.mark.parametrize("size", [(4, 4), (4, 1)])
def test_means_of_windows_that_a_file_gathers_are_an_adaptive_pooling(size):
    rows, columns = windows(size[0], 3), windows(size[1], 3)
    whole = np.stack(np.broadcast_arrays(rows[:, :, None, None], columns[None, None]), -1)
    nodes = [node("Transpose", "x", "t", perm=[2, 3, 0, 1]), node("GatherND", "t i", "g"),
             node("Transpose", "g", "w", perm=[4, 5, 0, 1, 2, 3]),
             node("ReduceMean", "w", "y", axes=[-3, -1], keepdims=0)]
    model = agrees(file(nodes, (2, *size), {"i": whole}), (2, *size))
    assert kinds(model) == ["InputLayer", "AdaptiveAveragePooling2D"]
    with pytest.raises(ValueError, match="picked by index"):  # the indices leave a column out
        load(file(nodes, (2, size[0], size[1] + 1), {"i": whole}))
    whole[0, 0, 0, 0, 0] = 1  # no window any more
    model = agrees(file(nodes, (2, *size), {"i": whole}), (2, *size))
    assert "AdaptiveAveragePooling2D" not in kinds(model)
