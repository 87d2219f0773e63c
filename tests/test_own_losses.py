"""Losses of a user's own, functions and classes with call, beside those of fastcnn that are the same."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, losses, ops
from fastcnn.errors import ArgumentError

RNG = np.random.default_rng(0)
T, Y = RNG.standard_normal((6, 4, 3)).astype(np.float32), RNG.standard_normal((6, 4, 3)).astype(np.float32)
REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight"]


def squared(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


class Squared(losses.Loss):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * ops.mean((y_true - y_pred) ** 2, axis=-1)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", [None, np.arange(6.0), RNG.random((6, 4))], ids=["none", "samples", "positions"])
def test_value_and_gradient_are_those_of_the_loss_that_is_built_in(reduction, weights):
    own, plain = Squared(reduction=reduction), losses.MeanSquaredError(reduction=reduction)
    for got, expected in zip(own.forward(T, Y, sample_weight=weights), plain.forward(T, Y, sample_weight=weights),
                             strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-6)
    assert own(T, Y, weights) == pytest.approx(plain(T, Y, weights), rel=1e-5)


def test_without_a_reduction_it_is_one_number_for_each_position():
    np.testing.assert_allclose(Squared(reduction=None)(T, Y), ((T - Y) ** 2).mean(-1), rtol=1e-5)


def test_one_number_for_the_whole_batch_is_the_loss():
    whole = losses.get(lambda t, y: ops.mean(ops.square(t - y)))
    plain = losses.MeanSquaredError()
    assert whole(T, Y) == pytest.approx(plain(T, Y), rel=1e-5)
    np.testing.assert_allclose(whole.forward(T, Y)[1], plain.forward(T, Y)[1], rtol=1e-5)
    with pytest.raises(ArgumentError, match="expected no sample_weight for a loss that is one number"):
        whole(T, Y, np.ones(6))


@pytest.mark.parametrize("loss", [squared, Squared(), Squared])
def test_a_model_trains_with_it_as_with_the_one_built_in(loss):
    x, labels = RNG.standard_normal((12, 5)).astype(np.float32), RNG.standard_normal(12)
    found = []
    for one in (loss, "mse"):
        model = fc.Sequential([fc.Input((5,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])
        draw = np.random.default_rng(3)
        model.set_weights([(0.3 * draw.standard_normal(p.shape)).astype(np.float32) for p in model.weights])
        model.seed, model.orders = 3, fc.training.Orders(3)
        model.compile("adam", one)
        history = model.fit(x, labels[:, None], batch_size=5, epochs=3, verbose=0, validation_split=0.2).history
        found.append([*history["loss"], *history["val_loss"]])
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_labels_of_a_vector_meet_outputs_of_one_column_as_in_keras():
    labels, outputs = np.array([0.0, 1, 2]), np.array([[0.5], [1], [1]])
    assert losses.get(squared)(labels, outputs) == pytest.approx(1.25 / 3)


def test_it_is_asked_once_for_a_shape():
    asked = []
    loss = losses.get(lambda t, y: (asked.append(y.shape), squared(t, y))[1])
    for samples in (6, 4, 6):
        loss(T[:samples], Y[:samples])
    loss(T[:, :2], Y[:, :2])
    assert asked == [(None, 4, 3), (None, 2, 3)]


def test_its_configuration_makes_it_again():
    again = Squared.from_config(Squared(3.0, name="three").get_config())
    assert (again.factor, again.name) == (3.0, "three")
    assert again(T, Y) == pytest.approx(3 * Squared()(T, Y), rel=1e-5)


@pytest.mark.parametrize(("loss", "message"), [
    (lambda t, y: 3.0, "returns a tensor of float32 made of y_true and y_pred by fc.ops and operators, got float"),
    (lambda t, y: y > t, "got bool"), (lambda t: t, "expected a function of y_true and y_pred"),
    (lambda t, y: np.mean(t - y), "expected an array here, got a symbolic tensor"),
])  # fmt: skip
def test_what_is_no_loss_is_told_when_training_begins(loss, message):
    model = fc.Sequential([fc.Input((3,)), layers.Dense(1)])

    def train():
        model.compile("sgd", loss)
        model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)

    with pytest.raises(ArgumentError, match=message):
        train()
