"""Dtype policies: which type a layer's parameters have, and which one it computes in."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import dtype_policies, layers
from tests import imports
from tests.checks import ROWS, listed

POLICY = fc.DTypePolicy


@pytest.fixture
def defaults():
    """Let a test change the default policy, and set it back."""
    yield
    fc.config.set_floatx("float32")
    dtype_policies._set["policy"] = None


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_a_policy_has_two_types_and_survives_its_configuration(name):
    policy = POLICY(name)
    assert policy.name == name
    assert policy.variable_dtype == policy.compute_dtype == np.dtype(name)
    told = json.loads(json.dumps(dtype_policies.serialize(policy)))
    got = [dtype_policies.get(one) for one in (name, np.dtype(name), getattr(np, name), policy)]
    for again in (dtype_policies.deserialize(told), POLICY.from_config(policy.get_config()), *got):
        assert again == policy
        assert hash(again) == hash(policy)
    assert repr(policy) == f'<DTypePolicy "{name}">'
    assert POLICY("float32") != POLICY("float64")


@pytest.mark.parametrize("make", [POLICY, fc.config.set_dtype_policy, lambda name: layers.Dense(3, dtype=name)])
@pytest.mark.parametrize(("name", "says"), [
    ("mixed_float16", "the dtype 'mixed_float16' is not offered; take float32, float64 or mixed_bfloat16"),
    ("int8", "expected dtype float32, float64 or mixed_bfloat16, got 'int8'"),
    (3, "expected dtype float32, float64 or mixed_bfloat16, got 3"),
    (object, "expected dtype float32, float64 or mixed_bfloat16, got <class")])
def test_another_type_is_refused_in_one_sentence(make, name, says, defaults):
    with pytest.raises(fc.errors.ArgumentError, match=says) as error:
        make(name)
    assert "\n" not in str(error.value)
    assert fc.config.dtype_policy().name == "float32"


@pytest.mark.parametrize(("name", "says"), [
    ("mixed_bfloat16", "the dtype 'mixed_bfloat16' is not offered; take float32 or float64"),
    ("int8", "expected dtype float32 or float64, got 'int8'")])
def test_the_type_of_numbers_is_no_policy_of_two_types(name, says, defaults):
    with pytest.raises(fc.errors.ArgumentError, match=says):
        fc.config.set_floatx(name)
    assert fc.config.floatx() == "float32"


def test_a_layer_tells_its_policy_by_keras_s_names():
    told = {"class_name": "DTypePolicy", "config": {"name": "float64"}}
    for dtype in ("float64", np.float64, POLICY("float64"), told):
        layer = layers.Dense(3, dtype=dtype)
        assert layer.dtype_policy == POLICY("float64")
        assert layer.dtype == layer.variable_dtype == layer.compute_dtype == layer.input_dtype == "float64"
        again = layers.Dense.from_config(json.loads(json.dumps(layer.get_config())))
        assert again.dtype_policy == layer.dtype_policy
    assert layers.Dense(3).dtype_policy == POLICY("float32")
    assert "dtype" not in layers.Dense(3).get_config()


def test_the_policy_of_a_layer_with_parameters_stays():
    layer = layers.Dense(3)
    layer.dtype_policy = "float64"
    layer.build((None, 2))
    assert layer.kernel.dtype == "float64"
    layer.dtype_policy = POLICY("float64")
    with pytest.raises(fc.errors.ArgumentError, match="expected a dtype policy before there are parameters"):
        layer.dtype_policy = "float32"


@pytest.mark.parametrize("choose", [fc.config.set_dtype_policy, fc.config.set_floatx])
def test_layers_that_are_told_nothing_have_the_default_policy(choose, defaults, tmp_path):
    single = fc.Sequential([fc.Input((4,)), layers.Dense(3)])
    choose("float64")
    assert fc.config.dtype_policy() == POLICY() == POLICY("float64")
    double = fc.Sequential([fc.Input((4,)), layers.Dense(3), layers.ReLU()])
    assert {layer.dtype.name for layer in (double, *double.layers)} == {"float64"}
    x = np.ones((2, 4))
    assert double.predict(x).dtype == "float64"
    assert layers.Dense(3, dtype="float32").dtype == "float32"
    for name, model in (("single", single), ("double", double)):
        model.save(tmp_path / f"{name}.safetensors")
    for default in ("float64", "float32"):  # what a file says holds, whatever the default is when it is read
        choose(default)
        for name, model in (("single", single), ("double", double)):
            again = fc.saving.load_model(tmp_path / f"{name}.safetensors")
            assert [p.dtype for p in again.weights] == [p.dtype for p in model.weights]
            np.testing.assert_array_equal(again.predict(x), model.predict(x))
            made = type(model).from_config(model.get_config())
            assert {layer.dtype for layer in made.layers} == {layer.dtype for layer in model.layers}


class Doubled(layers.Layer):
    """A layer whose constructor takes nothing."""

    def __init__(self):
        super().__init__()

    def forward(self, x, call):
        x = self.checked(x)
        return x + x, lambda dy: dy + dy


def test_a_class_that_takes_no_dtype_has_the_default_one_and_keeps_it(defaults):
    fc.config.set_dtype_policy("float64")
    layer = Doubled()
    fc.config.set_dtype_policy("float32")
    again = Doubled.from_config(layer.get_config())
    assert layer.dtype == again.dtype == "float64"
    assert Doubled().dtype == Doubled.from_config(Doubled().get_config()).dtype == "float32"


def test_what_floatx_says_holds_until_a_policy_is_set(defaults):
    assert fc.config.floatx() == "float32"
    fc.config.set_floatx("float64")
    assert fc.config.floatx() == fc.config.dtype_policy().name == "float64"
    fc.config.set_dtype_policy("float32")
    assert fc.config.floatx() == "float64"
    assert fc.config.dtype_policy() == layers.Dense(3).dtype_policy == POLICY("float32")


# --- the two types are apart ------------------------------------------------------------------------------------------

@pytest.fixture
def apart():
    """A policy that is not offered: single precision computes, double precision is kept."""
    policy = POLICY("float32")
    policy.name, policy.variable_dtype = "apart", np.dtype("float64")
    return policy


@pytest.mark.parametrize(("kind", "case"), ROWS, ids=[f"{kind}: {case.name}" for kind, case in ROWS])
def test_parameters_are_of_the_variable_type_and_inputs_of_the_compute_type(kind, case, apart):
    layer = case.make(dtype=apart, name="layer")
    layer.build(case.whole_shape())
    kernels = [p for p in layer.weights if p.dtype == "int8"]  # what their numbers are scale makes of them
    assert [p.name for p in kernels] == (["kernel"] if kind in ("QuantizedConv2D", "QuantizedDense") else [])
    numbers = [p for p in layer.weights if p not in kernels]
    assert {p.dtype.name for p in numbers} <= {"float64"}
    assert {p.gradient.dtype.name for p in numbers} <= {"float64"}
    assert all(x.dtype == "float32" for x in listed(layer.checked(case.input(dtype="float32"))))
    with pytest.raises(fc.errors.ArgumentError, match="expected an array of float32, got float64"):
        layer.checked(case.input(dtype="float64"))


def test_tensors_and_models_have_the_compute_type(apart):
    inputs = fc.Input((4,), dtype=apart)
    outputs = layers.Dense(3, dtype=apart)(inputs)
    assert inputs.dtype == outputs.dtype == "float32"
    for model in (fc.Model(inputs, outputs), fc.Sequential([layers.Dense(3, dtype=apart)])):
        assert model.compute_dtype == "float32"
    assert fc.Model(inputs, outputs).dtype_policy == apart
    with pytest.raises(fc.errors.ArgumentError, match="expected tensors of its own dtype, float64, got float32"):
        layers.Dense(3, dtype="float64")(outputs)


@pytest.mark.parametrize("room", ["layers", "graph", "models", "training", "symbolic", "bench"])
def test_nobody_asks_a_layer_for_its_type_without_saying_which(room):
    for module, path in imports.modules(Path(fc.__file__).parent).items():
        if f"{module}.".startswith(f"fastcnn.{room}."):
            asked = [ast.unparse(node.value) for node in ast.walk(ast.parse(path.read_text()))
                     if isinstance(node, ast.Attribute) and node.attr == "dtype"]
            whose = {name.split(".")[-1] for name in asked}
            assert not whose & {"layer", "model", "node", "product", *(["self"] if room != "symbolic" else [])}, module
