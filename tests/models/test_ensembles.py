"""Several models as one: what it computes, how it is saved, and what is no ensemble."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError


def small(seed, outputs=3):
    fc.utils.set_random_seed(seed)
    return fc.Sequential([fc.Input((6, 6, 1)), layers.Conv2D(4, 3, activation="relu", name="same"), layers.Flatten(),
                          layers.Dense(outputs, activation="softmax")])


def test_an_ensemble_is_the_mean_of_its_members_whose_layers_it_shares(tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 6, 6, 1)).astype(np.float32)
    members = [small(seed) for seed in (1, 2, 3)]
    model = fc.models.ensemble(members)
    mean = np.mean([one.predict(x) for one in members], axis=0)
    np.testing.assert_allclose(model.predict(x), mean, atol=1e-6)  # three numbers in float32
    members[0].set_weights([0 * one for one in members[0].get_weights()])
    assert abs(model.predict(x) - mean).max() > 1e-3

    model.save(tmp_path / "m.safetensors")
    assert (fc.saving.load_model(tmp_path / "m.safetensors").predict(x) == model.predict(x)).all()
    pytest.importorskip("onnx")
    fc.onnx.export(model, tmp_path / "m.onnx")
    np.testing.assert_allclose(fc.onnx.load(tmp_path / "m.onnx").predict(x), model.predict(x), atol=1e-6)


def test_what_is_no_ensemble_is_one_sentence():
    with pytest.raises(ArgumentError, match="expected at least two models, got 1"):
        fc.models.ensemble([small(1)])
    with pytest.raises(ArgumentError, match=r"to \(None, 3\), as the first, got one from .* to \(None, 2\)"):
        fc.models.ensemble([small(1), small(2, outputs=2)])
    with pytest.raises(ArgumentError, match="expected models with one input and one output"):
        fc.models.ensemble([small(1), "lenet"])
