"""Several optimizers as one, steps of matrices, factored moments."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, optimizers
from fastcnn.errors import ArgumentError
from fastcnn.operations.orthogonalize import orthogonalize
from fastcnn.parameters import Parameter

DRAW = np.random.default_rng(0)
X, Y = DRAW.standard_normal((16, 6, 6, 2)).astype("float32"), DRAW.standard_normal((16, 3)).astype("float32")


def by_path():
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(
        optimizers.SGD(0.05, momentum=0.9), {".*/bias": optimizers.Adam(0.01), "dense/kernel": optimizers.Muon(0.02)}))


def model_with(optimizer):
    fc.utils.clear_session()
    fc.utils.set_random_seed(2)
    model = fc.Sequential([fc.Input((6, 6, 2)), layers.Conv2D(4, 3), layers.ReLU(), layers.Flatten(), layers.Dense(3)])
    model.compile(optimizer, "mse")
    return model


MAKERS = {"several": by_path, "Muon": lambda: optimizers.Muon(0.02), "Adafactor": lambda: optimizers.Adafactor(0.05),
          "schedule-free": lambda: optimizers.ScheduleFreeAdamW(0.01)}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_training_gets_better_takes_no_fresh_memory_and_goes_on_exactly(make):
    model = model_with(make())
    history = model.fit(X, Y, batch_size=4, epochs=6, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
    before = fc.device.cpu.allocated
    state, weights = model.optimizer.get_state(), model.get_weights()
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert fc.device.cpu.allocated == before
    again = model_with(make())
    again.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    again.set_weights(weights)
    again.optimizer.set_state(state)
    again.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    config = json.loads(json.dumps(optimizers.serialize(model.optimizer)))
    assert optimizers.serialize(optimizers.deserialize(config)) == config


def test_each_optimizer_trains_what_the_map_gives_it(tmp_path):
    model = model_with(by_path())
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    found = {type(one).__name__: [p.path for p in one._parameters] for one in model.optimizer.optimizers}
    assert found == {"Adam": ["conv2d/bias", "dense/bias"], "Muon": ["dense/kernel"], "SGD": ["conv2d/kernel"]}
    assert model.optimizer.iterations == 2
    assert not hasattr(model.optimizer, "learning_rate")
    model.save(tmp_path / "m.safetensors")
    again = fc.saving.load_model(tmp_path / "m.safetensors")
    assert optimizers.serialize(again.optimizer) == optimizers.serialize(model.optimizer)
    by_function = model_with(optimizers.MultiOptimizer(
        lambda p: optimizers.SGD(0.0) if "conv" in p.path else optimizers.SGD(0.1)))
    start = by_function.get_weights()
    by_function.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    assert [bool((a == b).all()) for a, b in zip(start, by_function.get_weights(), strict=True)] == [
        True, True, False, False]


def test_layers_may_be_frozen_for_a_while():
    model = model_with(by_path())
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    model.layers[0].trainable = False
    frozen = model.layers[0].get_weights()
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], frozen[0])
    steps = {type(one).__name__: one.iterations for one in model.optimizer.optimizers}
    assert steps == {"Adam": 4, "Muon": 4, "SGD": 2}


@pytest.mark.parametrize("shape", [(5, 5), (3, 9), (12, 4), (1, 6)])
def test_the_singular_values_of_a_step_come_near_1(shape):
    x = DRAW.standard_normal(shape)
    found = np.linalg.svd(orthogonalize(x, 12, (1.875, -1.25, 0.375)), compute_uv=False)
    np.testing.assert_allclose(found, 1, atol=1e-3)
    u, _, v = np.linalg.svd(x, full_matrices=False)
    np.testing.assert_allclose(orthogonalize(x, 20, (1.875, -1.25, 0.375)), u @ v, atol=1e-6)


def test_a_factored_moment_is_exact_where_rows_and_columns_are_independent():
    w = Parameter(np.ones((4, 3)), "w", "w")
    optimizer = optimizers.Adafactor(0.1, clip_threshold=10.0)
    optimizer.build([w])
    gradient = np.outer([1, 2, 3, 4], [1, -2, 0.5])
    optimizer.apply([gradient], [w])
    np.testing.assert_allclose(w.value, 1 - 0.1 * np.sign(gradient))
    assert sum(a.size for name, a in optimizer.get_state().items() if "velocity" in name) == w.size


@pytest.mark.parametrize(("make", "text"), [
    (lambda: optimizers.MultiOptimizer("adam"), "expected an OptimizerMap, or a function of a parameter, got 'adam'"),
    (lambda: optimizers.OptimizerMap("adam"), "expected an optimizer of one kind, got 'adam'"),
    (lambda: optimizers.OptimizerMap(by_path()), "expected an optimizer of one kind"),
    (lambda: optimizers.OptimizerMap(optimizers.SGD(), {"(": optimizers.SGD()}), "expected a regular expression"),
    (lambda: optimizers.OptimizerMap(optimizers.SGD(), {"a.*": optimizers.SGD(), ".*b": optimizers.SGD()})["ab"],
     "expected one pattern that matches 'ab', got a"),
    (lambda: optimizers.MultiOptimizer(lambda p: None).build([Parameter(np.ones(2), "w", "a/w")]), "for a/w, got None"),
    (lambda: setattr(by_path(), "learning_rate", 0.1), "learning_rate cannot be set"),
    (lambda: optimizers.MultiOptimizer(lambda p: optimizers.SGD()).get_config(), "an OptimizerMap to write down"),
    (lambda: optimizers.Muon(momentum=1.0), "expected 0 <= momentum < 1, got 1.0"),
    (lambda: optimizers.Muon(exclude_layers=["("]), "expected exclude_layers to be regular expressions"),
    (lambda: optimizers.Adafactor(beta_2_decay=1), "expected beta_2_decay of at most 0, got 1"),
    (lambda: optimizers.ScheduleFreeAdamW(beta_1=0), "expected a positive beta_1, got 0"),
    (lambda: optimizers.ScheduleFreeAdamW(warmup_steps=-1), "warmup_steps to be an integer of at least 0, got -1"),
])
def test_what_cannot_be_is_refused(make, text):
    with pytest.raises(ArgumentError, match=text):
        make()
