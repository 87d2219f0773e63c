"""What a file spells out becomes one layer, in whatever order it is written."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from onnx import numpy_helper

from tests.onnx.files import agrees, draw, file, kinds, node


def constant(name, value):
    return node("Constant", "", name, value=numpy_helper.from_array(np.asarray(value, np.float32)))


def test_constants_that_stand_among_the_nodes_are_folded():
    nodes = [node("Conv", "x w", "c"), constant("s", draw(5, 1, 1)), node("Mul", "c s", "m"),
             constant("b", draw(5, 1, 1)), node("Neg", "b", "n"), node("Add", "n m")]
    assert kinds(agrees(file(nodes, (3, 4, 4), {"w": draw(5, 3, 3, 3)}), (3, 4, 4))) == ["InputLayer", "Conv2D"]


ROOT, HALF = 2**0.5, 0.5
SCALED = {"x / sqrt 2": [node("Div", "x root", "d")], "x / sqrt(1/2)": [node("Mul", "x inverse", "d")],
          "sqrt(1/2) x": [node("Mul", "inverse x", "d")]}
PRODUCTS = {
    "(x p) / 2": [node("Mul", "x p", "q"), node("Div", "q two")],
    "p (x / 2)": [node("Div", "x two", "q"), node("Mul", "p q")],
    "(half p) x": [node("Mul", "half p", "q"), node("Mul", "q x")],
    "x (p / 2)": [node("Div", "p two", "q"), node("Mul", "x q")],
}
NUMBERS = {"root": ROOT, "inverse": 1 / ROOT, "one": 1.0, "half": HALF, "two": 2.0}


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("scaled", SCALED)
def test_a_gelu_in_any_order(scaled, product):
    nodes = [*SCALED[scaled], node("Erf", "d", "e"), node("Add", "one e", "p"), *PRODUCTS[product]]
    weights = {name: np.float32(value) for name, value in NUMBERS.items()}
    assert kinds(agrees(file(nodes, (3, 4), weights), (3, 4), tolerance=1e-5)) == ["InputLayer", "GELU"]


@pytest.mark.parametrize("last", [[node("Div", "two q")], [node("Mul", "q two")], [node("Mul", "q q")]],
                         ids=["2 / q", "2 q", "q q"])
def test_what_only_looks_like_a_gelu_is_none(last):
    nodes = [*SCALED["x / sqrt 2"], node("Erf", "d", "e"), node("Add", "one e", "p"), node("Mul", "x p", "q"), *last]
    weights = {name: np.float32(value) for name, value in NUMBERS.items()}
    assert "GELU" not in kinds(agrees(file(nodes, (3, 4), weights), (3, 4), tolerance=1e-4))


def test_nodes_that_nothing_reads_are_left_alone():
    nodes = [node("Conv", "x w", "c"), node("ArgMax", "c", "dead"), node("Cast", "dead", "deader", to=1),
             node("Relu", "c")]
    model = agrees(file(nodes, (3, 4, 4), {"w": draw(2, 3, 1, 1)}), (3, 4, 4))
    assert kinds(model)[:3] == ["InputLayer", "Conv2D", "ReLU"]
