"""`fastcnn.gradients`: of models and functions, beside central differences; nothing is left behind."""

import gc
import weakref

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, ops
from fastcnn.errors import ArgumentError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 6, 6, 2))
STEP = 1e-6


def network():
    return fc.Sequential([
        fc.Input((6, 6, 2), dtype="float64"), layers.Conv2D(4, 3, activation="tanh", dtype="float64"),
        layers.BatchNormalization(dtype="float64"), layers.Flatten(dtype="float64"),
        layers.Dropout(0.5, seed=1, dtype="float64"), layers.Dense(5, activation="softmax", dtype="float64")])


def difference(value, x, direction):
    return (value(x + STEP * direction) - value(x - STEP * direction)) / (2 * STEP)


def test_the_gradient_of_a_model_is_that_of_the_sum_of_its_outputs():
    model, direction = network(), RNG.standard_normal(X.shape)
    inner = fc.Model(model.input, model.layers[-3].output)
    values, gradient = fc.gradients(inner, X)
    np.testing.assert_array_equal(values, inner.predict(X))
    assert (gradient * direction).sum() == pytest.approx(
        difference(lambda x: inner.predict(x).sum(), X, direction), rel=1e-6)


def test_the_gradient_of_a_function_with_a_model_in_it():
    model, direction = network(), RNG.standard_normal(X.shape)
    value = lambda x: -np.log(model.predict(x)[:, 2]).mean()
    loss, gradient = fc.gradients(lambda x: -ops.mean(ops.log(model(x)[:, 2])), X)
    assert loss == pytest.approx(value(X), rel=1e-12)
    assert (gradient * direction).sum() == pytest.approx(difference(value, X, direction), rel=1e-6)


def test_arguments_and_results_keep_their_form_and_integers_have_no_gradient():
    labels = np.array([0, 1, 1])
    rows = RNG.standard_normal((3, 2))
    function = lambda given: {"loss": ops.sum(ops.one_hot(given["y"], 2) * given["x"]), "twice": [given["x"] * 2]}
    values, gradients = fc.gradients(function, {"x": rows, "y": labels})
    assert values["loss"] == pytest.approx(rows[np.arange(3), labels].sum())
    np.testing.assert_array_equal(values["twice"][0], 2 * rows)
    np.testing.assert_array_equal(gradients["x"], np.eye(2)[labels] + 2)
    assert gradients["y"] is None


def test_what_the_result_does_not_depend_on_has_a_gradient_of_zeros():
    _, (dx, dy) = fc.gradients(lambda xs: ops.sum(xs[0]), [X, X[0]])
    np.testing.assert_array_equal(dx, np.ones_like(X))
    np.testing.assert_array_equal(dy, np.zeros_like(X[0]))


def test_with_respect_to_weights_as_training_has_them_and_nothing_stays_in_layers():
    model = network()
    y = RNG.integers(5, size=3)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(X, y)
    kept = [p.grad.copy() for p in model.trainable_weights]
    before = model.get_weights()
    loss = lambda x: ops.mean(ops.sparse_categorical_crossentropy(y, model(x)))
    value, gradients = fc.gradients(loss, X, model.trainable_weights)
    assert value == pytest.approx(model.evaluate(X, y), rel=1e-9)
    kernel = model.trainable_weights[0]
    direction = RNG.standard_normal(kernel.shape)

    def moved(step):
        kernel.assign(before[0] + step * direction)
        return model.evaluate(X, y)

    slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
    kernel.assign(before[0])
    assert (gradients[0] * direction).sum() == pytest.approx(slope, rel=1e-4)
    for p, gradient in zip(model.trainable_weights, kept, strict=True):
        np.testing.assert_array_equal(p.grad, gradient)
    for after, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(after, value)


def test_training_is_told_to_layers_and_to_no_others():
    model = network()
    rest, trained = (fc.gradients(lambda x, t=t: ops.sum(model(x, training=t) ** 2), X)[0] for t in (None, True))
    assert rest == pytest.approx((model.predict(X) ** 2).sum(), abs=0.02)  # statistics have moved a little since
    assert abs(trained - rest) > 1e-3


def test_a_graph_of_a_model_lives_as_long_as_the_model():
    model = network()
    for samples in (3, 2):
        fc.gradients(model, X[:samples])
    (graph,) = model._gradient_graphs.values()
    ends = weakref.ref(graph)
    del model, graph
    gc.collect()
    assert ends() is None


@pytest.mark.parametrize(("function", "x", "message"), [
    (3, X, "expected a model or a function of tensors, got int"),
    (lambda x: 3.0, X, "returns tensors made of its argument by layers, fc.ops and operators, got float"),
    (lambda x: x > 0, X, "expected a result of a floating type, got bool"),
    (lambda x: x, 3.0, "with a dimension at least"), (lambda x: x, ["a"], "expected arrays of numbers"),
    (lambda x: np.sqrt(x), X, "ufunc|symbolic"), (lambda x: x if x[0] > 0 else -x, X, "no question about its values"),
])  # fmt: skip
def test_what_is_no_function_of_tensors_is_told_in_a_sentence(function, x, message):
    with pytest.raises((ArgumentError, TypeError), match=message):
        fc.gradients(function, x)
