"""The check of gradients: right ones pass, a planted error is found with its layer, and nothing is left of it."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError

DRAW = np.random.default_rng(4)
X = DRAW.standard_normal((6, 6, 6, 2)).astype("float32")
LABELS = np.arange(6) % 3
FLAT, TARGETS = DRAW.standard_normal((6, 4)), DRAW.standard_normal((6, 2))


class Scale(layers.Layer):
    """Multiply each channel by a number; what backward tells may be multiplied, too."""

    def __init__(self, own=1.0, below=1.0, **kwargs):
        super().__init__(**kwargs)
        self.own, self.below = own, below

    def compute_output_shape(self, input_shape):
        return input_shape

    def create_weights(self, input_shape):
        self.scale = self.add_weight("scale", (input_shape[-1],), "ones")

    def forward(self, x, call=layers.Call()):
        x = self.checked(x)
        scale = self.scale.value

        def backward(dy):
            self.scale.gradient[...] += self.own * (dy * x).sum(axis=tuple(range(dy.ndim - 1)))
            return self.below * dy * scale

        return x * scale, backward


class Cube(layers.Layer):
    """y = x^3, with a factor of its derivative, which is 3."""

    def __init__(self, factor=3.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, call=layers.Call()):
        x = self.checked(x)
        return x**3, lambda dy: self.factor * x**2 * dy


class Skip(fc.Model):
    """A model of one's own, whose layers are made by itself."""

    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(4, activation="tanh"), layers.Dense(4)
        self.head = layers.Dense(2)

    def call(self, x):
        return self.head(layers.Add()([x, self.second(self.first(x))]))


def images(*between, activation="tanh"):
    fc.utils.set_random_seed(2)
    model = fc.Sequential([
        fc.Input((6, 6, 2)),
        layers.Conv2D(3, 3, activation=activation, kernel_regularizer="l2", name="conv"),
        layers.BatchNormalization(name="norm"), *between, layers.Flatten(), layers.Dropout(0.5),
        layers.Dense(3, activation="softmax", name="head")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def flat(*found, loss="mse", **more):
    model = fc.Sequential([fc.Input((4,)), *found])
    model.compile("sgd", loss, **more)
    return model


def test_right_gradients_are_right_at_the_start_and_after_some_training():
    model = images(Scale(name="scale"))
    for _ in range(2):
        report = fc.check_gradients(model, X, LABELS)
        assert [row.path for row in report] == [
            "conv/kernel", "conv/bias", "norm/gamma", "norm/beta", "scale/scale", "head/kernel", "head/bias"]
        assert [row.compared for row in report] == [30, 3, 3, 3, 3, 30, 3]
        assert report.verdict == "right"
        assert max(row.ratio for row in report) < 1e-7
        assert report.layers == []
        model.fit(X, LABELS, epochs=3, verbose=0)


def test_all_kinds_of_models_can_be_checked():
    one, two = fc.Input((4,)), fc.Input((4,))
    shared = layers.Dense(3, activation="tanh", activity_regularizer="l2")
    both = layers.Concatenate()([shared(one), shared(two)])
    functional = fc.Model([one, two], [layers.Dense(2, name="a")(both), layers.Dense(1, activation="sigmoid")(both)])
    functional.compile("sgd", ["mse", "binary_crossentropy"], loss_weights=[1.0, 0.3])
    report = fc.check_gradients(functional, [FLAT, FLAT[::-1]], [TARGETS, LABELS > 0],
                                sample_weight=[np.arange(6.0), np.ones(6)])
    assert [row.verdict for row in report] == ["right"] * 6
    own = Skip()
    own.build((None, 4))
    own.compile("sgd", "mae")
    report = fc.check_gradients(own, FLAT, TARGETS, numbers=None)
    assert [row.path for row in report][:2] == ["first/kernel", "first/bias"]
    assert [row.compared for row in report] == [row.size for row in report]
    assert report.verdict == "right"


PLANTED = {
    "a parameter": (lambda: [Scale(own=1.01, name="planted")], "scale", {"planted/scale"}),
    "the input of a layer with parameters": (
        lambda: [Scale(below=1.01, name="planted")], "its input", {"conv/kernel", "norm/gamma", "norm/beta"}),
    "the input of a layer without": (
        lambda: [Scale(name="scale"), Cube(2.9, name="planted"), layers.ReLU()], "its input",
        {"conv/kernel", "norm/gamma", "norm/beta", "scale/scale"}),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_error_is_found_with_its_layer(case):
    between, of, wrong = PLANTED[case]
    report = fc.check_gradients(images(*between()), X, LABELS)
    # A bias before a batch normalization has no gradient, whatever comes back to it.
    assert {row.path for row in report if row.verdict in ("doubtful", "wrong")} - {"conv/bias"} == wrong
    assert [(one.layer, one.of) for one in report.layers] == [("planted", of)]
    assert report.verdict == "wrong"
    assert f'Backward of "planted" is not the derivative of its forward with respect to {of}: they are' in str(report)


def test_an_error_of_the_loss_is_no_layer_s():
    class Crooked(fc.losses.Loss):
        def forward(self, y_true, y_pred, wants_gradient=True, sample_weight=None):
            return ((y_pred - y_true) ** 2).sum(1), 1.9 * (y_pred - y_true) / len(y_pred)

    report = fc.check_gradients(flat(layers.Dense(2, activation="tanh"), loss=Crooked()), FLAT, TARGETS)
    assert [row.verdict for row in report] == ["wrong", "wrong"]
    assert report[0].ratio == pytest.approx(0.1 / 3.9, rel=1e-5)
    assert report.layers == []
    assert "no layer alone is: look at the loss" in str(report)
    assert f"backward tells {report[0].gradient:.6g}, differences {report[0].difference:.6g}" in str(report)
    assert report[0].gradient == pytest.approx(0.95 * report[0].difference)


def test_penalties_are_in_and_dropout_is_out():
    model = flat(layers.Dropout(0.5), layers.GaussianNoise(0.5), layers.GaussianDropout(0.5),
                 layers.Dense(1, kernel_regularizer=fc.regularizers.L2(3.0)))
    x, y = np.ones((2, 4)), np.zeros((2, 1))
    weights, bias = model.get_weights()
    (row, _) = fc.check_gradients(model, x, y)
    expected = 2 * (weights.sum(dtype="float64") + bias[0]) + 6 * weights[row.worst]
    assert row.gradient == pytest.approx(expected, rel=1e-6)
    assert row.difference == pytest.approx(expected, rel=1e-6)


def everything(model):
    return [model.get_weights(), [p.grad for p in model.weights], [p.version for p in model.weights],
            model.optimizer.get_state(), model.seed, [metric.get_state() for metric in model.metrics]]


@pytest.mark.parametrize("trained", [0, 1])
def test_nothing_is_left_of_it(trained):
    found = []
    for looks in (False, True):
        fc.utils.clear_session()
        model = images(Scale())
        model.fit(X, LABELS, epochs=trained, verbose=0) if trained else None
        model.evaluate(X, LABELS)
        before = copy.deepcopy(everything(model))
        if looks:
            fc.check_gradients(model, X, LABELS)
        np.testing.assert_equal(everything(model), before)
        model.fit(X, LABELS, epochs=2, verbose=0)
        found.append([model.get_weights(), fc.random.next_seed(), layers.Dense(1).name, layers.Dense(1).dtype])
    np.testing.assert_equal(*found)


def test_at_a_kink_nothing_is_told_and_said_so():
    model = flat(layers.Dense(3, activation="relu", name="hidden"), layers.Dense(2))
    blank = np.zeros((3, 4))
    report = fc.check_gradients(model, blank, TARGETS[:3])
    assert [(row.verdict, row.kinks) for row in report][1] == ("not told", 3)
    assert report[0].verdict == "zero", "no input, no gradient"
    assert "Not told: hidden/bias. All numbers that were moved lie at kinks" in str(report)
    assert "The gradients that were compared are right." in str(report)
    model.layers[0].set_weights([model.layers[0].get_weights()[0], np.array([0.3, -0.2, 0.1], "float32")])
    assert fc.check_gradients(model, blank, TARGETS[:3])[1].verdict == "right"


def test_near_a_minimum_a_curve_is_no_kink_and_rounding_no_error():
    model = flat(layers.Dense(2))
    solved = np.linalg.lstsq(np.c_[FLAT, np.ones(6)], TARGETS, rcond=None)[0]
    model.set_weights([solved[:4], solved[4]])  # rounded to float32, so that slopes are of 1e-8
    report = fc.check_gradients(model, FLAT, TARGETS, numbers=None)
    assert [row.kinks for row in report] == [0, 0]
    assert {row.verdict for row in report} <= {"right", "probably right", "zero", "not told"}


def test_a_bias_before_batch_normalization_has_no_gradient():
    report = fc.check_gradients(flat(layers.Dense(2), layers.BatchNormalization()), FLAT, TARGETS)
    assert [row.verdict for row in report] == ["right", "zero", "right", "right"]
    assert report.verdict == "right"


def test_what_cannot_be_checked_is_refused():
    class Dice(layers.Layer):
        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, call=layers.Call()):
            noise = np.random.default_rng().standard_normal(x.shape)
            return x * noise, lambda dy: dy * noise

    model = flat(layers.Dense(2))
    for options, message in (({"epsilon": 0}, "expected 0 < epsilon < 1, got 0"),
                             ({"numbers": 0}, "expected numbers to be a positive integer or None, got 0"),
                             ({"numbers": 1.5}, "expected numbers to be a positive integer or None, got 1.5")):
        with pytest.raises(ArgumentError, match=f"check_gradients: {message}"):
            fc.check_gradients(model, FLAT, TARGETS, **options)
    for unready in (fc.Sequential([layers.Dense(2)]), fc.Sequential([fc.Input((4,)), layers.Dense(2)])):
        with pytest.raises(ArgumentError, match="check_gradients: expected a model that is built and compiled"):
            fc.check_gradients(unready, FLAT, TARGETS)
    with pytest.raises(ArgumentError, match="expected the same loss of two passes over the same batch, got"):
        fc.check_gradients(flat(Dice(), layers.Dense(2)), FLAT, TARGETS)
    with pytest.raises(DataError, match="check_gradients: expected a finite loss, got inf"):
        fc.check_gradients(model, np.full((6, 4), 1e200), TARGETS)
    with pytest.raises(DataError, match="check_gradients: expected finite numbers in x, got NaN in 6 of 6 samples"):
        fc.check_gradients(model, np.full((6, 4), np.nan), TARGETS)
    with pytest.raises(ArgumentError, match=r"check_gradients: .*\(6, 2\), got \(6, 3\)|expected targets"):
        fc.check_gradients(model, FLAT, np.ones((6, 3)))


def test_a_model_that_cannot_be_made_again_says_why():
    class Given(Cube):
        @classmethod
        def from_config(cls, config):
            raise ValueError("no table")

    with pytest.raises(ArgumentError, match=r"check_gradients: expected a model that can be made again in float64 from "
                                            r"its configuration, got ValueError: no table|no table"):
        fc.check_gradients(flat(Given(), layers.Dense(2)), FLAT, TARGETS)
