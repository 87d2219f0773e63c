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
    "an optimizer that is not offered": {"optimizer_config": {"class_name": "Muon", "config": {}}},
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
