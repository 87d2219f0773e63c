"""Constraints beside Keras's: what they make of weights, and what a training leaves."""

import numpy as np
import pytest

import fastcnn as fc

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
keras = pytest.importorskip("keras")

W = np.random.default_rng(0).standard_normal((3, 3, 4, 5)).astype("float32")
EACH = [("MaxNorm", {}), ("MaxNorm", {"max_value": 0.5, "axis": [0, 1, 2]}), ("UnitNorm", {"axis": [1, 3]}),
        ("UnitNorm", {}), ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.3, "axis": -1}), ("NonNeg", {})]


@pytest.mark.parametrize(("name", "settings"), EACH)
def test_a_constraint_makes_of_weights_what_keras_s_makes(name, settings):
    ours, theirs = (getattr(library.constraints, name)(**settings) for library in (fc, keras))
    np.testing.assert_allclose(ours(W), keras.ops.convert_to_numpy(theirs(W)), rtol=2e-6, atol=1e-7)
    assert ours.get_config() == theirs.get_config()
    assert fc.constraints.get(keras.constraints.serialize(theirs)) == ours


def model_of(library):
    make, bound = library.layers, library.constraints
    model = library.Sequential([
        library.Input((6, 6, 2)),
        make.Conv2D(4, 3, kernel_constraint=bound.MaxNorm(0.3, axis=[0, 1, 2]), bias_constraint="non_neg"),
        make.BatchNormalization(gamma_constraint=bound.MinMaxNorm(0.5, 1.0, 0.5), beta_constraint="non_neg"),
        make.DepthwiseConv2D(2, depthwise_constraint="non_neg"),
        make.SeparableConv2D(3, 2, depthwise_constraint="non_neg", pointwise_constraint="unit_norm"),
        make.PReLU(alpha_constraint="non_neg"), make.Flatten(),
        make.Dense(2, kernel_constraint="unit_norm", bias_constraint=bound.MaxNorm(0.01))])
    model.compile(library.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


def test_a_training_leaves_keras_s_weights():
    keras.utils.set_random_seed(1)
    theirs, ours = model_of(keras), model_of(fc)
    ours.set_weights(theirs.get_weights())
    draw = np.random.default_rng(1)
    x, y = draw.standard_normal((12, 6, 6, 2)).astype("float32"), draw.standard_normal((12, 2)).astype("float32")
    for model in (theirs, ours):
        model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
