"""Estimators of scikit-learn; that they pass all of its own checks is in tests/peers."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastcnn as fc
from fastcnn import layers, optimizers
from fastcnn.datasets import digits
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.sklearn import FastCNNClassifier, FastCNNRegressor


@pytest.fixture(scope="module")
def images():
    """Return some digits and their labels as words."""
    (x, y), _ = digits.load_data()
    return x[:260, ..., None] if x.ndim == 3 else x[:260], np.array([f"digit {k}" for k in range(10)])[y[:260]]


def small(shape, outputs, filters=4):
    return fc.Sequential([fc.Input(shape), layers.Conv2D(filters, 3, activation="relu"),
                          layers.GlobalMaxPooling2D(), layers.Dense(outputs, activation="softmax")])


def test_images_are_told_apart_by_names_of_classes(images):
    x, y = images
    classifier = FastCNNClassifier(random_state=1, epochs=25).fit(x[:200], y[:200])
    assert classifier.model_.name == "lenet"
    assert classifier.score(x[200:], y[200:]) > 0.8
    probabilities = classifier.predict_proba(x[200:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert (classifier.classes_[probabilities.argmax(axis=1)] == classifier.predict(x[200:])).all()


def test_a_weight_is_as_good_as_copies_and_the_order_does_not_matter(images):
    x, y = images
    weights = np.ones(60)
    weights[:10], weights[10] = 3, 0
    some = FastCNNClassifier(small, random_state=1, epochs=2).fit(x[:60], y[:60], sample_weight=weights)
    order = np.random.default_rng(0).permutation(79)
    copies = np.concatenate([np.delete(np.arange(60), 10), np.arange(10), np.arange(10)])[order]
    same = FastCNNClassifier(small, random_state=1, epochs=2).fit(x[copies], y[copies])
    assert (some.predict_proba(x) == same.predict_proba(x)).all()
    plain = FastCNNClassifier(small, random_state=1, epochs=2).fit(x[:60], y[:60])
    assert (some.predict_proba(x) != plain.predict_proba(x)).any()


def test_a_pickle_predicts_the_same_bits_and_partial_fit_goes_on_with_them(images):
    x, y = images
    first = FastCNNClassifier(small, random_state=1).partial_fit(x[:100], y[:100], classes=np.unique(y))
    again = pickle.loads(pickle.dumps(first))
    assert (first.predict_proba(x) == again.predict_proba(x)).all()
    for one in (first, again):
        one.partial_fit(x[100:200], y[100:200])
    assert (first.predict_proba(x) == again.predict_proba(x)).all()


def test_a_pickle_that_is_damaged_is_told(images):
    classifier = FastCNNClassifier(small, random_state=1, epochs=1).fit(images[0][:40], images[1][:40])
    state = classifier.__getstate__()
    damaged = bytearray(state["model_"]["model"])
    damaged[-3] ^= 1
    state["model_"] = {**state["model_"], "model": bytes(damaged)}
    with pytest.raises(ModelFileError, match=r"FastCNNClassifier: expected .* damaged weights"):
        FastCNNClassifier.__new__(FastCNNClassifier).__setstate__(state)


def test_a_search_through_a_pipeline_finds_arguments_of_a_network():
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
    x[:, 0] += 6 * y
    pipeline = make_pipeline(StandardScaler(), FastCNNClassifier(random_state=1, epochs=20))
    wanted = {"fastcnnclassifier__model_arguments": [{"hidden_units": (4,)}, {"hidden_units": (8,)}]}
    search = GridSearchCV(pipeline, wanted, cv=2).fit(x, y)
    assert search.best_score_ > 0.8


def test_numbers_are_told_in_their_own_unit_one_or_several(images):
    x = np.random.default_rng(0).normal(size=(120, 3))
    y = 1e4 + 300 * x[:, 0]
    regressor = FastCNNRegressor(random_state=1).fit(x, y)
    assert regressor.predict(x).shape == (120,)
    assert regressor.score(x, y) > 0.95
    both = FastCNNRegressor(random_state=1).fit(x, np.stack([y, -y], axis=1))
    assert both.predict(x).shape == (120, 2)
    assert both.score(x, np.stack([y, -y], axis=1)) > 0.95


def test_early_stopping_holds_examples_back_and_stops():
    x = np.random.default_rng(0).normal(size=(80, 3))
    y = np.random.default_rng(1).integers(0, 2, 80)  # nothing to learn
    stopped = FastCNNClassifier(random_state=1, epochs=150, early_stopping=True, patience=3).fit(x, y)
    assert len(stopped.history_["val_loss"]) < 150


def test_a_model_is_trained_as_a_copy_from_its_weights_on(images):
    x, y = images[0], np.arange(40) % 10
    model = small(x.shape[1:], 10)
    before = [value.copy() for value in model.get_weights()]
    frozen = FastCNNClassifier(model, optimizer=optimizers.SGD(0.0), epochs=1, random_state=1).fit(x[:40], y)
    assert all((a == b).all() for a, b in zip(before, frozen.model_.get_weights(), strict=True))
    assert frozen.model_ is not model
    assert clone(frozen).get_params()["optimizer"] is not frozen.optimizer


@pytest.mark.parametrize(("given", "told"), [
    ({"model": "lenet6"}, "model: 'lenet6' is not known; did you mean"),
    ({"model": 3}, "expected a name, a function, a model or None, got 3"),
    ({"model": lambda shape, outputs: 3}, "returns a model of fastcnn, got 3"),
    ({"model": lambda shape, outputs: small(shape, 7)}, r"to \(None, 10\), got one from"),
    ({"optimizer": "adem"}, "did you mean 'adam'"),
    ({"optimizer": optimizers.SGD(0.1), "learning_rate": 0.1}, "learning_rate: expected None beside"),
    ({"early_stopping": True, "validation_fraction": 2}, "validation_fraction: expected a number between 0 and 1"),
    ({"epochs": -1}, "epochs to be a positive integer, got -1"),
])
def test_what_does_not_fit_is_one_sentence_before_anything_is_trained(images, given, told):
    with pytest.raises(ArgumentError, match=told):
        FastCNNClassifier(**given).fit(images[0][:40], np.arange(40) % 10)


def test_examples_of_another_shape_and_classes_never_seen_are_told(images):
    x, y = images
    classifier = FastCNNClassifier(small, random_state=1)
    with pytest.raises(NotFittedError):
        classifier.predict(x)
    with pytest.raises(ArgumentError, match="expected classes at the first call"):
        classifier.partial_fit(x[:20], y[:20])
    classifier.partial_fit(x[:40], np.arange(40) % 3, classes=[0, 1, 2])
    with pytest.raises(ArgumentError, match="expected the classes of the first call"):
        classifier.partial_fit(x[:20], np.arange(20))
    with pytest.raises(ArgumentError, match=r"expected examples of shape \(8, 8, 1\)"):
        classifier.predict(np.zeros((2, 8, 9, 1)))
    with pytest.raises(ValueError, match=r"some are positive|at least one non-zero"):  # newer versions say it first
        classifier.partial_fit(x[:20], np.arange(20) % 3, sample_weight=np.zeros(20))
