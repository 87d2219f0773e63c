"""What Keras's compile was given, read from files of several versions."""

import warnings

import numpy as np
import pytest

import fastcnn as fc
from tests.saving.keras_files import entry, image, sequential, write_h5_model

pytest.importorskip("h5py")

ACCURACY = {"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "fn": "categorical_accuracy"}}
SMOOTHED = {"class_name": "CategoricalCrossentropy", "config": {"reduction": "auto", "label_smoothing": 0.5}}


def _adam(**config):
    return {"class_name": "Adam", "config": {"beta_1": 0.8} | config}


TRAINING = {
    "Keras 2": {"loss": "categorical_crossentropy", "loss_weights": None, "weighted_metrics": None,
                "metrics": [[ACCURACY]],
                "optimizer_config": _adam(name="Adam", learning_rate=0.25, decay=0.0, is_legacy_optimizer=False)},
    "before": {"loss": SMOOTHED, "metrics": ["accuracy"], "optimizer_config": _adam(lr=0.25)},
    "Keras 3": {"loss": "categorical_crossentropy", "metrics": ["accuracy"], "run_eagerly": False,
                "jit_compile": False, "steps_per_execution": 1,
                "optimizer": _adam(name="adam", learning_rate=0.25, weight_decay=None) | {"module": "keras"}},
}  # fmt: skip
CLASSIFIER = sequential(image(), entry("Flatten", "f"), entry("Softmax", "s"))
X = np.random.default_rng(1).uniform(-3, 3, (2, 4, 4, 2)).astype(np.float32)


@pytest.mark.parametrize("version", TRAINING)
def test_a_compiled_model_is_compiled(tmp_path, version):
    path = write_h5_model(tmp_path / "m.h5", CLASSIFIER, {}, training=TRAINING[version])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fc.saving.load_model(path)
    assert isinstance(model.optimizer, fc.optimizers.Adam)
    assert (model.optimizer.learning_rate, model.optimizer.get_config()["beta_1"]) == (0.25, 0.8)
    told = model.evaluate(X, np.eye(32, dtype=np.float32)[:2], return_dict=True)
    assert set(told) == {"loss", "accuracy"}
    assert fc.saving.load_model(path, compile=False).optimizer is None


def test_arguments_of_losses_are_taken(tmp_path):
    path = write_h5_model(tmp_path / "m.h5", CLASSIFIER, {}, training=TRAINING["before"])
    assert fc.saving.load_model(path).loss.get_config()["label_smoothing"] == 0.5


OTHERS = {
    "a loss of one's own": {"loss": {"class_name": "MyLoss", "config": {}}},
    "a function of one's own": {"loss": "my_loss"},
    "a metric that is not known": {"metrics": ["my_metric"]},
    "a private class": {"metrics": {"class_name": "_Running", "config": {}}},
    "an optimizer that is not offered": {"optimizer_config": {"class_name": "Shampoo", "config": {}}},
    "an argument of an optimizer that is not offered": {"optimizer_config": _adam(learning_rate=0.25, fused=True)},
    "an argument of a loss that is not offered": {"loss": {"class_name": "MeanSquaredError", "config": {"scale": 2}}},
    "a loss that is no loss": {"loss": {"class_name": "Accuracy", "config": {}}},
    "a rate that decays": {"optimizer_config": _adam(decay=0.1)},
    "no optimizer": {"optimizer_config": 3},
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_compile_does_not_offer_is_a_warning_and_the_model_is_there(tmp_path, case):
    path = write_h5_model(tmp_path / "m.h5", CLASSIFIER, {}, training=TRAINING["before"] | OTHERS[case])
    with pytest.warns(UserWarning, match="the model is not compiled, since the file asks for what is not") as told:
        model = fc.saving.load_model(path)
    assert told[0].filename == __file__
    assert model.optimizer is None
    assert model.predict(X).shape == (2, 32)


def read(tmp_path, **training):
    path = write_h5_model(tmp_path / "m.h5", CLASSIFIER, {}, training=TRAINING["before"] | training)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fc.saving.load_model(path)


def test_a_model_without_a_loss_is_not_compiled_and_nothing_is_said_of_it(tmp_path):
    assert read(tmp_path, loss=None).optimizer is None


def test_losses_and_metrics_by_the_name_of_an_output_are_taken(tmp_path):
    model = read(tmp_path, loss={"s": {"class_name": "MeanSquaredError", "config": {"reduction": "sum_over_batch_size",
                                                                                 "name": "squares", "fn": None}}},
                 loss_weights={"s": 2.0}, metrics={"s": ["mae", {"class_name": "MeanSquaredError", "config": {
                     "dtype": "float32", "name": "again"}}]})  # fmt: skip
    y = np.zeros((2, 32), np.float32)
    told, predicted = model.evaluate(X, y, return_dict=True), model.predict(X)
    assert list(told) == ["loss", "mae", "again"]
    assert told["loss"] == pytest.approx(2 * (predicted**2).mean(), rel=1e-5)
    assert told["again"] == pytest.approx((predicted**2).mean(), rel=1e-5)
    assert told["mae"] == pytest.approx(np.abs(predicted).mean(), rel=1e-5)


@pytest.mark.parametrize(("config", "expected"), [
    ({"name": "acc", "fn": "binary_accuracy"}, "acc"), ({"name": "mae", "fn": "mae"}, "mae"),
    ({"name": "mse", "fn": {"class_name": "function", "config": "mse"}}, "mse")])
def test_a_metric_in_a_wrapper_is_the_function_in_it(tmp_path, config, expected):
    model = read(tmp_path, metrics=[{"class_name": "MeanMetricWrapper", "config": config}])
    told = model.evaluate(X, np.eye(32, dtype=np.float32)[:2], return_dict=True)
    assert list(told) == ["loss", "accuracy" if expected == "acc" else expected]


def test_what_says_nothing_about_an_optimizer_is_passed_over(tmp_path):
    model = read(tmp_path, optimizer_config={"class_name": "keras.optimizers>SGD", "config": {
        "name": "SGD", "lr": 0.5, "momentum": 0.75, "decay": 0.0, "jit_compile": True, "is_legacy_optimizer": True,
        "weight_decay": None, "unheard_of": None}})  # fmt: skip
    assert isinstance(model.optimizer, fc.optimizers.SGD)
    assert (model.optimizer.learning_rate, model.optimizer.momentum) == (0.5, 0.75)
    assert isinstance(read(tmp_path, optimizer_config="adam").optimizer, fc.optimizers.Adam)
