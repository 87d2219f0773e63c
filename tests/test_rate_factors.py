"""Learning rates by patterns of paths: what moves by how much, and that nothing else changes."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.optimizers import SGD, Adam

X = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")


def network(optimizer, factors=None):
    fc.utils.set_random_seed(1)
    one = fc.Sequential([fc.Input((4,)), layers.Dense(3, name="first"), layers.Dense(3, name="middle"),
                         layers.Dense(4, name="last")])
    if factors is not None:
        optimizer.scale_learning_rate(factors)
    one.compile(optimizer, "mse")
    return one


def moved(optimizer, factors=None, steps=1):
    """Return how far each parameter goes, by path."""
    one = network(optimizer, factors)
    before = {w.path: w.numpy() for w in one.weights}
    for _ in range(steps):
        one.train_on_batch(X, X)
    return {w.path: w.numpy() - before[w.path] for w in one.weights}


@pytest.mark.parametrize("make", [lambda: SGD(0.1), lambda: Adam(0.01)], ids=["SGD", "Adam"])
def test_a_step_is_so_much_longer_or_shorter(make):
    plain, scaled = moved(make()), moved(make(), {"^first/": 0.25, "kernel$": 2.0, "last": 0.0})
    factors = {"first/kernel": 0.25, "first/bias": 0.25, "middle/kernel": 2.0, "middle/bias": 1.0, "last/kernel": 2.0,
               "last/bias": 0.0}
    for path, factor in factors.items():
        np.testing.assert_allclose(scaled[path], factor * plain[path], rtol=1e-3, atol=1e-7, err_msg=path)


def test_factors_of_one_change_no_bit_and_decay_follows_the_rate():
    for factors in ({}, {"kernel": 1.0}):
        for path, way in moved(SGD(0.1, momentum=0.9, weight_decay=0.1), factors, 3).items():
            np.testing.assert_array_equal(way, moved(SGD(0.1, momentum=0.9, weight_decay=0.1), None, 3)[path])
    whole, half = network(SGD(0.1, weight_decay=0.5)), network(SGD(0.2, weight_decay=0.5), {"": 0.5})
    for one in (whole, half):
        one.fit(X, X, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(whole.get_weights(), half.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_may_be_frozen_and_state_goes_on():
    one, again = (network(Adam(0.01), {"first": 0.1}) for _ in range(2))
    one.fit(X, X, verbose=0)
    again.fit(X, X, verbose=0)
    again.optimizer.set_state(one.optimizer.get_state())
    for each in (one, again):
        each.layers[1].trainable = False
        each.fit(X, X, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(one.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("factors", "message"), [
    ({"first": -1}, "expected factors from 0, got -1 for 'first'"),
    ({"first": "less"}, "expected factors from 0, got 'less'"),
    ({"(": 1.0}, "expected regular expressions, got '.'")])
def test_what_is_no_factor_is_refused(factors, message):
    with pytest.raises(ArgumentError, match=f"SGD: scale_learning_rate {message}"):
        SGD().scale_learning_rate(factors)


def test_a_pattern_that_nothing_has_is_told_before_the_first_step_and_after_it_none_is_taken():
    one = network(SGD(), {"frist": 0.1})
    with pytest.raises(ArgumentError, match=r"patterns of the parameters' paths, first/kernel, .*, got 'frist'"):
        one.fit(X, X, verbose=0)
    assert one.optimizer.iterations == 0
    one = network(SGD())
    one.fit(X, X, verbose=0)
    with pytest.raises(ArgumentError, match="expected an optimizer that has not trained yet"):
        one.optimizer.scale_learning_rate({"first": 0.1})


def test_a_file_of_the_model_and_a_copy_have_the_factors_and_what_is_spared_the_decay(tmp_path):
    optimizer = SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    one = network(optimizer, {"^first/": 0.25, "kernel$": 0.0})
    one.save(tmp_path / "a.safetensors")
    start = one.get_weights()
    weights = []
    for each in (one, fc.saving.load_model(tmp_path / "a.safetensors"), copy.deepcopy(one)):
        each.fit(X, X, batch_size=4, epochs=2, shuffle=False, verbose=0)
        weights.append(each.get_weights())
    np.testing.assert_array_equal(weights[0][2], start[2])  # middle/kernel
    for found in weights[1:]:
        for a, b in zip(weights[0], found, strict=True):
            np.testing.assert_array_equal(a, b)
    plain = SGD(0.1).get_config()
    assert {"learning_rate_factors", "spared_weight_decay"}.isdisjoint(plain), "else Keras could not read it"


def test_a_training_goes_on_with_its_factors_and_with_no_others(tmp_path):
    def train(factors, epochs):
        keep = fc.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
        one = network(Adam(0.01), factors)
        one.fit(X, X, batch_size=4, epochs=epochs, verbose=0, callbacks=keep)
        return one.get_weights()

    train({"first": 0.25}, 1)
    with pytest.raises(ArgumentError, match="expected the optimizer of the training to go on with"):
        train({"first": 0.5}, 2)
    found, whole = train({"first": 0.25}, 2), network(Adam(0.01), {"first": 0.25})
    whole.fit(X, X, batch_size=4, epochs=2, verbose=0)
    for a, b in zip(found, whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
