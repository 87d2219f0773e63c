"""Keras writes files, fastcnn reads them: `.weights.h5`, `.keras` and Keras 2's `.h5`."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

import fastcnn as fc  # noqa: E402
from fastcnn import layers  # noqa: E402

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")]


def _chain(of, model):
    return model([of.Input((12, 12, 3)), of.Conv2D(4, 3, activation="relu"), of.BatchNormalization(), of.Dropout(0.3),
                  of.DepthwiseConv2D(3), of.Conv2D(5, 1), of.Flatten(), of.Dense(5)])  # fmt: skip


def _nested(of, model):
    """Models inside a model, one of them used twice, and weights that are frozen."""
    inner = model([of.Input((10, 10, 4)), of.Conv2D(4, 3, padding="same"), of.BatchNormalization()])
    inputs = of.Input((12, 12, 3))
    x = of.Conv2D(4, 3)(inputs)
    x = of.Add()([inner(inner(x)), x])
    frozen = of.BatchNormalization()
    x = frozen(x)
    frozen.trainable = False
    x = of.SeparableConv2D(6, 3)(x)
    x = of.PReLU()(x)
    outer = (keras if of is keras.layers else fc).Model(inputs, of.Dense(3)(of.Flatten()(x)))
    return outer


def _filled(model):
    rng = np.random.default_rng(1)
    model.set_weights([rng.random(w.shape).astype(np.float32) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("make", [_chain, _nested])
@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
@pytest.mark.parametrize("trained", [False, True], ids=["", "with an optimizer"])
def test_a_file_that_keras_wrote_is_read(tmp_path, make, suffix, trained):
    theirs = _filled(make(keras.layers, keras.Sequential))
    if trained:
        theirs.compile("adam", "mse")
        theirs.fit(np.zeros((4, 12, 12, 3)), np.zeros((4, theirs.output_shape[-1])), verbose=0)
    path = tmp_path / f"m{suffix}"
    (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(path)
    ours = make(layers, fc.Sequential)
    fc.saving.load_keras_weights(ours, path)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x = np.random.default_rng(2).random((3, 12, 12, 3), np.float32)
    expected = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x), expected, atol=1e-5 * abs(expected).max())
