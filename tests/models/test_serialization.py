"""What a model is made of, written and read: shared layers, frozen parts, structures that were damaged."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError

X = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")


def part(*more):
    return fc.Sequential([fc.Input((4,)), layers.Dense(4), *more])


def written(model):
    """Return a model that was made again, with the weights of this one."""
    again = type(model).from_config(json.loads(json.dumps(model.get_config())))
    assert again.get_config() == model.get_config()
    again.set_weights(model.get_weights())
    return again


def test_a_layer_that_models_share_is_one_layer_again():
    dense, inputs = layers.Dense(4, name="both"), fc.Input((4,))
    inner = part(dense)
    model = fc.Model(inputs, dense(inner(inputs)))
    again = written(model)
    assert len(again.weights) == len(model.weights) == 4
    assert again.get_layer("both") is again.get_layer(inner.name).get_layer("both")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_model_that_models_share_is_one_model_again(tmp_path):
    inner = part(layers.ReLU())
    first, second, inputs = fc.Sequential([inner, layers.Dense(4)]), part(inner), fc.Input((4,))
    model = fc.Model(inputs, [first(second(inputs)), inner(inputs)])
    model.save(tmp_path / "m.safetensors")
    again = fc.saving.load_model(tmp_path / "m.safetensors")
    assert len({id(layer.get_layer(inner.name)) for layer in (again.get_layer(first.name),
                                                              again.get_layer(second.name))}) == 1
    for one in (model, again):
        one.compile(fc.optimizers.SGD(0.1), ["mse", "mse"])
        one.train_on_batch(X, [X, X])
    for a, b in zip(again.predict(X), model.predict(X), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make", [part, lambda: fc.Model(*(lambda t: (t, layers.Dense(2)(t)))(fc.Input((4,))))])
def test_a_frozen_model_stays_frozen(make):
    model = make()
    model.trainable = False
    again = written(model)
    assert not again.trainable
    assert again.trainable_weights == []
    model.layers[-1].trainable = True
    assert written(model).layers[-1].trainable_weights


def test_one_output_of_a_layer_may_be_given_and_another_computed():
    inner_input = fc.Input((4,))
    inner = fc.Model(inner_input, [layers.Dense(4)(inner_input), layers.Dense(4)(inner_input)])
    inputs = fc.Input((4,))
    a, b = inner(inputs)
    model = fc.Model([a, inputs], layers.Subtract()([a, b]))
    np.testing.assert_allclose(model.predict([X, -X]), X - inner.predict(-X)[1], rtol=1e-5, atol=1e-6)
    with pytest.raises(ArgumentError, match="which is not among them"):
        fc.Model(a, layers.Subtract()([a, b]))


def test_layers_may_be_two_thousand_one_after_another(tmp_path):
    chain = fc.Sequential([fc.Input((4,)), *(layers.ReLU() for _ in range(2000))])
    inputs = tensor = fc.Input((4,))
    for _ in range(2000):
        tensor = layers.ReLU()(tensor)
    for model in (chain, fc.Model(inputs, tensor)):
        model.compile("sgd", "mse")
        model.train_on_batch(X, X)
        np.testing.assert_array_equal(written(model).predict(X), np.maximum(X, 0))


def test_a_sequential_changes_after_training():
    fc.utils.set_random_seed(0)
    model = part(layers.Dense(3, name="old"))
    model.compile("adam", "mse")
    model.train_on_batch(X, np.zeros((5, 3)))
    model.pop()
    model.add(layers.Dense(2, name="new"))
    before = model.get_weights()
    with pytest.raises(ArgumentError, match="new/kernel is none of them; compile this model with a new optimizer"):
        model.fit(X, np.ones((5, 2)), verbose=0)
    model.compile("adam", "mse")
    model.fit(X, np.ones((5, 2)), verbose=0)
    assert model.output_names == ["new"]
    assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_models_over_the_same_layers_train_in_turn():
    """Parameters lie in blocks of the model that was compiled first; the others find them there."""
    results = []
    for compile_all_first in (True, False):
        fc.utils.set_random_seed(4)
        inputs = fc.Input((4,))
        body = layers.Dense(4, activation="tanh")(inputs)
        heads = [layers.Dense(k + 1)(body) for k in range(2)]
        models = [fc.Model(inputs, heads[0]), fc.Model(inputs, heads[1]), fc.Model(inputs, heads)]
        targets = [np.ones((5, 1)), np.ones((5, 2)), [np.ones((5, 1)), np.ones((5, 2))]]
        for model in models if compile_all_first else ():
            model.compile(fc.optimizers.SGD(0.1), "mse")
        for _ in range(2):
            for model, y in zip(models, targets, strict=True):
                if not compile_all_first:
                    model.compile(fc.optimizers.SGD(0.1), "mse")
                model.train_on_batch(X, y)
        results.append([*models[2].get_weights(), *models[0].predict([X]), *models[2].predict(X)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_summary_tells_what_is_inside_and_what_is_trained():
    body, inputs = part(layers.ReLU(name="inner")), fc.Input((4,))
    model = fc.Model(inputs, layers.Dense(2, name="head")(body(inputs)))
    body.trainable = False
    for told, more in ((False, {}), (True, {"expand_nested": True, "show_trainable": True})):
        text = []
        model.summary(print_fn=text.append, **more)
        assert (f"  {body.layers[0].name}" in text[0]) == ("  inner" in text[0]) == ("trainable" in text[0]) == told
        assert "10 trained, 20 others" in text[0]
        lines = {line.split()[0]: line for line in text[0].splitlines()}
        assert not told or [lines[name].rstrip().endswith("yes") for name in (body.name, "head")] == [False, True]
        assert lines["total"].split()[1:] == ["30", "24", "40", "B"]


class Doubled(layers.Layer):
    def forward(self, x, call=layers.Call()):
        return 2 * self.checked(x), lambda dy: 2 * dy


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_models_and_layers_are_copied(copied):
    model = part(Doubled(), layers.Dense(2, name="last"))
    model.compile("sgd", "mse")
    model.predict(X)
    again = copied(model)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.set_weights([w + 1 for w in again.get_weights()])
    assert not np.array_equal(again.predict(X), model.predict(X))
    layer = copied(model.get_layer("last"))
    np.testing.assert_array_equal(layer(X), model.get_layer("last")(X))
    assert not copied(layers.Dense(3)).built


def damaged():
    inputs = fc.Input((4,))
    model = fc.Model(inputs, {"y": layers.Concatenate()([part(layers.ReLU())(inputs), layers.Dense(2)(inputs)])})
    return model.get_config()


STRUCTURE = damaged()
JUNK = st.sampled_from([None, True, -1, 0, 7, 2.5, "x", [], {}, [[0, 9]], [[-9, 0]], ["dense"], {"a": 1}])


def _places(value, path=()):
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from _places(value[key], (*path, key))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(path=st.sampled_from([p for p in _places(STRUCTURE) if p]), junk=JUNK, drop=st.booleans())
def test_a_damaged_structure_is_told_in_one_sentence(path, junk, drop):
    config = copy.deepcopy(STRUCTURE)
    *way, last = path
    at = config
    for key in way:
        at = at[key]
    if drop:
        del at[last]
    else:
        at[last] = junk
    message = ""
    try:
        fc.Model.from_config(config).predict(X)  # what can still be built runs
    except ArgumentError as error:
        message = str(error)
    assert "\n" not in message
