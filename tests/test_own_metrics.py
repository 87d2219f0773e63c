"""Metrics of a user's own, with add_weight, as Keras's guides write them."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, metrics, ops

RNG = np.random.default_rng(0)
T, Y = RNG.integers(2, size=(9, 1)), RNG.random((9, 1)).astype(np.float32)


class TruePositives(metrics.Metric):
    def __init__(self, name="own_true_positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = ops.logical_and(ops.equal(ops.cast(y_true, "bool"), True), ops.greater(y_pred, 0.5))
        values = ops.cast(values, "float32")
        if sample_weight is not None:
            values = ops.multiply(values, ops.reshape(sample_weight, (-1, 1)))
        self.count.assign(self.count + ops.sum(values))

    def result(self):
        return self.count


class Late(metrics.Metric):
    """Starts anew in a reset_state of its own, which the base asks before there is anything."""

    def __init__(self):
        super().__init__()
        self.total = self.add_variable((), "zeros", name="total")

    def reset_state(self):
        self.total.assign(0.0)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(len(y_true))

    def result(self):
        return ops.convert_to_tensor(self.total) * 2


def test_it_counts_as_the_one_built_in_and_begins_anew():
    own, plain, weights = TruePositives(), metrics.TruePositives(), RNG.random(9)
    for _ in range(2):
        for w in (None, weights):
            assert own(T, Y, w) == pytest.approx(plain(T, Y, w), rel=1e-6)
        own.reset_state()
        plain.reset_state()
    assert own.variables[0].path == "own_true_positives/count"
    assert float(own.count.value) == 0.0


def test_fit_and_evaluate_tell_it_as_a_number():
    model = fc.Sequential([fc.Input((1,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "bce", metrics=[TruePositives(), metrics.TruePositives(name="plain"), Late()])
    history = model.fit(Y, T, epochs=2, batch_size=4, validation_data=(Y, T), verbose=0).history
    for prefix in ("", "val_"):
        np.testing.assert_allclose(history[f"{prefix}own_true_positives"], history[f"{prefix}plain"])
        assert history[f"{prefix}late"] == [18.0, 18.0]
    assert all(type(one) is float for one in history["own_true_positives"])


def test_its_state_goes_on_elsewhere_and_is_no_argument():
    metric, other = TruePositives(), TruePositives()
    metric.update_state(T, Y)
    other.set_state(metric.get_state())
    other.update_state(T, Y)
    assert other(T, Y) == 3 * metric.result().value
    assert "count" not in metric.get_config()
    assert TruePositives.from_config(metric.get_config()).name == "own_true_positives"


def test_a_function_of_operations_is_a_metric():
    metric = metrics.get(lambda t, y: ops.mean(ops.abs(ops.cast(t, "float32") - y), axis=-1))
    assert metric(T, Y) == pytest.approx(np.abs(T - Y).mean(), rel=1e-6)
