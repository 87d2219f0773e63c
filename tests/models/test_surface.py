"""What a script of Keras's asks of a model beside training it: copies, text, names, registered classes, hints."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError

X = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")


def branching(outputs="dict"):
    inputs = fc.Input((4,), name="x")
    hidden = layers.Dense(3, activation="relu", name="hidden")(inputs)
    a, b = layers.Dense(2, name="a")(hidden), layers.Dense(1, name="b")(hidden)
    return fc.Model(inputs, {"dict": {"first": a, "second": b}, "list": [a, b], "one": a}[outputs])


@pytest.mark.parametrize("form", ["dict", "list", "one"])
def test_a_clone_has_the_structure_and_weights_of_its_own(form):
    model = branching(form)
    twin = fc.models.clone_model(model)
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert type(twin(X)) is type(model(X))
    assert not np.array_equal(twin.get_layer("hidden").get_weights()[0], model.get_layer("hidden").get_weights()[0])
    twin.set_weights(model.get_weights())
    one, other = (out if isinstance(out, (list, dict)) else [out] for out in (model(X), twin(X)))
    for key in one if isinstance(one, dict) else range(len(one)):
        np.testing.assert_array_equal(one[key], other[key])


def test_a_clone_is_made_by_functions_that_are_given():
    chain = fc.Sequential([fc.Input((4,)), layers.Dense(3), layers.Dense(2)])
    wider = fc.models.clone_model(chain, clone_function=lambda layer: layers.Dense(layer.units * 2))
    assert [layer.units for layer in wider.layers] == [6, 4]
    called = []
    fc.models.clone_model(branching(), call_function=lambda layer, *x: called.append(layer.name) or layer(*x))
    assert called == ["hidden", "a", "b"]
    longer = fc.models.clone_model(fc.Sequential([fc.Input((4,)), layers.ReLU()]), input_tensors=fc.Input((7,)))
    assert longer.output_shape == (None, 7)
    inside = fc.Sequential([fc.Input((4,)), chain, layers.Dense(2)])
    both = fc.models.clone_model(inside, clone_function=lambda layer: layers.Dense(5), recursive=True)
    assert both.layers[0].layers[0].units == 5
    for wrong, message in (({"model": 3}, "expected a model, got 3"),
                           ({"model": chain, "call_function": len}, "functional form for call_function"),
                           ({"model": branching(), "input_tensors": []}, "input_tensors")):
        with pytest.raises(ArgumentError, match=message):
            fc.models.clone_model(**wrong)


@pytest.mark.parametrize("make", [branching, lambda: fc.Sequential([fc.Input((4,)), layers.Dense(3)])])
def test_a_model_as_text_is_made_again_of_it(make):
    model = make()
    text = model.to_json(indent=1)
    again = fc.models.model_from_json(text)
    assert again.get_config() == model.get_config()
    assert json.loads(text)["class_name"] == type(again).__name__
    for wrong in ("{", "[]", 3):
        with pytest.raises(ArgumentError, match="expected the text that to_json returned"):
            fc.models.model_from_json(wrong)


def test_a_chain_that_is_not_built_tells_its_layers_and_is_made_again():
    said = []
    chain = fc.Sequential([layers.Dense(3, name="first"), layers.ReLU()])
    chain.summary(print_fn=said.append)
    assert "first" in said[0]
    assert "?" in said[0]
    again = fc.models.model_from_json(chain.to_json())
    assert not again.built
    assert again(X).shape == (6, 3)


def test_outputs_are_called_as_they_were_told():
    inputs = fc.Input((4,))
    for form, kind in (("dict", dict), ("list", list)):
        model = branching(form)
        assert type(model(inputs)) is type(model.output) is type(model.predict(X)) is kind
    outer = fc.Model(inputs, branching()(inputs)["second"])
    assert outer.output_shape == (None, 1)
    assert fc.Model.from_config(outer.get_config()).output_shape == (None, 1)


def test_a_model_without_a_loss_predicts_and_says_what_training_needs():
    model = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    for hints in ({}, {"jit_compile": True, "run_eagerly": False, "steps_per_execution": 8, "auto_scale_loss": True}):
        model.compile("adam", **hints)
        assert model.predict(X).shape == (6, 2)
        with pytest.raises(ArgumentError, match="expected a compiled model; call compile"):
            model.fit(X, X[:, :2])
    for hint in ({"steps_per_execution": 0}, {"jit_compile": "yes"}):
        with pytest.raises(ArgumentError, match=f"expected {next(iter(hint))} to be"):
            model.compile("adam", "mse", **hint)


def test_metrics_have_names_and_start_anew():
    model = fc.Sequential([fc.Input((4,)), layers.Dense(2)])
    assert model.metrics_names == []
    model.compile("sgd", "mse", metrics=["mae"])
    model.evaluate(X, X[:, :2])
    assert model.metrics_names == ["loss", "mae"]
    model.reset_metrics()
    assert model.metrics[0].result() == 0


@pytest.mark.parametrize("told", [{"input_shape": (8, 8, 1)}, {"input_shape": [8, 8, 1]}])
def test_a_first_layer_may_tell_what_the_model_is_given(told):
    model = fc.Sequential([layers.Conv2D(2, 3, **told), layers.Flatten(), layers.Dense(3, input_dim=7)])
    assert model.input_shape == (None, 8, 8, 1)
    assert model.output_shape == (None, 3)
    assert "input_shape" not in model.layers[0].get_config()
    assert fc.Sequential([layers.Dense(3, input_dim=5)]).input_shape == (None, 5)
    with pytest.raises(ArgumentError, match=r"Dense: expected input_shape such as \(28, 28, 1\)"):
        layers.Dense(3, input_shape="x")


def test_a_registered_class_is_found_by_files_and_configurations(tmp_path):
    @fc.saving.register_keras_serializable(package="tests")
    class Doubled(layers.Layer):
        def call(self, x):
            return x + x

    assert fc.saving.get_registered_name(Doubled) == "tests>Doubled"
    assert fc.utils.get_registered_object("tests>Doubled") is Doubled
    model = fc.Sequential([fc.Input((4,)), Doubled()])
    model.save(filepath=tmp_path / "m.safetensors")
    np.testing.assert_array_equal(fc.models.load_model(filepath=tmp_path / "m.safetensors").predict(X), 2 * X)
    del fc.saving.get_custom_objects()["tests>Doubled"]
    with pytest.raises(fc.errors.ModelFileError, match="Doubled"):
        fc.models.load_model(tmp_path / "m.safetensors")
    with fc.saving.custom_object_scope({"Doubled": Doubled}):
        fc.models.load_model(tmp_path / "m.safetensors")
    with pytest.raises(ArgumentError, match="expected a class with get_config"):
        fc.saving.register_keras_serializable()(int)
