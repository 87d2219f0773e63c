"""Constraints as a user meets them: names, values, what training leaves of the weights, configurations, errors."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import constraints, device, layers
from fastcnn.errors import ArgumentError

W = np.random.default_rng(0).standard_normal((3, 3, 4, 5)).astype("float32")


def norms(w, axis):
    return np.sqrt(np.square(w.astype(np.float64)).sum(axis=axis, keepdims=True))


@pytest.mark.parametrize("axis", [0, -1, 2, (0, 1, 2), [1, 2], (0, 2), (0, 1, 2, 3)], ids=str)
def test_norms_are_brought_between_their_bounds_along_any_axes(axis):
    n = norms(W, tuple(axis) if isinstance(axis, list) else axis)
    for made, wanted in ((constraints.MaxNorm(1.5, axis), np.minimum(n, 1.5)), (constraints.UnitNorm(axis), 1.0),
                         (constraints.MinMaxNorm(1.0, 2.0, 0.5, axis), 0.5 * np.clip(n, 1, 2) + 0.5 * n)):
        before = W.copy()
        np.testing.assert_allclose(made(W), W * wanted / (n + 1e-7), rtol=2e-6, atol=1e-7)
        np.testing.assert_array_equal(W, before)
        parameter = fc.parameters.Parameter(W.copy(), "kernel", "conv/kernel")
        made.apply(parameter)
        np.testing.assert_array_equal(parameter.value, made(W))


def test_non_neg_takes_what_is_below_zero():
    np.testing.assert_array_equal(constraints.NonNeg()(W), np.maximum(W, 0))
    assert constraints.non_neg()([[-1, 2]]).tolist() == [[0, 2]]


@pytest.mark.parametrize("name", ["max_norm", "MaxNorm", "non_neg", "NonNeg", "unit_norm", "MinMaxNorm"])
def test_a_constraint_has_names_and_survives_its_configuration(name):
    made = constraints.get(name)
    assert constraints.get(constraints.serialize(made)) == constraints.deserialize(constraints.serialize(made)) == made
    assert constraints.get(type(made)) == made
    assert constraints.get(None) is None


class Halved(constraints.Constraint):
    def __call__(self, w):
        return 0.5 * w


def trained(optimizer="sgd", own=None, threads=None, **settings):
    fc.utils.set_random_seed(3)
    model = fc.Sequential([
        fc.Input((6, 6, 2)), layers.Conv2D(4, 3, kernel_constraint=constraints.MaxNorm(0.2, (0, 1, 2)),
                                           bias_constraint="non_neg"),
        layers.BatchNormalization(gamma_constraint="non_neg", beta_constraint="non_neg"),
        layers.SeparableConv2D(3, 2, depthwise_constraint="non_neg", pointwise_constraint="unit_norm"),
        layers.PReLU(alpha_constraint="non_neg"), layers.Flatten(), layers.Dense(2, kernel_constraint=own)])
    draw = np.random.default_rng(1)
    x, y = draw.standard_normal((8, 6, 6, 2)).astype("float32"), draw.standard_normal((8, 2)).astype("float32")
    model.compile(fc.optimizers.get(optimizer, learning_rate=0.5, **settings), "mse")
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weights_keep_their_constraints_through_a_training(optimizer):
    conv, norm, separable, prelu, *_ = trained(optimizer).layers
    assert norms(conv.kernel.value, (0, 1, 2)).max() <= 0.2 + 1e-6
    np.testing.assert_allclose(norms(separable.pointwise_kernel.value, 0), 1, rtol=1e-5)
    for parameter in (conv.bias, norm.gamma, norm.beta, separable.depthwise_kernel, prelu.alpha):
        assert parameter.value.min() >= 0, parameter
    assert (separable.depthwise_kernel.value == 0).any()


def test_functions_and_classes_of_one_s_own_are_called_after_each_step():
    seen = []

    def ones(w):
        seen.append(w.copy())
        return np.ones_like(w)

    model = trained(own=ones)
    assert len(seen) == 4
    assert not (seen[-1] == 1).all()
    assert (model.layers[-1].kernel.value == 1).all()
    assert Halved() == constraints.get(Halved)
    assert np.abs(trained(own=Halved()).layers[-1].kernel.value).max() > 0


def test_predictions_after_a_step_see_what_the_constraint_made():
    model = trained()
    x = np.ones((1, 6, 6, 2), "float32")
    again = fc.models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def test_a_step_with_constraints_takes_no_fresh_memory():
    model = trained()
    x, y = np.ones((4, 6, 6, 2), "float32"), np.ones((4, 2), "float32")
    model.fit(x, y, epochs=1, verbose=0)
    before = device.cpu.allocated
    model.fit(x, y, epochs=3, verbose=0)
    assert device.cpu.allocated == before


def test_a_model_with_constraints_survives_a_file(tmp_path):
    own = fc.saving.register_keras_serializable(package="mine")(Halved)
    model = trained(own=own())
    model.save(tmp_path / "m.safetensors")
    again = fc.saving.load_model(tmp_path / "m.safetensors")
    for one, other in zip(model.layers, again.layers, strict=True):
        assert [p.constraint for p in one.parameters] == [p.constraint for p in other.parameters]
    assert again.layers[0].get_config()["kernel_constraint"]["config"] == {"max_value": 0.2, "axis": [0, 1, 2]}


@pytest.mark.parametrize(("make", "text"), [
    (lambda: constraints.get("max_nrm"), "constraint: 'max_nrm' is not known"),
    (lambda: constraints.MaxNorm(-1), "MaxNorm: expected max_value to be a finite number of at least 0, got -1"),
    (lambda: constraints.MaxNorm(axis="x"), "MaxNorm: expected axis to be an integer or several, got 'x'"),
    (lambda: constraints.MaxNorm(axis=(0, 0)), "expected axis to be an integer or several"),
    (lambda: constraints.UnitNorm(4)(W), "UnitNorm: expected axes of weights with 4 dimensions, got axis=4"),
    (lambda: constraints.MinMaxNorm(2, 1), "MinMaxNorm: expected min_value of at most max_value, got 2 and 1"),
    (lambda: constraints.MinMaxNorm(rate=2), "MinMaxNorm: expected 0 <= rate <= 1, got 2"),
    (lambda: trained(own=lambda w: w[0]), r"constraint <lambda>: expected it to return a value of dense\S*/kernel's"),
])
def test_what_is_no_constraint_is_said_in_a_sentence(make, text):
    with pytest.raises(ArgumentError, match=text):
        make()
