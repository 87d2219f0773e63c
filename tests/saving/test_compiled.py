"""What compile was given comes back with a model: from a file, a pickle, a copy."""

import copy
import json
import pickle
import warnings

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, saving
from fastcnn.errors import ArgumentError
from tests.saving.files import forge

X = np.random.default_rng(0).random((4, 3), np.float32)
Y = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]


def _model(**given):
    model = fc.Sequential([fc.Input((3,)), layers.Dense(2, activation="softmax", name="d")], name="mine")
    usual = {"optimizer": fc.optimizers.SGD(0.25), "loss": fc.losses.CategoricalCrossentropy(label_smoothing=0.2),
             "metrics": ["accuracy", fc.metrics.TopKCategoricalAccuracy(1)]}  # fmt: skip
    model.compile(**usual | given)
    return model


def _saved(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    return saving.load_model(tmp_path / "m.safetensors")


WAYS = {"a file": _saved, "a pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
        "a copy": lambda model, _: copy.deepcopy(model)}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_comes_back_trains_on_as_the_first(tmp_path, way):
    first = _model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = WAYS[way](first, tmp_path)
    for _ in range(3):
        assert second.train_on_batch(X, Y, return_dict=True) == first.train_on_batch(X, Y, return_dict=True)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


GIVEN = {
    "words": {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]},
    "a schedule": {"optimizer": fc.optimizers.RMSprop(fc.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))},
    "a word that the data explains": {"loss": "crossentropy"},
    "by name": {"loss": {"d": "mse"}, "metrics": {"d": ["mae"]}, "loss_weights": {"d": 0.5}},
    "weighted metrics": {"metrics": None, "weighted_metrics": ["accuracy"]},
}  # fmt: skip


@pytest.mark.parametrize("case", GIVEN)
def test_every_form_of_compiles_arguments_comes_back(tmp_path, case):
    first = _model(**GIVEN[case])
    second = _saved(first, tmp_path)
    assert second.optimizer.get_config() == first.optimizer.get_config()
    told = second.evaluate(X, Y, return_dict=True)
    assert told == first.evaluate(X, Y, return_dict=True)


def test_a_model_that_is_not_compiled_and_one_that_should_not_be_are_not(tmp_path):
    fc.Sequential([fc.Input((3,)), layers.Dense(2)]).save(tmp_path / "a.safetensors")
    _model().save(tmp_path / "b.safetensors")
    for name, given in (("a", {}), ("b", {"compile": False})):
        model = saving.load_model(tmp_path / f"{name}.safetensors", **given)
        with pytest.raises(ArgumentError, match="expected a compiled model"):
            model.train_on_batch(X, Y)


class OwnLoss(fc.losses.MeanSquaredError):
    """A loss of a user's own."""


def _own_metric(y_true, y_pred):
    return abs(y_true - y_pred).mean(-1)


@pytest.mark.parametrize("given", [{"loss": OwnLoss()}, {"metrics": [_own_metric]}])
def test_what_no_file_can_hold_is_left_out_and_the_model_is_saved(tmp_path, given):
    model = _saved(_model(**given), tmp_path)
    assert model.optimizer is None
    assert model.predict(X).shape == (4, 2)


def test_a_forged_description_is_a_warning_and_the_model_is_there(tmp_path):
    path = tmp_path / "m.safetensors"
    _model().save(path)

    def change(header, texts):
        structure = json.loads(texts["structure"])
        structure["compile"]["loss"] = {"class_name": "os.system", "config": {"command": "true"}}
        texts["structure"] = json.dumps(structure)

    forge(path, change)
    with pytest.warns(UserWarning, match=r"m.safetensors: the model is not compiled, since what compile") as told:
        model = saving.load_model(path)
    assert told[0].filename == __file__
    assert model.optimizer is None
