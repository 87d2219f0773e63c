"""Predictions in another precision: by a copy of the model that follows its weights and its layers."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers

X = np.random.default_rng(0).standard_normal((8, 6)).astype(np.float32)


def rounded(model):
    """Return what a model under the mixed policy with the same weights predicts."""
    with_policy = fc.Sequential([fc.Input((6,)), *(layers.Dense(one.units, activation=one.activation,
                                                                dtype="mixed_bfloat16") for one in model.layers)])
    with_policy.set_weights(model.get_weights())
    return with_policy.predict(X)


def test_a_copy_in_bfloat16_follows_the_weights_and_the_layers_of_its_model():
    model = fc.Sequential([fc.Input((6,)), layers.Dense(5, activation="relu")])
    first = model.predict(X, precision="bf16")
    assert first.dtype == np.float32
    assert not np.array_equal(first, model.predict(X))
    np.testing.assert_array_equal(first, rounded(model))

    model.set_weights([2 * one for one in model.get_weights()])
    np.testing.assert_array_equal(model.predict(X, precision="bf16"), 2 * first)

    model.compile("sgd", "mse")
    model.train_on_batch(X, np.ones((8, 5), np.float32))
    assert not np.array_equal(model.predict(X, precision="bf16"), 2 * first)
    np.testing.assert_array_equal(model.predict(X, precision="bf16"), rounded(model))

    model.add(layers.Dense(3))
    np.testing.assert_array_equal(model.predict(X, precision="bf16"), rounded(model))
    model.pop()
    np.testing.assert_array_equal(model.predict(X, precision="bf16"), rounded(model))


def test_a_model_that_computes_so_predicts_by_itself():
    model = fc.Sequential([fc.Input((6,)), layers.Dense(5, dtype="mixed_bfloat16")])
    np.testing.assert_array_equal(model.predict(X, precision="bf16"), model.predict(X))
    assert not np.array_equal(model.predict(X, precision="float32"), model.predict(X))


def test_a_precision_that_is_none_is_refused():
    model = fc.Sequential([fc.Input((6,)), layers.Dense(5)])
    with pytest.raises(fc.errors.ArgumentError, match="expected precision to be 'float32' or 'bf16', got 'half'"):
        model.predict(X, precision="half")
