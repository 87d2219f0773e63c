"""Elementary functions, comparisons, choices, reductions and the largest numbers of files: ONNX's reference decides."""

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnx
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

import fastcnn as fc
from fastcnn.errors import ModelFileError
from fastcnn.onnx import backend, load
from tests.onnx.files import agrees, draw, file, kinds, node

X = (3, 4, 5)


def means(nodes, weights=None, x=None, outputs=("y",), opset=18, shape=X, tolerance=2e-6):
    """The backend and the model compute what ONNX's reference does; return the model."""
    proto = file(nodes, shape, weights, outputs, opset=opset)
    for value in proto.graph.output:  # their types do not matter here
        value.ClearField("type")
    x = draw(2, *shape) if x is None else x
    wanted = ReferenceEvaluator(proto).run(None, {"x": x})
    model = load(proto, layout="channels_first")
    got = model.predict(x)
    for mine, other, want in zip(got if len(outputs) > 1 else [got], backend.run_model(proto, [x]), wanted,
                                 strict=True):
        assert other.dtype == want.dtype
        np.testing.assert_allclose(other, want, rtol=tolerance, atol=tolerance)
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, want.astype(np.float32), rtol=tolerance, atol=tolerance)
    return model


def number(**values):
    return {name: np.float32(value) for name, value in values.items()}


def test_elementary_functions():
    names = ["Abs", "Sqrt", "Log", "Reciprocal", "Sign", "Floor", "Ceil", "Round", "Erf"]
    nodes = [node(name, "x", f"y{at}") for at, name in enumerate(names)]
    x = np.abs(draw(2, *X)) + 0.1
    assert set(names) <= set(kinds(means(nodes, x=x, outputs=[f"y{at}" for at in range(len(names))])))
    means([node("Sign", "x", "a"), node("Round", "x", "b"), node("Floor", "x", "c"), node("Ceil", "x", "d"),
           node("Erf", "x", "e"), node("Abs", "x")], outputs="abcdey", x=3 * draw(2, *X))


def test_powers():
    exponents = {"a": 1, "b": 2, "c": 3, "d": 0.5, "e": -1, "f": -0.5, "g": 1 / 3, "h": -2.5}
    nodes = [node("Pow", f"x {name}", f"y{name}") for name in exponents]
    model = means([*nodes, node("Pow", "two x", "yz")], number(**exponents, two=2), x=np.abs(draw(2, *X)) + 0.2,
                  outputs=[*(f"y{name}" for name in exponents), "yz"])
    assert {"Multiply", "Power", "Sqrt", "Reciprocal", "Activation"} <= set(kinds(model))
    means([node("Pow", "x c")], {"c": np.array([3])})  # of a negative number, by an integer
    with pytest.raises(ModelFileError, match="exponent is not one number"):
        load(file([node("Pow", "x c")], X, {"c": draw(5)}))


def test_quotients_of_values_and_of_constants():
    nodes = [node("Abs", "x", "a"), node("Add", "a one", "p"), node("Div", "x p", "y1"), node("Div", "one p", "y2"),
             node("ReduceSum", "p axes", "s"), node("Div", "p s", "y3"), node("Div", "c p", "y4")]
    weights = {**number(one=1), "axes": np.array([2, 3]), "c": draw(3, 1, 1)}
    means(nodes, weights, outputs=("y1", "y2", "y3", "y4"))


def test_bounds_that_are_constants():
    weights = {**number(low=-0.5, high=0.7, zero=0), "one": np.ones(1, np.float32), "c": draw(3, 1, 1)}
    model = means([node("Max", "x zero", "a"), node("Min", "x one", "b"), node("Max", "low x high", "c1"),
                   node("Min", "x c", "d"), node("Max", "c x", "e"), node("Max", "x d a", "f")], weights,
                  outputs=["a", "b", "c1", "d", "e", "f"])
    assert "ReLU" in kinds(model)


TRUTHS = ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"]


@pytest.mark.parametrize("other", ["z", "half"])
def test_comparisons_of_values_and_with_constants(other):
    x = np.round(draw(2, *X), 1)
    nodes = [node("Neg", "x", "z")] if other == "z" else []
    nodes += [node(name, f"x {other}", f"t{at}") for at, name in enumerate(TRUTHS)]
    nodes += [node("Not", "t0", "t5"), node("And", "t0 t1", "t6"), node("Or", "t2 t4", "t7"),
              node("Xor", "t0 t1", "t8")]
    nodes += [node("Cast", f"t{at}", f"y{at}", to=1) for at in range(9)]
    x[0, 0, 0] = 0.5  # and equal numbers
    means(nodes, number(half=0.5), x=x, outputs=[f"y{at}" for at in range(9)])


def test_a_choice_keeps_out_what_is_not_chosen():
    x = draw(2, *X)
    x[0, 0, 0, 0], x[1, 1] = np.inf, -np.inf
    weights = {**number(zero=0, one=1), "mask": draw(4, 5) > 0, "c": draw(4, 5)}
    nodes = [node("Greater", "x zero", "g"), node("Abs", "x", "a"), node("Sqrt", "x", "r"),
             node("Where", "g r a", "y1"), node("Where", "g one x", "y2"), node("Where", "g r zero", "y3"),
             node("Where", "g one zero", "y4")]
    means(nodes, weights, x=x, outputs=("y1", "y2", "y3", "y4"))
    means([node("Where", "mask x c", "y1"), node("Neg", "x", "n"), node("Where", "mask n x", "y2")], weights,
          outputs=("y1", "y2"))
    broadcast = [node("ReduceMax", "x", "m", axes=[1]), node("Greater", "m one", "g"), node("Where", "g m x")]
    means(broadcast, weights, opset=17)


def test_numbers_are_repeated_where_nothing_else_repeats_them():
    nodes = [node("ReduceMean", "x", "m", axes=[2, 3]), node("Expand", "m shape", "e"), node("Mul", "x e", "p"),
             node("ReduceMean", "x", "n", axes=[2]), node("Expand", "n shape", "f"), node("Relu", "f", "r")]
    model = means(nodes, {"shape": np.array([1, 3, 4, 5])}, outputs=("p", "r"), opset=17)
    assert kinds(model).count("RepeatVector") == 1
    outer = [node("ReduceMean", "x", "m", axes=[1, 3]), node("Mul", "m c", "p"), node("Add", "p b")]
    means(outer, {"c": draw(5), "b": draw(3, 1, 1)}, opset=17)  # by constants that are larger than the value
    with pytest.raises(ModelFileError, match="repeats samples"):
        load(file([node("Expand", "x shape")], (4,), {"shape": np.array([3, 2, 4])}, batch=2))


def test_reductions():
    names = ["ReduceL1", "ReduceSumSquare", "ReduceLogSumExp", "ReduceSum", "ReduceL2", "ReduceMin"]
    nodes = [node(name, "x axes", f"y{at}", keepdims=at % 2) for at, name in enumerate(names)]
    nodes += [node("Exp", "x", "e"), node("ReduceLogSum", "e channel", "y6")]
    weights = {"axes": np.array([1, -1]), "channel": np.array([1])}
    x = draw(2, *X)
    means(nodes, weights, x=x, outputs=[f"y{at}" for at in range(7)], tolerance=1e-5)
    large = means([node("ReduceLogSumExp", "x axes")], weights, x=x)
    assert np.isfinite(large.predict(300 * x)).all()
    assert kinds(load(file([node("ReduceMean", "x", "m", noop_with_empty_axes=1), node("Relu", "m")], X, opset=18)
                      ))[1:] == ["ReLU"]


def test_a_softmax_over_several_dimensions_and_a_swish_of_another_slope():
    nodes = [node("Softmax", "x", "y1", axis=2), node("LogSoftmax", "x", "y2", axis=2), node("Softmax", "x", "y3")]
    agrees(file(nodes, X, outputs=("y1", "y2", "y3"), opset=11), X)  # ONNX's reference has the newer meaning alone
    agrees(file([node("Swish", "x", "y", alpha=1.5)], X, opset=24), X)


def test_the_largest_numbers_and_where_they_stand():
    nodes = [node("ArgMax", "x", "a", axis=1, keepdims=0), node("ArgMin", "x", "b", axis=-1),
             node("TopK", "x k", "v i", axis=2), node("TopK", "x k", "w j", axis=1, largest=0)]
    model = means(nodes, {"k": np.array([2])}, outputs=["a", "b", "v", "i", "w", "j"])
    assert kinds(model).count("TopK") == 6
    one = load(file([node("TopK", "x k", "y i", axis=1)], (7,), {"k": np.array([2])}))
    assert kinds(one) == ["InputLayer", "TopK"], "indices that nobody reads are not made"


def test_integers_and_truths_are_whole_numbers():
    nodes = [node("Mul", "x ten", "t"), node("Cast", "t", "i", to=7), node("Add", "i i", "j"),
             node("Cast", "j", "y1", to=1), node("Cast", "x", "b", to=9), node("Cast", "b", "y2", to=1),
             node("ArgMax", "x", "m", axis=1), node("Cast", "m", "y3", to=1)]
    model = means(nodes, number(ten=10), outputs=("y1", "y2", "y3"))
    assert kinds(model).count("Floor") == 1, "an index is whole already"


@pytest.mark.parametrize("nodes", [
    [node("ArgMax", "x", "i", axis=1), node("Div", "i five", "q"), node("Cast", "q", "y", to=1)],
    [node("Cast", "x", "i", to=6), node("ReduceMean", "i", "q"), node("Cast", "q", "y", to=1)],
    [node("Greater", "x half", "i"), node("Where", "i five six", "j"), node("Cast", "j", "k", to=7),
     node("Pow", "k five", "q"), node("Cast", "q", "y", to=1)],
], ids=["Div", "ReduceMean", "Pow"])
def test_what_means_something_else_for_integers_is_refused(nodes):
    weights = {"five": np.array(5), "half": np.float32(0.5), "six": np.array(6)}
    operator = nodes[-2].op_type
    with pytest.raises(ModelFileError, match=f"{operator} of integers"):
        load(file(nodes, X, weights, opset=17))


@pytest.mark.parametrize("attributes", [
    {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}, {"output_shape": [8, 11]},
    {"auto_pad": "SAME_UPPER", "output_shape": [8, 10]}, {"output_shape": [10, 12]},
], ids=str)
def test_a_transposed_convolution_to_a_size(attributes):
    """Beside the backend, which `test_meaning` holds against the reference where that is right."""
    nodes = [node("ConvTranspose", "x w b", "y", strides=[2, 2], **attributes)]
    proto, x = file(nodes, X, {"w": draw(3, 4, 3, 4), "b": draw(4)}), draw(2, *X)
    got = load(proto, layout="channels_first").predict(x)
    np.testing.assert_allclose(got, backend.run_model(proto, [x])[0], atol=1e-5)
    assert list(got.shape[2:]) == attributes.get("output_shape", [8, 10])


def test_a_model_of_such_layers_trains_and_is_saved_and_exported_again(tmp_path):
    """GeM pooling, a hand-written gate and a normalization between a convolution and a classifier."""
    weights = {**number(eps=1e-6, p=3, root=1 / 3, low=0.02), "w": draw(6, 3, 1, 1), "k": draw(6, 4), "b": draw(4)}
    nodes = [node("Conv", "x w", "c"), node("Abs", "c", "a"), node("Max", "a low", "m"), node("Pow", "m p", "q"),
             node("GlobalAveragePool", "q", "g"), node("Pow", "g root", "r"), node("Flatten", "r", "f"),
             node("ReduceL2", "f", "n", axes=[1]), node("Add", "n eps", "d"), node("Div", "f d", "u"),
             node("Gemm", "u k b", "z"), node("Sqrt", "m", "s"), node("ReduceMean", "s", "t", axes=[1, 2, 3]),
             node("Squeeze", "t axes", "v"), node("Mul", "z v")]
    proto = file(nodes, X, {**weights, "axes": np.array([2, 3])}, opset=17)
    model = load(proto)
    assert {"Power", "UnitNormalization", "Sqrt"} <= set(kinds(model))
    x, labels = draw(24, 4, 5, 3), np.random.default_rng(0).integers(0, 4, 24)
    want = backend.run_model(proto, [np.ascontiguousarray(np.moveaxis(x, -1, 1))])[0]
    np.testing.assert_allclose(model.predict(x), want, rtol=1e-4, atol=1e-5)
    loss = fc.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(fc.optimizers.Adam(0.01), loss)
    history = model.fit(x, labels, epochs=8, batch_size=8, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    trained = model.predict(x)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(fc.saving.load_model(tmp_path / "m.safetensors").predict(x), trained)
    again = onnx.load(fc.onnx.export(model, tmp_path / "m.onnx"))
    np.testing.assert_allclose(backend.run_model(again, [x])[0], trained, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(load(again).predict(x), trained, rtol=1e-4, atol=1e-5)
    assert all(value.type.tensor_type.elem_type == TensorProto.FLOAT for value in again.graph.output)
