"""Models as they are made: chains that grow, shrink and are built, what is refused on the way, and what models tell."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)


def made(*after, first=True):
    return fc.Sequential([*([fc.Input((4,))] if first else []), layers.Dense(3, name="a"),
                          layers.Dense(2, name="b"), *after], name="chain")


@pytest.mark.parametrize("first", [True, False])
def test_a_layer_that_is_taken_off_is_given_back_and_others_go_on_with_their_weights(first):
    model = made(first=first)
    if first:
        y = model.layers[0].predict(X)
    last = model.pop()
    assert (last.name, [layer.name for layer in model.layers]) == ("b", ["a"])
    if first:
        np.testing.assert_array_equal(model.predict(X), y)
        assert model.output_shape == (None, 3)
        model.add(last)
        np.testing.assert_array_equal(model.predict(X), last.predict(y))
    model.pop()
    if not first:
        assert not model.layers
        with pytest.raises(ArgumentError, match='Sequential "chain": expected a layer to pop, got none'):
            model.pop()


def test_a_chain_without_an_input_is_built_for_a_shape_and_for_no_other():
    model = made(first=False)
    assert not model.built
    assert model.compute_output_shape((8, 4)) == (None, 2)
    assert not model.built
    again = fc.Sequential.from_config(model.get_config())
    assert not again.built
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    with pytest.raises(ArgumentError, match=r'"chain": save expected a built model; begin with fc\.Input'):
        model.save("m.safetensors")
    model.build((None, 4))
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    weights = model.get_weights()
    model.build((7, 4))
    for one, other in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ArgumentError, match=r"expected input \(None, 4\), for which it was built, got \(None, 5\)"):
        model.build((None, 5))
    assert model.compute_output_shape((None, 4)) == (None, 2)


def test_a_chain_that_does_not_fit_is_built_by_the_next_shape_that_does():
    class Picky(layers.Layer):
        """It has a shape for every input, and weights for one."""

        def create_weights(self, input_shape):
            if input_shape[-1] != 2:
                raise ArgumentError("only for two")

    model = fc.Sequential([layers.Flatten(), Picky()])
    with pytest.raises(ArgumentError, match="only for two"):
        model.build((None, 3, 1))
    assert not model.built
    model.build((None, 2, 1))
    assert model.output_shape == (None, 2)


def test_models_inside_a_chain_tell_it_its_input_and_its_type():
    inner = fc.Sequential([fc.Input((4,), dtype="float64"), layers.Dense(3, dtype="float64")])
    model = fc.Sequential([inner])
    assert (model.input_shape, model.compute_dtype) == ((None, 4), np.float64)
    late = fc.Sequential([fc.Input((4,))])
    late.add(layers.Dense(2, dtype="float64"))
    assert (late.compute_dtype, late.input_shape, late.layers[0].compute_dtype) == (np.float64, (None, 4), np.float64)
    assert late.predict(X.astype("f8")).dtype == np.float64


class Two(layers.Layer):
    """Two outputs, where a chain takes one."""

    def compute_output_shape(self, input_shape):
        return input_shape, input_shape


@pytest.mark.parametrize(("make", "message"), [
    (lambda: fc.Sequential(layers.Dense(2)), r"Sequential \"\w+\": expected a list of layers, got <Dense"),
    (lambda: fc.Sequential("Dense"), "expected a list of layers, got 'Dense'"),
    (lambda: fc.Sequential(3), "expected a list of layers, got 3"),
    (lambda: fc.Sequential([layers.Dense]), r"expected a layer, got <class .*Dense'>; write Dense\(\.\.\.\)"),
    (lambda: fc.Sequential([3]), r"expected a layer, got 3$"),
    (lambda: made(fc.Input((4,))), "expected Input as the first entry and only once"),
    (lambda: fc.Sequential([fc.Input((4,)), fc.Input((4,))]), "expected Input as the first entry and only once"),
    (lambda: made(layers.Add()), "expected layers of one input, got Add"),
    (lambda: made(layers.Dense(2, dtype="float64")), r"layers of one dtype, float32, got Dense \"\w+\" of float64"),
    (lambda: made(layers.Dense(2, name="a")), 'layers with different names, got two "a"; give one'),
    (lambda: made(Two()), "expected layers of one output, got Two"),
    (lambda: made(Two(), first=False).compute_output_shape((None, 4)), "expected layers of one output, got Two"),
    (lambda: fc.Model(fc.Input((4,)), None), "Model: expected inputs and outputs, got none"),
    (lambda: twice(fc.Input((4,))), "expected different inputs, got one twice"),
    (lambda: fc.Model([], []), "expected inputs that fc.Input or a layer returned, got none"),
    (lambda: fc.Model(fc.Input((4,)), X), "expected outputs that fc.Input or a layer returned, got ndarray"),
    (lambda: made(first=False).count_params(), "begin with fc.Input"),
    (lambda: made()([X, X]), r"expected x of shape \(N, 4\), got \(2, 3, 4\)$"),
    (lambda: made().forward((X, X)), "expected 1 inputs, .*, got 2"),
    (lambda: made().get_layer("c"), "layer: 'c' is not known; known are a, b$"),
])  # fmt: skip
def test_what_makes_no_model_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def twice(x):
    return fc.Model([x, x], layers.Add()([x, x]))


def test_a_model_that_another_one_has_inside_neither_grows_nor_shrinks():
    model = made()
    fc.Sequential([fc.Input((4,)), model])
    for change in (lambda: model.add(layers.Dense(2)), model.pop):
        with pytest.raises(ArgumentError, match=r"(add|pop) expected a model that was not called .* fc\.Sequential\("):
            change()
    itself = made()
    with pytest.raises(ArgumentError, match="expected a layer, got itself"):
        itself.add(itself)


def test_a_layer_is_found_by_its_name_or_its_place():
    model = made()
    a, b = model.layers
    assert model.get_layer("b") is model.get_layer(index=1) is model.get_layer(index=-1) is b
    assert model.get_layer(index=0) is model.get_layer(index=-2) is a
    for index in (2, -3):
        with pytest.raises(ArgumentError, match=f"layer: {index} is not known; known are a, b$"):
            model.get_layer(index=index)


def test_models_are_made_frozen_or_not():
    x = fc.Input((4,))
    for model in (fc.Sequential([layers.Dense(2)], trainable=False),
                  fc.Model(x, layers.Dense(2)(x), trainable=False)):
        assert not model.trainable
        assert not model.layers[-1].trainable
        model.trainable = True
        assert model.layers[-1].trainable


def test_a_model_tells_its_name_its_layers_and_its_input():
    assert str(made()) == 'Sequential "chain"'
    assert repr(made()) == '<Sequential "chain", 2 layers, input (None, 4)>'


def test_a_model_computes_as_a_layer_does():
    model = made()
    y, backward = model.forward(X, Call())
    np.testing.assert_array_equal(model.infer(X), y)
    first, second = model.layers
    np.testing.assert_allclose(backward(np.ones_like(y)),
                               np.ones_like(y) @ second.kernel.value.T @ first.kernel.value.T, rtol=1e-5)
    with pytest.raises(ArgumentError, match=r"gradients of the outputs' shapes, \(3, 2\), got \(2, 2\)$"):
        backward(np.ones((2, 2), np.float32))
    assert model.infer_all([X])[0].shape == (3, 2)
    fresh = made(first=False)
    assert fresh.infer(X).shape == (3, 2)
    assert fresh.input_shape == (None, 4)
    fused = fc.config.fusion()
    fc.config.set_fusion(False)
    try:
        np.testing.assert_allclose(model.infer(X), y, rtol=1e-6)
    finally:
        fc.config.set_fusion(fused)


def test_a_call_infers_unless_it_is_told_to_train():
    model = fc.Sequential([fc.Input((4,)), layers.BatchNormalization(), layers.Dropout(0.5, seed=1)])
    np.testing.assert_array_equal(model(X), model.predict(X))
    np.testing.assert_allclose(model(X), X / np.sqrt(1.001), rtol=1e-6)
    normal = (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3)
    trained = model(X, training=True)
    np.testing.assert_allclose(trained[trained != 0], 2 * normal[trained != 0], rtol=1e-4)
    assert (trained == 0).any()
    assert model.layers[0].moving_mean.value.any()


def test_outputs_of_one_name_are_told_apart_and_a_dict_comes_back_as_one():
    x = fc.Input((4,))
    shared = layers.Dense(2, name="d")
    model = fc.Model(x, [shared(x), shared(layers.ReLU()(x)), layers.Dense(2, name="e")(x)])
    assert model.output_names == ["d", "d_1", "e"]
    assert [one.shape for one in model.predict(X)] == [(3, 2)] * 3
    named = fc.Model({"in": x}, {"p": shared(x), "q": x * 2})
    found = named.predict({"in": X})
    assert list(found) == ["p", "q"]
    np.testing.assert_array_equal(found["q"], 2 * X)
    assert named.infer(X).keys() == {"p", "q"}
